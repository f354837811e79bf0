"""The public surface, pinned: what is renamed or lost here breaks other people's programs."""

import inspect

import ebnn
from ebnn import errors


def test_the_public_names():
    assert ebnn.__all__ == ["EbnnError", "Network", "__version__", "fit", "load", "lower", "stream", "write_header"]
    for name in ebnn.__all__:
        assert getattr(ebnn, name) is not None
    assert not hasattr(ebnn, "no_such_name")


def test_the_public_functions_take_what_they_took():
    """Names and order of arguments."""
    assert list(inspect.signature(ebnn.load).parameters) == ["path"]
    assert list(inspect.signature(ebnn.lower).parameters) == ["chain", "shape", "input_kind"]
    assert list(inspect.signature(ebnn.fit).parameters) == ["data", "labels", "out", "progress", "settings"]
    assert list(inspect.signature(ebnn.stream).parameters) == ["network", "port", "samples", "labels", "options"]
    parameters = inspect.signature(ebnn.write_header).parameters
    choices = ["arithmetic", "optimize", "self_test", "board", "probabilities"]
    assert list(parameters) == ["network", "path", "name", *choices]
    assert [parameters[name].kind for name in ("name", "arithmetic")] == [inspect.Parameter.KEYWORD_ONLY] * 2
    assert parameters["arithmetic"].default == "integer"


def test_lower_is_the_function():
    """Its module is called lowering: a submodule named lower would take the function's place when imported."""
    from ebnn.frontends.chainer import lowering

    assert ebnn.lower is lowering.lower
    assert callable(ebnn.lower)


def test_what_scripts_for_ebnn_import():
    """The links under their known names, and the functions that are theirs."""
    import ebnn.functions
    import ebnn.links

    assert {*ebnn.links.__all__} == {
        *("BST", "BatchNormalization", "BinaryConvolution2D", "BinaryLinear", "FloatConvolution2D", "Pool2D"),
        *("BinaryConvBNBST", "BinaryConvPoolBNBST", "BinaryLinearBNBST", "BinaryLinearBNSoftmax"),
        *("BinaryLinearSoftmax", "ConvBNBST", "ConvPoolBNBST", "LinearBNBST", "FloatBlock", "SoftmaxCrossEntropy"),
        *("CChainMixin", "CLink", "size_blocks"),
        *("QuantActivation", "QuantIdentity", "QuantReLU", "AveragePool2D", "AveragePoolBlock", "DeviceBlock"),
        *("QuantLayer", "QuantConvolution2D", "QuantDepthwiseConvolution2D", "QuantLinear", "QuantBlock"),
        *("QuantConvBlock", "QuantDepthwiseBlock", "QuantLinearBlock", "QuantLinearSoftmax"),
    }
    assert {*ebnn.functions.__all__} == {
        *("Estimator", "estimator", "estimator_names", "estimators", "get_estimator", "exact_settings", "parallel"),
        *("binary_convolution_2d", "binary_linear", "convolution_2d", "max_pooling_2d", "sign", "stochastic_sign"),
        *("average_pooling_2d", "sum_pooling_2d", "depthwise_convolution_2d", "binarize_weights"),
        *("integer_weights", "quantize", "quantize_weights", "weight_steps"),
    }
    for module in (ebnn.links, ebnn.functions):
        for name in module.__all__:
            assert getattr(module, name) is not None


def test_what_a_network_offers():
    public = {name for name in dir(ebnn.Network) if not name.startswith("_")}
    assert public >= {
        *("predict", "scores", "pack_input", "check_samples", "save", "hash", "hash32", "classes"),
        *("weight_bytes", "threshold_bytes", "score_bytes", "arena_bytes", "macs"),
    }
    for name in ("predict", "scores", "pack_input"):
        assert list(inspect.signature(getattr(ebnn.Network, name)).parameters) == ["self", "x"]


def test_every_error_is_an_ebnn_error():
    """One except clause catches them all; input errors are ValueErrors, too."""
    raised = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert raised == {
        *("EbnnError", "NetworkError", "InputError", "FileFormatError", "LoweringError", "TrainingError"),
        *("DatasetError", "BuildError", "DeviceError", "PortError", "NoAnswerError", "RefusedError"),
        *("WrongNetworkError", "WriteError", "MissingDependencyError", "UnknownNameError"),
    }
    for name in raised:
        assert issubclass(getattr(errors, name), ebnn.EbnnError)
    for name in ("NetworkError", "InputError", "LoweringError"):
        assert issubclass(getattr(errors, name), ValueError)
    for name in ("PortError", "NoAnswerError", "RefusedError", "WrongNetworkError"):
        assert issubclass(getattr(errors, name), errors.DeviceError)


def test_the_version_is_a_version():
    """Digits and dots: the Arduino library's file takes nothing else."""
    assert [part.isdigit() for part in ebnn.__version__.split(".")] == [True] * 3
