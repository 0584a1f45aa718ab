"""The intermediate graph: what is left of the network once everything foldable is folded.

Values are maps of (channels, side, side), batch 1, without a memory layout: the ONNX emitters
write them as NCHW, the TFLite emitters as NHWC. A vector is a map of side 1, a dense layer a 1x1
convolution on it. A value bears the name of the node that computes it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Padding = tuple[int, int]
"""Zeros before and behind each side of a map: above and left, below and right."""

RELU6 = 6.0
"""The ceiling of a ReLU6."""


@dataclass(frozen=True, slots=True)
class Input:
    """The uint8 codes (1, S, S, 3) minus 128, as a map of 3 channels in -128..127."""

    side: int


@dataclass(frozen=True, slots=True, eq=False)
class Conv:
    """A zero-padded convolution with bias.

    Attributes:
        weight: (out, in / groups, k, k).
        bias: (out,).
        relu: whether negative results become 0.
        ceiling: what higher results become, :data:`RELU6` or infinite; with ``relu`` alone.
        groups: the first of so many equal parts of the outputs reads the first of the inputs,
            and so on.
    """

    weight: Array
    bias: Array
    stride: int = 1
    padding: Padding = (0, 0)
    relu: bool = False
    ceiling: float = np.inf
    groups: int = 1

    @property
    def is_depthwise(self) -> bool:
        """Whether each output reads one input."""
        return self.groups > 1 and self.weight.shape[1] == 1

    @property
    def is_padded(self) -> bool:
        """Whether it reads zeros around the map."""
        return self.padding != (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """``scale * x + shift`` channel by channel, both (C,), then ReLU if asked for."""

    scale: Array
    shift: Array
    relu: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Clamp:
    """``min(max(x, low), high)`` channel by channel, both (C,); infinite where there is none."""

    low: Array
    high: Array


@dataclass(frozen=True, slots=True)
class Concat:
    """Maps of one side, channel behind channel."""


@dataclass(frozen=True, slots=True)
class MaxPool:
    """Padded with the lowest value on all sides; a last row that fills no window is dropped."""

    kernel: int
    stride: int
    padding: int = 0


@dataclass(frozen=True, slots=True)
class AvgPool:
    """Unpadded means; a last row or column that fills no window is dropped."""

    kernel: int = 2
    stride: int = 2


@dataclass(frozen=True, slots=True)
class Add:
    """The sum of two maps of one shape."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A map times a (C, 1, 1) or (1, S, S) gate."""


class Reduction(StrEnum):
    """How :class:`Reduce` combines values."""

    MEAN = "mean"
    MAX = "max"


class Axis(StrEnum):
    """What :class:`Reduce` reduces to 1."""

    SPACE = "space"
    CHANNELS = "channels"


@dataclass(frozen=True, slots=True)
class Reduce:
    """A mean or maximum over space, (C, 1, 1), or over channels, (1, S, S)."""

    reduction: Reduction
    axis: Axis


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """The logistic function."""


@dataclass(frozen=True, slots=True)
class Softmax:
    """Logits (L, 1, 1) to probabilities, which leave the graph as (1, L)."""


@dataclass(frozen=True, slots=True)
class Features:
    """A vector (C, 1, 1) that leaves the graph as (1, C), beside the probabilities."""


Op = (
    Input
    | Conv
    | Affine
    | Clamp
    | Concat
    | MaxPool
    | AvgPool
    | Add
    | Gate
    | Reduce
    | Sigmoid
    | Softmax
    | Features
)


@dataclass(frozen=True, slots=True)
class Node:
    """One operation; ``name`` is also its value's."""

    name: str
    op: Op
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """(channels, side, side) of a value."""

    channels: int
    side: int


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in evaluation order; the first is the input, the last gives the probabilities.

    Attributes:
        ranges: value -> (2, channels) lowest and highest, where calibration knows them.
    """

    nodes: tuple[Node, ...]
    ranges: dict[str, Array] = field(default_factory=dict)

    @property
    def outputs(self) -> list[str]:
        """The probabilities' name, and behind it that of the features where they leave it too."""
        features = [node.name for node in self.nodes if isinstance(node.op, Features)]
        return [self.nodes[-1].name, *features]

    @property
    def feature_count(self) -> int:
        """How many values the second output has; 0 where there is none."""
        shapes = self.shapes()
        return sum(shapes[n.name].channels for n in self.nodes if isinstance(n.op, Features))

    def by_name(self) -> dict[str, Node]:
        """The nodes by name."""
        return {node.name: node for node in self.nodes}

    def readers(self) -> dict[str, list[Node]]:
        """The nodes that read each value, in evaluation order."""
        readers: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            for name in node.inputs:
                readers[name].append(node)
        return readers

    def non_negative(self) -> set[str]:
        """Values that have passed a ReLU, and what pools and concatenations make of them."""
        found: set[str] = set()
        for node in self.nodes:
            match node.op:
                case Conv(relu=True) | Affine(relu=True) | Sigmoid() | Softmax():
                    found.add(node.name)
                case Clamp(low=low) if (low >= 0).all():
                    found.add(node.name)
                case MaxPool() | AvgPool() | Concat() if found.issuperset(node.inputs):
                    found.add(node.name)
        return found

    def shapes(self) -> dict[str, Shape]:
        """The shape of each value."""
        shapes: dict[str, Shape] = {}
        for node in self.nodes:
            shapes[node.name] = _shape(node.op, [shapes[name] for name in node.inputs])
        return shapes


def _shape(op: Op, inputs: list[Shape]) -> Shape:
    match op:
        case Input():
            return Shape(3, op.side)
        case Conv():
            outputs, _, kernel, _ = op.weight.shape
            side = (inputs[0].side + sum(op.padding) - kernel) // op.stride + 1
            return Shape(outputs, side)
        case MaxPool():
            side = (inputs[0].side + 2 * op.padding - op.kernel) // op.stride + 1
            return Shape(inputs[0].channels, side)
        case AvgPool():
            side = (inputs[0].side - op.kernel) // op.stride + 1
            return Shape(inputs[0].channels, side)
        case Concat():
            return Shape(sum(shape.channels for shape in inputs), inputs[0].side)
        case Reduce(axis=Axis.SPACE):
            return Shape(inputs[0].channels, 1)
        case Reduce(axis=Axis.CHANNELS):
            return Shape(1, inputs[0].side)
        case _:
            return inputs[0]
