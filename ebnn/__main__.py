"""``python -m ebnn`` is the command ``ebnn``."""

from .cli import main

main(prog_name="ebnn")
