"""Finding the serial port of a board, for scripts: ``stream.py`` of a project of ``ebnn init`` imports it here."""

from .device.discovery import find_port

__all__ = ["find_port"]
