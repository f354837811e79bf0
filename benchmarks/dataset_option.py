"""Options that several of these programs share."""

from __future__ import annotations

from typing import Any

import click

from ebnn import datasets
from ebnn.errors import EbnnError


class DatasetName(click.ParamType):
    """A data set: its name, or a file of the user's own."""

    name = "dataset"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            datasets.info(value)
        except EbnnError as error:
            self.fail(str(error), param, ctx)
        return value
