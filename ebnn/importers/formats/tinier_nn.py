"""Model files of tinier-nn: see `ebnn.importers.model_def`."""

from __future__ import annotations

from ..model_def import read_model_def as read
from ..model_def import recognises

__all__ = ["read", "recognises"]
