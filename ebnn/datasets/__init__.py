"""Data sets as plain NumPy arrays: digits, mnist and its kin, cifar10, and one's own.

::

    from ebnn import datasets

    digits = datasets.load("digits")                       # bundled with scikit-learn, needs no network
    mnist = datasets.load("mnist", folder="data")          # data/mnist/train-images-idx3-ubyte.gz, ...
    mine = datasets.load("gestures")                       # a folder or file of one's own: see ebnn.datasets.formats
    arrays = datasets.Dataset.from_arrays(x, y)            # arrays, labels of any form
    some = datasets.load("bits-mnist", reading=datasets.Reading(classes=("0", "1"), fraction=0.01))
    x = datasets.convert(mnist.test_images, mnist.kind, "float")

Files come from the folder given, else from the folder that ``EBNN_DATA`` names, else from the user's cache, where they
are downloaded and verified. A folder that is given and lacks a file is an error; nothing is downloaded in its place.
"""

from ebnn.cache import cache_folder
from ebnn.datasets.conversion import convert
from ebnn.datasets.dataset import Dataset
from ebnn.datasets.download import Progress
from ebnn.datasets.read_options import Reading, Span
from ebnn.datasets.recordings import Recording, Recordings
from ebnn.datasets.registry import Info, Location, has_files, info, info_of, load, locate, names

__all__ = [
    "Dataset",
    "Info",
    "Location",
    "Progress",
    "Reading",
    "Recording",
    "Recordings",
    "Span",
    "cache_folder",
    "convert",
    "has_files",
    "info",
    "info_of",
    "load",
    "locate",
    "names",
]
