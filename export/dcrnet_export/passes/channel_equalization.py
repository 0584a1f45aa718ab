"""One scale for a whole dense block: per-channel coordinates x' = (x - c) / r.

The features that a dense block concatenates are read only through clamps and unpadded 1x1
convolutions (and norm5's affine map), so each channel's offset ``c`` and unit ``r`` are free:
they fold into the convolution that produces it and into those that read it. With ``c`` and ``r``
from the channel's own range every channel spans the same 0..255. One quantization (scale 1, zero
point 0) then serves the block, concatenation copies, nothing is requantized, and each channel
has all 256 codes.

What a residual block adds to its skip connection is free likewise: the sum alone reads it, in
float. One range for the whole map would leave most of its channels a few codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from dcrnet_export.ir.folding import fold_before, fold_behind
from dcrnet_export.ir.graph import (
    Add,
    Affine,
    Array,
    AvgPool,
    Clamp,
    Concat,
    Conv,
    Graph,
    MaxPool,
    Node,
)

_TINY = 1e-6
LEVELS = 255.0
"""The width of the range that each channel gets; its bottom is 0, or -128 if symmetric."""

_SYMMETRIC_BOTTOM = -128.0


@dataclass(frozen=True, slots=True, eq=False)
class ChannelScaling:
    """``x = offset + unit * x'`` per channel, both (C,); unit 0 marks a constant channel."""

    offset: Array
    unit: Array

    def of(self, x: Array) -> Array:
        """x', where x is (C,); 0 in a constant channel."""
        unit = np.where(self.unit > 0, self.unit, 1.0)
        return np.where(self.unit > 0, (x - self.offset) / unit, 0.0)


def equalize_channels(graph: Graph, *, snap: bool = True, symmetric: bool = False) -> Graph:
    """Give every channel of the dense blocks its own coordinates.

    Args:
        graph: with ranges, from :func:`dcrnet_export.ir.lowering.rewrite`.
        snap: round the clamps' limits to whole codes. The reader's bias then uses the rounded
            limit, so that a channel that is off stays exactly off. Without it the result is the
            same function on all inputs that stay within the ranges.
        symmetric: let the channels span -128..127, so that their zero point is that of int8.
            A ReLU in front of them is then left to the codes, which saturate where it cuts.

    Returns:
        the graph with ranges in the new coordinates; what has no range keeps its own.
    """
    bottom = _SYMMETRIC_BOTTOM if symmetric else 0.0
    needed = needed_ranges(graph)
    free = _free_values(graph)
    coordinates: dict[str, ChannelScaling] = {}
    nodes: list[Node] = []
    ranges = dict(graph.ranges)
    for node in graph.nodes:
        if node.name not in ranges or isinstance(node.op, Add):
            node = _restored(node, coordinates, nodes)
        here = [coordinates.get(name) for name in node.inputs]
        if node.name in free and isinstance(node.op, Conv):
            chosen = _choose(needed[node.name], bottom)
            conv = replace(node.op, relu=node.op.relu and not symmetric)
            nodes.append(_produce(node, _absorb(conv, here[0]), chosen))
            coordinates[node.name] = chosen
        else:
            nodes.append(_translate(node, here, coordinates, bottom, snap))
        if node.name in coordinates:
            channels = len(coordinates[node.name].unit)
            ranges[node.name] = np.array([[bottom] * channels, [bottom + LEVELS] * channels])
    return Graph(tuple(nodes), ranges)


def _restored(node: Node, coordinates: Mapping[str, ChannelScaling], nodes: list[Node]) -> Node:
    """A node that computes in float, reading what has coordinates as ``offset + unit * x'``.

    A convolution can absorb that; anything else reads it from an affine map, appended to
    ``nodes`` when it is first needed.
    """
    if isinstance(node.op, Conv | Affine):
        return node
    inputs = []
    for name in node.inputs:
        if name not in coordinates:
            inputs.append(name)
            continue
        given, restored = coordinates[name], f"{name}.restored"
        if all(each.name != restored for each in nodes):
            nodes.append(Node(restored, Affine(given.unit, given.offset), (name,)))
        inputs.append(restored)
    return Node(node.name, node.op, tuple(inputs))


def _translate(
    node: Node,
    inputs: list[ChannelScaling | None],
    coordinates: dict[str, ChannelScaling],
    bottom: float,
    snap: bool,
) -> Node:
    """The node in its inputs' coordinates; notes those of its value."""
    match node.op, inputs:
        case Conv() as conv, [ChannelScaling() as given]:
            return Node(node.name, _absorb(conv, given), node.inputs)
        case Affine() as affine, [ChannelScaling() as given]:
            scale, shift = affine.scale * given.unit, affine.scale * given.offset + affine.shift
            return Node(node.name, Affine(scale, shift, affine.relu), node.inputs)
        case Clamp() as clamp, [ChannelScaling() as given]:
            clamp, coordinates[node.name] = _clamp(clamp, given, bottom, snap)
            return Node(node.name, clamp, node.inputs)
        case Concat(), [ChannelScaling(), ChannelScaling()]:
            given_all = [coordinates[name] for name in node.inputs]
            coordinates[node.name] = ChannelScaling(
                np.concatenate([given.offset for given in given_all]),
                np.concatenate([given.unit for given in given_all]),
            )
        case ((MaxPool() | AvgPool()), [ChannelScaling() as given]):
            coordinates[node.name] = given
    return node


def _absorb(conv: Conv, given: ChannelScaling | None) -> Conv:
    """The convolution reading x': ``W (c + r x') + w``."""
    return conv if given is None else fold_before(Affine(given.unit, given.offset), conv)


def _produce(node: Node, conv: Conv, chosen: ChannelScaling) -> Node:
    """The convolution giving x', ``(W x + w - c) / r``.

    A ReLU stays at 0, though it now cuts at ``x = c``: behind a ReLU c is not negative, and
    nothing below c is told apart by any reader.
    """
    live = chosen.unit > 0
    scale = np.where(live, 1.0 / np.where(live, chosen.unit, 1.0), 0.0)
    moved = fold_behind(conv, Affine(scale, -chosen.offset * scale))
    return Node(node.name, moved, node.inputs)


def _clamp(
    clamp: Clamp, given: ChannelScaling, bottom: float, snap: bool
) -> tuple[Clamp, ChannelScaling]:
    """A clamp in x', and the coordinates behind it.

    * Limits outside the codes never act on codes and are left as they are.
    * A channel that is always off (max above the range, min below it) and one that is constant
      anyway have unit 0 behind it: readers take the constant into their bias, and no code
      saturates to stand for it.
    * With ``snap`` a limit t' is rounded to t'', and ``x = t + r (x' - t'')``: what is clamped
      reads as t exactly.
    """
    low, high = given.of(clamp.low), given.of(clamp.high)
    top = bottom + LEVELS
    constant = (given.unit == 0) | (low >= top) | (high <= bottom)
    rising, falling = ~constant & (low > bottom), ~constant & (high < top)
    offset, unit = given.offset.copy(), np.where(constant, 0.0, given.unit)
    always_off = np.where(low >= top, clamp.low, clamp.high)
    fixed = np.where(given.unit == 0, np.clip(offset, clamp.low, clamp.high), always_off)
    offset[constant] = fixed[constant]
    if snap:
        for acts, limit, real in ((rising, low, clamp.low), (falling, high, clamp.high)):
            limit[acts] = np.round(limit[acts])
            offset[acts] = real[acts] - given.unit[acts] * limit[acts]
    low[constant], high[constant] = -np.inf, np.inf
    return Clamp(low, high), ChannelScaling(offset, unit)


def _choose(limits: Array, bottom: float) -> ChannelScaling:
    """ChannelScaling in which a (2, C) range has that bottom and 255 above it; an empty or tiny
    one is constant."""
    low, high = limits
    width = high - low
    live = width > _TINY * np.maximum(np.abs(low) + np.abs(high), _TINY)
    middle = np.where(np.isfinite(low + high), (low + high) / 2, 0.0)
    unit = np.where(live, width / LEVELS, 0.0)
    return ChannelScaling(np.where(live, low - bottom * unit, middle), unit)


def _free_values(graph: Graph) -> set[str]:
    """Values read only through clamps, at once or behind a concatenation or a max-pool, or by
    sums, which are float."""
    readers = graph.readers()
    free: set[str] = set()
    for node in reversed(graph.nodes):
        read_by = readers[node.name]
        if read_by and all(_reads_freely(reader, free) for reader in read_by):
            free.add(node.name)
    return free & graph.ranges.keys()


def _reads_freely(reader: Node, free: set[str]) -> bool:
    match reader.op:
        case Clamp() | Affine() | Add():
            return True
        case Concat() | MaxPool():
            return reader.name in free
        case _:
            return False


def needed_ranges(graph: Graph) -> Mapping[str, Array]:
    """Each value's (2, C) range, cut to what its readers tell apart.

    What lies below every reader's ``max`` (or above every reader's ``min``) may saturate.
    """
    shapes = graph.shapes()
    needed: dict[str, Array] = {}
    readers = graph.readers()
    for node in reversed(graph.nodes):
        if node.name not in graph.ranges:
            continue
        wanted = [
            _wanted(reader, node.name, shapes[node.name].channels, needed)
            for reader in readers[node.name]
        ]
        limits = graph.ranges[node.name]
        if wanted:
            hull = np.array(
                [
                    np.min([low for low, _ in wanted], axis=0),
                    np.max([high for _, high in wanted], axis=0),
                ]
            )
            limits = np.clip(hull, *limits)
        needed[node.name] = limits
    return needed


def _wanted(reader: Node, name: str, channels: int, needed: Mapping[str, Array]) -> Array:
    match reader.op:
        case Clamp():
            return np.array([reader.op.low, reader.op.high])
        case Concat() if reader.name in needed:
            start = 0 if reader.inputs[0] == name else needed[reader.name].shape[1] - channels
            return needed[reader.name][:, start : start + channels]
        case MaxPool() if reader.name in needed:
            return needed[reader.name]
        case _:
            return np.array([[-np.inf] * channels, [np.inf] * channels])
