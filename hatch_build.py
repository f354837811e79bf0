"""Build hook: installs the ``.pth`` that makes Chainer import beside the package, in wheels and editable installs."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ChainerCompatHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        key = "force_include_editable" if version == "editable" else "force_include"
        build_data[key]["ebnn/frontends/chainer/compat.pth"] = "ebnn_chainer_compat.pth"
