"""A front end that needs NumPy alone: random hidden layers, and a last one that is trained by the perceptron's rule."""

import time
from dataclasses import dataclass

import numpy as np

from ebnn.errors import TrainingError
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Block, Dense
from ebnn.model.network import Network
from ebnn.model.transforms import Scores, Sign
from ebnn.training.architectures import DenseSpec, read_architecture
from ebnn.training.front_ends import FrontEnd
from ebnn.training.labelled_samples import as_pair, as_samples
from ebnn.training.progress import told
from ebnn.training.records import EpochRecord, append_log, start_log
from ebnn.training.results import Evaluation, TrainResult


@dataclass
class Model:
    """Hidden layers and float weights, of which the network takes the signs; one bit set is worth one more score."""

    source: Input
    hidden: list
    weights: np.ndarray

    def network(self):
        blocks = []
        source = self.source
        for bits in self.hidden:
            block = Block(Dense(bits), None, Sign(np.zeros(len(bits), np.int32), np.zeros(len(bits), bool)))
            blocks.append(block.at(len(blocks), source))
            source = blocks[-1].output
        classes = len(self.weights)
        shape = (classes, source.shape.height, source.shape.width, source.shape.channels)
        scores = Scores(np.ones(classes, np.int16), np.zeros(classes, np.int32), 1.0)
        return Network(self.source, [*blocks, Block(Dense((self.weights >= 0).reshape(shape)), None, scores)])

    def features(self, images):
        network = self.network()
        values = images.transpose(0, 2, 3, 1)
        kind = self.source.values
        for layer in network.layers[:-1]:
            flat = values.reshape(len(values), -1)
            flat = np.where(flat, 1, -1) if kind.packed else flat.astype(np.int64)
            signs = np.where(layer.linear.weights.reshape(layer.outputs, -1), 1, -1)
            values, kind = (flat @ signs.T >= 0)[:, None, None, :], layer.output.values
        flat = values.reshape(len(values), -1)
        return np.where(flat, 1, -1) if kind.packed else flat.astype(np.int64)


class PerceptronFrontEnd(FrontEnd):
    """Trains the output layer."""

    title = "the perceptron"

    def check(self):
        """NumPy is always there."""

    def build(self, architecture, shape, classes, kind, seed):
        rng = np.random.default_rng(seed)
        source = layer = Input(kind, Shape(*shape))
        hidden = []
        for spec in read_architecture(architecture):
            if not isinstance(spec, DenseSpec):
                raise TrainingError(f"architecture {architecture!r}: the perceptron has dense layers only")
            at = layer.shape
            hidden.append(rng.integers(0, 2, (spec.outputs, at.height, at.width, at.channels)).astype(bool))
            layer = Input("bits", Shape(spec.outputs, 1, 1))
        return Model(source, hidden, rng.normal(size=(classes, int(np.prod(layer.shape)))))

    def train(self, model, train_set, test_set, config, out, *, kind, teacher=None, resume=False, progress):
        training = as_samples("training", *as_pair("training", train_set), kind)
        test = as_samples("test", *as_pair("test", test_set), kind)
        x, y = model.features(training.images), training.labels
        records = []
        start_log(out, records)
        with told(progress, config.epochs, 1, 0):
            for epoch in range(1, config.epochs + 1):
                begin = time.monotonic()
                chosen = np.argmax(x @ np.where(model.weights >= 0, 1, -1).T, axis=1)
                wrong = chosen != y
                step = config.learning_rate / len(x)
                for weights, sign, classes in ((model.weights, 1, y), (model.weights, -1, chosen)):
                    np.add.at(weights, classes[wrong], sign * step * x[wrong])
                progress.batch_done(float(wrong.mean()))
                right = float((self.predict(model, test) == test.labels).mean())
                seconds = time.monotonic() - begin
                rate = config.learning_rate
                records.append(
                    EpochRecord(epoch, float(wrong.mean()), 1 - float(wrong.mean()), rate, seconds, 0.0, right)
                )
                append_log(out, records[-1])
                progress.epoch_done(records[-1])
        return TrainResult(tuple(records), Evaluation(0.0, records[-1].test_accuracy), None)

    def predict(self, model, samples):
        return np.argmax(model.features(samples.images) @ np.where(model.weights >= 0, 1, -1).T, axis=1)

    def lower(self, model, shape, kind):
        return model.network()


FRONT_END = PerceptronFrontEnd()
