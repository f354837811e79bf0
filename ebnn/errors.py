"""The exceptions that ebnn raises, all under one root.

::

    EbnnError
    ├── UnknownNameError     no board, data set, recipe, network, architecture, … has that name
    ├── NetworkError         a network that cannot exist, or is too big for its target
    ├── InputError           samples of the wrong shape, type or range
    ├── FileFormatError      a file that is truncated, tampered with or foreign
    ├── WriteError           a file that cannot be written
    ├── LoweringError        a Chainer chain that has no exact Network
    ├── TrainingError        training that cannot start or go on
    ├── DatasetError         data that is missing, partial or corrupt
    ├── BuildError           no compiler, or one that failed
    ├── MissingDependencyError  a package that an extra of ebnn installs is absent, or does not work
    └── DeviceError          the board or the way to it
        ├── PortError        the port cannot be opened, or went away
        ├── NoAnswerError    the board is silent
        ├── RefusedError     the board answered with a reason why not
        └── WrongNetworkError  the board runs another network

A message names the thing, the value, the limit and the way out. The command line prints it and exits with 1.
"""


class EbnnError(Exception):
    """The root of all errors of ebnn."""


class UnknownNameError(EbnnError, ValueError):
    """Nothing of the kind that was asked for has that name. The message has near names, and all names there are."""


class NetworkError(EbnnError, ValueError):
    """A network that cannot exist, or is too big for its target."""


class InputError(EbnnError, ValueError):
    """Samples of the wrong shape, type or range."""


class FileFormatError(EbnnError):
    """A file that is truncated, tampered with or foreign."""


class WriteError(EbnnError):
    """A file that cannot be written."""


class LoweringError(EbnnError, ValueError):
    """A Chainer chain that has no exact Network."""


class TrainingError(EbnnError):
    """Training that cannot start or go on."""


class DatasetError(EbnnError):
    """Data that is missing, partial or corrupt."""


class BuildError(EbnnError):
    """No compiler, or one that failed."""


class MissingDependencyError(EbnnError, ImportError):
    """A package that an extra of ebnn installs is absent, or does not work here."""


class DeviceError(EbnnError):
    """The board or the way to it."""


class PortError(DeviceError):
    """The port cannot be opened, or went away."""


class NoAnswerError(DeviceError):
    """The board is silent."""


class RefusedError(DeviceError):
    """The board answered with a reason why not."""


class WrongNetworkError(DeviceError):
    """The board runs another network than the one asked for."""
