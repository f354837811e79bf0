"""``python -m ebnn`` is the command ``ebnn``."""

import sys


def run() -> None:
    """Runs the command; Ctrl-C while it is imported ends it without a word."""
    try:
        from .cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    main(prog_name="ebnn")


if __name__ == "__main__":
    run()
