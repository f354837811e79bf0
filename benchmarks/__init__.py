"""Programs that measure: exact counts on simulated cores. Run one with ``uv run python -m benchmarks.NAME``."""
