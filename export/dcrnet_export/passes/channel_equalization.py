"""One scale for a whole dense block: each channel scaled for itself, x' = (x - c) / r.

The features that a dense block concatenates are read only through clamps and unpadded 1x1
convolutions (and affine maps), so each channel's offset ``c`` and unit ``r`` are free: they fold
into the convolution that produces it and into those that read it. With ``c`` and ``r`` from the
channel's own range every channel spans the same 0..255. One quantization (scale 1, zero point 0)
then serves the block, concatenation copies, nothing is requantized, and each channel has all 256
codes.

What is added in float to a skip connection is free likewise: the sum alone reads it. One range
for the whole map would leave most of its channels a few codes.
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
    Shape,
)
from dcrnet_export.passes.arithmetic import integer_values

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
    """Give every channel whose readers allow it an offset and a unit of its own.

    Args:
        graph: with ranges, from :func:`dcrnet_export.ir.lowering.lower`.
        snap: round the clamps' limits to whole codes. The reader's bias then uses the rounded
            limit, so that a channel that is off stays exactly off. Without it the result is the
            same function on all inputs that stay within the ranges.
        symmetric: let the channels span -128..127, so that their zero point is that of int8.
            A ReLU in front of them is then left to the codes, which saturate where it cuts.

    Returns:
        the graph with ranges of the scaled values; what has no range keeps its own.
    """
    bottom = _SYMMETRIC_BOTTOM if symmetric else 0.0
    needed = needed_ranges(graph)
    integer = integer_values(graph)
    free = _free_values(graph, integer)
    scalings: dict[str, ChannelScaling] = {}
    nodes: list[Node] = []
    ranges = dict(graph.ranges)
    for node in graph.nodes:
        if node.name not in integer:
            node = _restored(node, scalings, nodes)
        here = [scalings.get(name) for name in node.inputs]
        if node.name in free and isinstance(node.op, Conv):
            chosen = _choose(needed[node.name], bottom)
            conv = replace(node.op, relu=node.op.relu and not symmetric, ceiling=np.inf)
            nodes.append(_produce(node, _absorb(conv, here[0]), chosen))
            scalings[node.name] = chosen
        else:
            nodes.append(_translate(node, here, scalings, bottom, snap))
        if node.name in scalings:
            channels = len(scalings[node.name].unit)
            ranges[node.name] = np.array([[bottom] * channels, [bottom + LEVELS] * channels])
    return Graph(tuple(nodes), ranges)


def _restored(node: Node, scalings: Mapping[str, ChannelScaling], nodes: list[Node]) -> Node:
    """A node that computes in float, reading what is scaled as ``offset + unit * x'``.

    A convolution can absorb that; anything else reads it from an affine map, appended to
    ``nodes`` when it is first needed.
    """
    if isinstance(node.op, Conv | Affine):
        return node
    inputs = []
    for name in node.inputs:
        if name not in scalings:
            inputs.append(name)
            continue
        given, restored = scalings[name], f"{name}.restored"
        if all(each.name != restored for each in nodes):
            nodes.append(Node(restored, Affine(given.unit, given.offset), (name,)))
        inputs.append(restored)
    return Node(node.name, node.op, tuple(inputs))


def _translate(
    node: Node,
    inputs: list[ChannelScaling | None],
    scalings: dict[str, ChannelScaling],
    bottom: float,
    snap: bool,
) -> Node:
    """The node in terms of its scaled inputs; notes how its value is scaled."""
    match node.op, inputs:
        case Conv() as conv, [ChannelScaling() as given]:
            return Node(node.name, _absorb(conv, given), node.inputs)
        case Affine() as affine, [ChannelScaling() as given]:
            scale, shift = affine.scale * given.unit, affine.scale * given.offset + affine.shift
            return Node(node.name, Affine(scale, shift, affine.relu), node.inputs)
        case Clamp() as clamp, [ChannelScaling() as given]:
            clamp, scalings[node.name] = _clamp(clamp, given, bottom, snap)
            return Node(node.name, clamp, node.inputs)
        case Concat(), [ChannelScaling(), *_]:
            joined = [scalings[name] for name in node.inputs]  # of all, if of one
            scalings[node.name] = ChannelScaling(
                np.concatenate([given.offset for given in joined]),
                np.concatenate([given.unit for given in joined]),
            )
        case ((MaxPool() | AvgPool()), [ChannelScaling() as given]):
            scalings[node.name] = given
    return node


def _absorb(conv: Conv, given: ChannelScaling | None) -> Conv:
    """The convolution reading x': ``W (c + r x') + w``."""
    return conv if given is None else fold_before(Affine(given.unit, given.offset), conv)


def _produce(node: Node, conv: Conv, chosen: ChannelScaling) -> Node:
    """The convolution giving x', ``(W x + w - c) / r``.

    A ReLU stays at 0, though it now cuts at ``x = c``: behind a ReLU c is not negative, and
    nothing below c is told apart by any reader. A ceiling goes: the highest code is not above it.
    """
    live = chosen.unit > 0
    scale = np.where(live, 1.0 / np.where(live, chosen.unit, 1.0), 0.0)
    moved = fold_behind(conv, Affine(scale, -chosen.offset * scale))
    return Node(node.name, moved, node.inputs)


def _clamp(
    clamp: Clamp, given: ChannelScaling, bottom: float, snap: bool
) -> tuple[Clamp, ChannelScaling]:
    """A clamp in x', and how the value behind it is scaled.

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
        between = rising & falling  # neither limit can be read exactly without the other's loss
        offset[between] = given.offset[between]
    low[constant], high[constant] = -np.inf, np.inf
    return Clamp(low, high), ChannelScaling(offset, unit)


def _choose(limits: Array, bottom: float) -> ChannelScaling:
    """The scaling in which a (2, C) range has that bottom and 255 above it; an empty or tiny
    one is constant."""
    low, high = limits
    width = high - low
    live = width > _TINY * np.maximum(np.abs(low) + np.abs(high), _TINY)
    middle = np.where(np.isfinite(low + high), (low + high) / 2, 0.0)
    unit = np.where(live, width / LEVELS, 0.0)
    return ChannelScaling(np.where(live, low - bottom * unit, middle), unit)


def _free_values(graph: Graph, integer: set[str]) -> set[str]:
    """Values of convolutions read only through clamps and affine maps, at once or behind a
    concatenation or a max-pool, or by sums that are float; and those values behind them.

    A concatenation is free with all that it joins, or not at all.
    """
    readers = graph.readers()
    free = {node.name for node in graph.nodes if node.name in integer}
    while True:
        kept = {
            node.name
            for node in graph.nodes
            if node.name in free
            and _gives_freely(node, free)
            and readers[node.name]
            and all(_reads_freely(each, free, readers, integer) for each in readers[node.name])
        }
        if kept == free:
            return free
        free = kept


def _gives_freely(node: Node, free: set[str]) -> bool:
    match node.op:
        case Conv():
            return True
        case Concat() | MaxPool():
            return free.issuperset(node.inputs)
        case _:
            return False


def _reads_freely(
    reader: Node, free: set[str], readers: Mapping[str, list[Node]], integer: set[str]
) -> bool:
    match reader.op:
        case Clamp():
            return all(_absorbs(each, readers, integer) for each in readers[reader.name])
        case Affine():
            return True
        case Add():
            return reader.name not in integer
        case Concat() | MaxPool():
            return reader.name in free
        case _:
            return False


def _absorbs(reader: Node, readers: Mapping[str, list[Node]], integer: set[str]) -> bool:
    """Whether what reads a clamp can take in an offset and a unit of each channel."""
    match reader.op:
        case Conv() as conv:
            return not conv.is_padded
        case AvgPool():
            return all(_absorbs(each, readers, integer) for each in readers[reader.name])
        case Affine():
            return True
        case _:
            return reader.name not in integer


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
        wanted = [_wanted(reader, node.name, shapes, needed) for reader in readers[node.name]]
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


def _wanted(
    reader: Node, name: str, shapes: Mapping[str, Shape], needed: Mapping[str, Array]
) -> Array:
    channels = shapes[name].channels
    match reader.op:
        case Clamp():
            return np.array([reader.op.low, reader.op.high])
        case Concat() if reader.name in needed:
            start = _start(reader, name, shapes)
            return needed[reader.name][:, start : start + channels]
        case MaxPool() if reader.name in needed:
            return needed[reader.name]
        case _:
            return np.array([[-np.inf] * channels, [np.inf] * channels])


def _start(concat: Node, name: str, shapes: Mapping[str, Shape]) -> int:
    """The channel at which a value begins in a concatenation."""
    before = concat.inputs[: concat.inputs.index(name)]
    return sum(shapes[each].channels for each in before)
