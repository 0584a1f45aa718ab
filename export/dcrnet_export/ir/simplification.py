"""Graph to graph: everything foldable folded, exact but for float rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from dcrnet_export.ir.folding import clamp_norm, compose, fold_before, fold_behind
from dcrnet_export.ir.graph import (
    RELU6,
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
    Op,
)


def simplified(graph: Graph, *, clamp: bool = True) -> Graph:
    """All passes, in the order in which they open ways for each other.

    Args:
        clamp: whether BN and ReLU before convolutions become clamps.
    """
    graph = absorb_norms(compose_affines(graph), clamp=clamp)
    return fold_activations(fold_norms_behind(pool_first(graph)))


def derived_range(op: Op, inputs: Sequence[Array | None]) -> Array | None:
    """The (2, C) range behind an operation that maps or moves channels one by one.

    Args:
        inputs: the ranges of what it reads; None where there is none.
    """
    known = [each for each in inputs if each is not None]
    if not known or len(known) < len(inputs):
        return None
    match op:
        case Clamp():
            return np.clip(known[0], op.low, op.high)
        case Affine():
            limits = mapped_range(op, known[0])
            return np.maximum(limits, 0.0) if op.relu else limits
        case Concat():
            return np.concatenate(known, axis=1)
        case MaxPool() | AvgPool():
            return known[0]
        case Add():
            return known[0] + known[1]
        case _:
            return None


def mapped_range(affine: Affine, limits: Array) -> Array:
    """A (2, C) range through ``a x + b``; a negative ``a`` swaps its ends."""
    return np.sort(affine.scale * limits + affine.shift, axis=0)


class _Draft:
    """A graph under change: nodes are taken out, and their readers read others.

    Attributes:
        nodes: by name, in evaluation order.
        ranges: by name.
        readers: value -> names of the nodes that read it.
    """

    def __init__(self, graph: Graph) -> None:
        self.nodes = graph.by_name()
        self.ranges = dict(graph.ranges)
        self.readers = {
            name: [each.name for each in readers] for name, readers in graph.readers().items()
        }

    def source(self, node: Node) -> Node:
        """What gives a node's first input."""
        return self.nodes[node.inputs[0]]

    def has_one_reader(self, name: str) -> bool:
        """Whether a value is read once."""
        return len(self.readers[name]) == 1

    def change(self, name: str, op: Op) -> None:
        """Let a node compute something else."""
        self.nodes[name] = replace(self.nodes[name], op=op)

    def drop(self, name: str) -> None:
        """Take a node out; its readers read its input, whose range stays."""
        [given] = self.nodes.pop(name).inputs
        self.ranges.pop(name, None)
        moved = self.readers.pop(name)
        for reader in moved:
            inputs = self.nodes[reader].inputs
            renamed = tuple(given if each == name else each for each in inputs)
            self.nodes[reader] = replace(self.nodes[reader], inputs=renamed)
        self.readers[given] = [each for each in self.readers[given] if each != name] + moved

    def merge(self, name: str, op: Op) -> None:
        """Let a node's input compute ``op``, what both did; it gets the node's range."""
        [given] = self.nodes[name].inputs
        limits = self.ranges.get(name)
        self.drop(name)
        self.change(given, op)
        self.ranges.pop(given, None)
        if limits is not None:
            self.ranges[given] = limits

    def graph(self) -> Graph:
        """What has come of it."""
        return Graph(tuple(self.nodes.values()), self.ranges)


def compose_affines(graph: Graph) -> Graph:
    """Affine maps behind one another become one, and the identity none."""
    draft = _Draft(graph)
    for name in graph.by_name():
        node = draft.nodes[name]
        if not isinstance(node.op, Affine):
            continue
        source = draft.source(node)
        if isinstance(source.op, Affine) and draft.has_one_reader(source.name):
            draft.change(name, compose(source.op, node.op))
            draft.drop(source.name)
        op = draft.nodes[name].op
        if isinstance(op, Affine) and (op.scale == 1.0).all() and (op.shift == 0.0).all():
            draft.drop(name)
    return draft.graph()


def absorb_norms(graph: Graph, *, clamp: bool = True) -> Graph:
    """Batch norms that stand before convolutions go into them.

    Of BN and ReLU before unpadded convolutions a clamp is left: see
    :func:`dcrnet_export.ir.folding.clamp_norm`. BN that stands behind a convolution is for
    :func:`fold_norms_behind`.

    Args:
        clamp: whether BN and ReLU become clamps; else they stay.
    """
    draft = _Draft(graph)
    for name in graph.by_name():
        node = draft.nodes.get(name)
        if node is None or not isinstance(node.op, Affine) or _is_behind_a_conv(draft, node):
            continue
        readers = [draft.nodes[reader] for reader in draft.readers[name]]
        if len(readers) == 1 and is_relu(readers[0].op):
            if clamp and _can_absorb(draft, readers[0].name, node.op):
                _become_clamp(draft, name, node.op)
        elif _can_absorb(draft, name, node.op):
            for reader in readers:
                draft.change(reader.name, fold_before(node.op, cast(Conv, reader.op)))
            draft.drop(name)
    return draft.graph()


def _become_clamp(draft: _Draft, name: str, norm: Affine) -> None:
    clamped = clamp_norm(norm)
    [relu] = draft.readers[name]
    draft.drop(relu)
    draft.change(name, clamped.clamp)
    given = draft.ranges.get(draft.nodes[name].inputs[0])
    draft.ranges.pop(name, None)
    if given is not None:
        draft.ranges[name] = np.clip(given, clamped.clamp.low, clamped.clamp.high)
    for reader in draft.readers[name]:
        conv = cast(Conv, draft.nodes[reader].op)
        draft.change(reader, fold_before(clamped.affine, conv))


def _is_behind_a_conv(draft: _Draft, node: Node) -> bool:
    source = draft.source(node)
    return isinstance(source.op, Conv) and draft.has_one_reader(source.name)


def _can_absorb(draft: _Draft, name: str, affine: Affine) -> bool:
    """Whether all readers of a value are convolutions that an affine map goes into."""
    ops = [draft.nodes[reader].op for reader in draft.readers[name]]
    is_shifted = bool(affine.shift.any())
    return bool(ops) and all(
        isinstance(op, Conv) and not (op.is_padded and is_shifted) for op in ops
    )


def pool_first(graph: Graph) -> Graph:
    """Averages move before 1x1 convolutions: ``mean(W x + w) = W mean(x) + w``.

    Of 2x2 cells a quarter of the multiplications is left.
    """
    readers, nodes = graph.readers(), graph.by_name()
    pools = {
        node.inputs[0]: node
        for node in graph.nodes
        if isinstance(node.op, AvgPool)
        and _is_pointwise(nodes[node.inputs[0]].op)
        and len(readers[node.inputs[0]]) == 1
    }
    conv_of = {pool.name: conv for conv, pool in pools.items()}
    ranges = {name: each for name, each in graph.ranges.items() if name not in conv_of}
    ordered: list[Node] = []
    for node in graph.nodes:
        inputs = tuple(conv_of.get(name, name) for name in node.inputs)
        if node.name in pools:
            pool = pools[node.name]
            name = f"{node.name.rpartition('.')[0]}.pool"
            name = pool.name if name in nodes else name
            ordered += [Node(name, pool.op, inputs), Node(node.name, node.op, (name,))]
            for value, source in ((name, inputs[0]), (node.name, pool.name)):
                ranges.pop(value, None)
                if source in graph.ranges:
                    ranges[value] = ranges.get(source, graph.ranges[source])
        elif node.name not in conv_of:
            ordered.append(replace(node, inputs=inputs))
    return Graph(tuple(ordered), ranges)


def _is_pointwise(op: Op) -> bool:
    if not isinstance(op, Conv):
        return False
    return op.weight.shape[2] == op.stride == 1 and not (op.is_padded or op.relu)


def fold_norms_behind(graph: Graph) -> Graph:
    """Affine maps behind convolutions go into them, if nothing else reads the convolution."""
    draft = _Draft(graph)
    for node in graph.nodes:
        match node.op:
            case Affine(relu=False) as affine:
                source = draft.source(draft.nodes[node.name])
                is_free = isinstance(source.op, Conv) and not source.op.relu
                if is_free and draft.has_one_reader(source.name):
                    draft.merge(node.name, fold_behind(cast(Conv, source.op), affine))
    return draft.graph()


def fold_activations(graph: Graph) -> Graph:
    """ReLU, and ReLU6 behind convolutions, become part of what they stand behind."""
    draft = _Draft(graph)
    for node in graph.nodes:
        ceiling = relu_ceiling(node.op)
        if ceiling is None:
            continue
        source = draft.source(draft.nodes[node.name])
        if not draft.has_one_reader(source.name):
            continue
        match source.op:
            case Conv(relu=False) as conv if ceiling in (RELU6, np.inf):
                draft.merge(node.name, replace(conv, relu=True, ceiling=ceiling))
            case Affine(relu=False) as affine if np.isinf(ceiling):
                draft.merge(node.name, replace(affine, relu=True))
    return draft.graph()


def relu_ceiling(op: Op) -> float | None:
    """The upper limit of a clamp whose lower one is 0 in every channel; None for all else."""
    if not isinstance(op, Clamp) or (op.low != 0.0).any() or (op.high != op.high[0]).any():
        return None
    return float(op.high[0])


def is_relu(op: Op) -> bool:
    """Whether an operation is a ReLU."""
    ceiling = relu_ceiling(op)
    return ceiling is not None and np.isinf(ceiling)
