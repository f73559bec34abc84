"""GROUP BY and windows: partial states of batches, merged and finished."""
