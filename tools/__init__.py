"""Programs of the maintainers, which write into the package or its tests: ``uv run python -m tools.NAME``."""
