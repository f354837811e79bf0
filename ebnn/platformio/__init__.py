"""The firmware on boards, by PlatformIO: build it, write it to a board, and do both without PlatformIO's registry."""

from .build import build_firmware
from .offline import PLATFORMS, prepare_offline
from .process import TooBigError
from .project import Project, bundled_project, open_project
from .template import write_project
from .upload import upload

__all__ = [
    "PLATFORMS",
    "Project",
    "TooBigError",
    "build_firmware",
    "bundled_project",
    "open_project",
    "prepare_offline",
    "upload",
    "write_project",
]
