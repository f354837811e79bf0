"""Torch7's binary format, written byte by byte, and its modules computed in float64; nothing of ebnn is used."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np


class Writer:
    """What ``torch.save`` does: numbers, strings, booleans, tables, objects, float tensors."""

    def __init__(self) -> None:
        self.data = b""
        self.index = 0

    def begin(self, kind: int) -> None:
        self.index += 1
        self.data += struct.pack("<ii", kind, self.index)

    def string(self, text: str) -> None:
        self.data += struct.pack("<i", len(text)) + text.encode()

    def write(self, value: Any) -> None:
        if value is None:
            self.data += struct.pack("<i", 0)
        elif isinstance(value, bool):
            self.data += struct.pack("<ii", 5, value)
        elif isinstance(value, int | float):
            self.data += struct.pack("<id", 1, value)
        elif isinstance(value, str):
            self.data += struct.pack("<i", 2)
            self.string(value)
        elif isinstance(value, np.ndarray):
            self.tensor(value)
        elif isinstance(value, list):
            self.write({i + 1: each for i, each in enumerate(value)})
        elif isinstance(value, tuple):
            name, fields = value
            self.begin(4)
            self.string("V 1")
            self.string(name)
            self.write(fields)
        else:
            self.begin(3)
            self.data += struct.pack("<i", len(value))
            for key, each in value.items():
                self.write(key)
                self.write(each)

    def tensor(self, array: np.ndarray) -> None:
        values = np.ascontiguousarray(array, np.float32)
        self.begin(4)
        self.string("V 1")
        self.string("torch.FloatTensor")
        strides = [step // 4 for step in values.strides]
        self.data += struct.pack(f"<i{2 * values.ndim}q", values.ndim, *values.shape, *strides)
        self.data += struct.pack("<q", 1)
        self.begin(4)
        self.string("V 1")
        self.string("torch.FloatStorage")
        self.data += struct.pack("<q", values.size) + values.tobytes()


def saved(value: Any) -> bytes:
    writer = Writer()
    writer.write(value)
    return writer.data


def sequential(*modules: Any) -> tuple[str, dict[str, Any]]:
    return "nn.Sequential", {"modules": list(modules), "train": False}


def conv(weights: np.ndarray, bias: np.ndarray | None, stride=(1, 1), pad=(0, 0), kind="nn.SpatialConvolution") -> Any:
    outputs, inputs, height, width = weights.shape
    fields = {"nInputPlane": inputs, "nOutputPlane": outputs, "kH": height, "kW": width, "weight": weights}
    steps = {"dH": stride[0], "dW": stride[1], "padH": pad[0], "padW": pad[1]}
    return kind, fields | steps | ({} if bias is None else {"bias": bias})


def linear(weights: np.ndarray, bias: np.ndarray) -> Any:
    return "nn.Linear", {"weight": weights, "bias": bias}


def norm(rng: np.random.Generator, channels: int, gamma=None, spatial=True) -> Any:
    fields = {
        "weight": rng.normal(0, 1, channels).astype(np.float32)
        if gamma is None
        else np.full(channels, gamma, np.float32),
        "bias": rng.normal(0, 0.5, channels).astype(np.float32),
        "running_mean": rng.normal(0, 1, channels).astype(np.float32),
        "running_var": rng.uniform(0.5, 4, channels).astype(np.float32),
        "eps": 1e-4,
    }
    return "nn.SpatialBatchNormalization" if spatial else "nn.BatchNormalization", fields


def max_pool(size: int, step: int, ceil: bool = False) -> Any:
    sides = {"kH": size, "kW": size, "dH": step, "dW": step, "padH": 0, "padW": 0}
    return "nn.SpatialMaxPooling", sides | {"ceil_mode": ceil}


def mean_pool(size: int) -> Any:
    return "nn.SpatialAveragePooling", {"kH": size, "kW": size, "dH": 1, "dW": 1}


SIGN = ("BinActiveZ", {})
RELU = ("nn.ReLU", {"inplace": True})


def windows(x: np.ndarray, size, step) -> np.ndarray:
    view = np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))
    return view[:, :, :: step[0], :: step[1]]


def compute(module: Any, x: np.ndarray, binary: bool = True) -> np.ndarray:
    """What a module gives for ``x``; convolutions with the signs of their weights times the mean magnitude."""
    name, fields = module
    name = name.removeprefix("nn.").removeprefix("cudnn.")
    if name == "Sequential":
        for each in fields["modules"]:
            x = compute(each, x, binary)
        return x
    if name in ("SpatialConvolution", "Linear"):
        w = fields["weight"].astype(np.float64)
        if binary:
            flat = w.reshape(len(w), -1)
            scale = np.abs(flat).mean(axis=1).reshape(-1, *[1] * (w.ndim - 1))
            w = np.where(w >= 0, 1.0, -1.0) * scale
        bias = fields.get("bias", np.zeros(len(w))).astype(np.float64)
        if name == "Linear":
            return x.reshape(len(x), -1) @ w.T + bias
        pad = [(0, 0), (0, 0), (fields["padH"],) * 2, (fields["padW"],) * 2]
        patches = windows(np.pad(x, pad), w.shape[2:], (fields["dH"], fields["dW"]))
        return np.einsum("ncyxhw,ochw->noyx", patches, w) + bias[:, None, None]
    if "BatchNormalization" in name:
        mean, var, gamma, beta = (
            fields[key].astype(np.float64) for key in ("running_mean", "running_var", "weight", "bias")
        )
        if x.ndim == 4:
            mean, var, gamma, beta = (each[:, None, None] for each in (mean, var, gamma, beta))
        return (x - mean) / np.sqrt(var + fields["eps"]) * gamma + beta
    if name == "ReLU":
        return np.maximum(x, 0)
    if name == "BinActiveZ":
        return np.where(x >= 0, 1.0, -1.0)
    if name == "SpatialMaxPooling":
        return windows(x, (fields["kH"], fields["kW"]), (fields["dH"], fields["dW"])).max(axis=(4, 5))
    if name == "SpatialAveragePooling":
        return windows(x, (fields["kH"], fields["kW"]), (1, 1)).mean(axis=(4, 5))
    assert name in ("View", "Dropout", "SoftMax", "LogSoftMax")
    return x
