"""Values of messages to batches."""
