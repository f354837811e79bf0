"""Every exception of ebnn survives what other processes do with it: pickling and copying."""

import copy
import importlib
import pickle
import pkgutil

import numpy as np
import pytest

import ebnn
from ebnn.errors import EbnnError
from ebnn.report import RunReport
from ebnn.streaming import InterruptedRunError

REPORT = RunReport("uno", "net", "0" * 64, np.arange(2), np.arange(2), 10, 3, 0, 0, np.arange(2), {})


def error_classes():
    for module in pkgutil.walk_packages(ebnn.__path__, "ebnn."):
        if module.name.split(".")[-1] != "__main__" and "offline-core" not in module.name:
            importlib.import_module(module.name)
    found, new = set(), {EbnnError}
    while new:
        found |= new
        new = {child for parent in new for child in parent.__subclasses__()} - found
    return sorted(found, key=lambda kind: kind.__qualname__)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_keeps_its_kind_its_message_and_what_it_holds(again):
    classes = error_classes()
    assert len(classes) > 15
    for kind in classes:
        error = kind("a message", REPORT) if kind is InterruptedRunError else kind("a message")
        other = again(error)
        assert (type(other), str(other), vars(other).keys()) == (kind, "a message", vars(error).keys())
        if kind is InterruptedRunError:
            assert other.report.values() == REPORT.values()
