"""Measures aiowsgi against the servers that people run: `python -m benchmarks` (see README.md)."""
