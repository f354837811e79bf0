"""The firmware on boards, by PlatformIO: build it, write it to a board, and do both without PlatformIO's registry."""

from .availability import check_upload
from .build import build_firmware
from .offline import PLATFORMS, prepare_offline
from .project import Project, bundled_project, find_project, open_project
from .running import TooBigError, interrupted_by_signals
from .sketch_files import Sketch, is_sketch
from .template import write_project
from .upload import InterruptedUploadError, upload

__all__ = [
    "PLATFORMS",
    "InterruptedUploadError",
    "Project",
    "Sketch",
    "TooBigError",
    "build_firmware",
    "bundled_project",
    "check_upload",
    "find_project",
    "interrupted_by_signals",
    "is_sketch",
    "open_project",
    "prepare_offline",
    "upload",
    "write_project",
]
