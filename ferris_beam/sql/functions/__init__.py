"""Functions that SQL can call: those of DataFusion, ours, and the users own."""
