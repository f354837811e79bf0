"""What a model card says of the data that a network was trained on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DataSource:
    """Where data come from, and what a network that was trained on them does not know.

    Attributes:
        title: of the data.
        reads: what a network learns to read from them.
        classes: what the class numbers mean.
        image: what an image looks like.
        origin: who made the data, and where they are published.
        licence: of the data.
        unfit: what a network that was trained on them is not good for, a phrase each.
    """

    title: str
    reads: str
    classes: str
    image: str
    origin: str
    licence: str
    unfit: tuple[str, ...]


_MNIST = DataSource(
    title="MNIST",
    reads="single handwritten digits",
    classes="class k is the digit k",
    image="One digit in bright strokes on black, scaled into 20×20 pixels, its centre of mass in the middle of 28×28",
    origin="Y. LeCun, C. Cortes and C. J. C. Burges, http://yann.lecun.com/exdb/mnist/, from NIST's Special Databases "
    "1 and 3: forms that staff of the US Census Bureau and high-school students filled in",
    licence="Copyright Y. LeCun and C. Cortes; Creative Commons Attribution-Share Alike 3.0, as Keras' documentation "
    "(https://keras.io/api/datasets/mnist/) states it",
    unfit=(
        "dark strokes on a bright ground: invert the image first",
        "digits that are not centred, much larger or smaller than 20×20 pixels, or turned: cut out, scale and centre "
        "them as MNIST does",
        "images that are not 28×28: they are refused",
        "several digits in an image, letters, and images without a digit: every image gets a class, and the score does "
        "not say that it is none",
        "other writers, pens and cameras than MNIST's: expect more errors than here, and count them on samples "
        "of your own",
        "anything where a wrong digit does harm",
    ),
)

SOURCES = {
    "mnist": _MNIST,
    "binary-mnist": _MNIST,
    "fashion-mnist": DataSource(
        title="Fashion-MNIST",
        reads="ten kinds of clothes off pictures",
        classes="in order: T-shirt/top, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot",
        image="One piece of clothing, bright on black, that fills 28×28 pixels from side to side or from top to bottom",
        origin="H. Xiao, K. Rasul and R. Vollgraf, arXiv 1708.07747: pictures of Zalando's shop, made small and grey",
        licence="MIT, Copyright Zalando SE",
        unfit=(
            "photographs as a camera takes them: cut one piece out, make its ground black, scale it to fill the image",
            "dark clothes on a bright ground: invert the image first",
            "shirts beside T-shirts, pullovers and coats: most of its errors are among these",
            "images that are not 28×28: they are refused",
            "anything else than these clothes: every image gets one of the ten classes",
            "anything where a wrong class does harm",
        ),
    ),
    "digits": DataSource(
        title="Optical Recognition of Handwritten Digits",
        reads="single handwritten digits",
        classes="class k is the digit k",
        image="One digit that fills 8×8 pixels, each from 0 to 16",
        origin="E. Alpaydin and C. Kaynak, https://archive.ics.uci.edu/dataset/80, as scikit-learn brings it along",
        licence="Creative Commons Attribution 4.0",
        unfit=(
            "dark strokes on a bright ground, and digits that do not fill the image",
            "images that are not 8×8: they are refused",
            "anything where a wrong digit does harm",
        ),
    ),
    "cifar10": DataSource(
        title="CIFAR-10",
        reads="one of ten kinds of objects in a photograph",
        classes="in order: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck",
        image="A colour photograph of 32×32 pixels that the object fills",
        origin="A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html",
        licence="none is stated",
        unfit=(
            "other objects: every image gets one of the ten classes",
            "images that are not 32×32: they are refused",
            "anything where a wrong class does harm",
        ),
    ),
}
"""By the name of the data set."""
