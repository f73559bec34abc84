"""Running on a Flink cluster: defaults, checks before a submission, a watchdog after it."""
