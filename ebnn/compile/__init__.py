"""Network → Plan → C: which kernels run it on a core, what that takes, and the header that says so."""

from . import shortcuts as shortcuts
from .header import flash_bytes, header_text, write_header

__all__ = ["flash_bytes", "header_text", "write_header"]
