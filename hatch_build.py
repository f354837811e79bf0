"""Build hook: installs ``chainer_compat.pth`` beside the package, in wheels and in editable installs alike."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ChainerCompatHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        key = "force_include_editable" if version == "editable" else "force_include"
        build_data[key]["ebnn/chainer_compat.pth"] = "ebnn_chainer_compat.pth"
