"""The 8x8 handwritten digits bundled with scikit-learn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ebnn.datasets.dataset import Dataset
from ebnn.errors import DatasetError
from ebnn.extras import import_extra

CLASS_NAMES = tuple("0123456789")
TRAIN, TEST = 1347, 450
SEED = 0


def split(labels: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the indices of the training and of the test samples, each in rising order.

    The samples are shuffled with a fixed seed and ordered by class; every fourth is a test sample. So each class has a
    quarter of its samples in the test part, to within one. ``RandomState`` is used because NumPy promises that its
    stream never changes.
    """
    order = np.random.RandomState(SEED).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    is_test = np.zeros(len(labels), bool)
    is_test[order[::4]] = True
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def load_digits() -> Dataset:
    """Return the digits: 1,347 training and 450 test images, (1, 8, 8), of values 0 .. 16, always the same split.

    The same writers are in both parts. Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits,
    UCI Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49.

    Raises MissingDependencyError where scikit-learn is not installed, DatasetError where it bundles other data.
    """
    bundle = import_extra("sklearn.datasets", "the data set digits").load_digits()
    images, labels = np.asarray(bundle.images), np.asarray(bundle.target)
    if images.shape != (TRAIN + TEST, 8, 8) or images.min() != 0 or images.max() != 16:
        raise DatasetError(
            f"scikit-learn's digits have shape {images.shape} and values {images.min():g} to {images.max():g}, "
            f"expected are {(TRAIN + TEST, 8, 8)} and 0 to 16: install a released scikit-learn"
        )
    images = images.astype(np.uint8).reshape(-1, 1, 8, 8)
    labels = labels.astype(np.int32)
    train, test = split(labels)
    return Dataset("digits", images[train], labels[train], images[test], labels[test], "uint8", CLASS_NAMES)
