"""Benchmarks: the framework against what users would pick instead (``docs/performance.md``)."""
