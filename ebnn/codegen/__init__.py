"""Network → C: one header that holds the weights and calls the runtime of ``firmware/lib/ebnn``."""

from .header import flash_bytes, header_text, write_header

__all__ = ["flash_bytes", "header_text", "write_header"]
