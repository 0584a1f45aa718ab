"""A torch network as an intermediate graph, everything foldable folded.

Any network of convolutions, batch norms, ReLU, ReLU6 and clamps, sums, concatenations, pools,
dense layers and sigmoid gates is taken, however its modules are cut.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any, cast

import numpy as np
from torch import Tensor, nn

from dcrnet_edge.models.network import ZERO_CODE
from dcrnet_export.ir.functions import (
    Applied,
    Meaning,
    Padded,
    UnsupportedError,
    check_shape,
    meaning_of,
    to_array,
)
from dcrnet_export.ir.graph import (
    Add,
    Affine,
    Array,
    AvgPool,
    Axis,
    Concat,
    Conv,
    Gate,
    Graph,
    Input,
    MaxPool,
    Node,
    Op,
    Reduce,
    Sigmoid,
    Softmax,
)
from dcrnet_export.ir.simplification import derived_range, simplified
from dcrnet_export.ir.tracing import Call, Trace, Value, trace
from dcrnet_runtime.backends.model import INPUT_NAME, OUTPUT_NAME
from dcrnet_runtime.errors import DcrnetError


def lower(network: nn.Module, size_px: int, ranges: Mapping[str, Tensor] | None = None) -> Graph:
    """The network's function at one size, exact but for float rounding.

    Args:
        network: (N, 3, S, S) uint8 codes to logits, in eval mode.
        size_px: side of the input.
        ranges: what :func:`dcrnet_edge.models.activation_ranges.activation_ranges` saw at that
            size; the graph's ranges are derived from it. Without it the graph has none.

    Raises:
        DcrnetError: the network computes what an exported file cannot.
    """
    return arranged(simplified(transcribed(network, size_px, ranges)))


def transcribed(
    network: nn.Module, size_px: int, ranges: Mapping[str, Tensor] | None = None
) -> Graph:
    """The network call by call, nothing folded; the arguments are those of :func:`lower`."""
    traced = trace(network, size_px)
    steps = merge_shared_layers(_steps(traced))
    names = _names(steps)
    nodes = [
        Node(INPUT_NAME, Input(size_px)),
        Node(names[0], Affine(np.ones(3), np.full(3, float(ZERO_CODE))), (INPUT_NAME,)),
        *(Node(names[s.number], s.op, tuple(names[each] for each in s.inputs)) for s in steps),
        Node(OUTPUT_NAME, Softmax(), (names[steps[-1].number],)),
    ]
    if not ranges:
        return Graph(tuple(nodes))
    seen = {
        names[step.number]: to_array(ranges[path])
        for step in steps
        for path in reversed(step.givers)
        if path in ranges
    }
    return Graph(tuple(nodes), _ranges(nodes, seen))


def arranged(graph: Graph) -> Graph:
    """Nodes in the order of their distance from the input, with short names."""
    depth: dict[str, int] = {}
    for node in graph.nodes:
        depth[node.name] = 1 + max((depth[name] for name in node.inputs), default=0)
    nodes = sorted(graph.nodes, key=lambda node: depth[node.name])
    prefix = _common_prefix([*depth])
    short = {name: name.removeprefix(prefix) for name in depth}
    renamed = [Node(short[n.name], n.op, tuple(short[each] for each in n.inputs)) for n in nodes]
    return Graph(tuple(renamed), {short[name]: each for name, each in graph.ranges.items()})


def _common_prefix(names: Sequence[str]) -> str:
    """The longest path that more than half of the names begin with: a file repeats it often.

    It stays where two names would become one.
    """
    prefix = ""
    while True:
        inside = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
        parts = Counter(part for part, dot, _ in (name.partition(".") for name in inside) if dot)
        part, count = parts.most_common(1)[0] if parts else ("", 0)
        longer = f"{prefix}{part}."
        if 2 * count <= len(names) or len({n.removeprefix(longer) for n in names}) < len(names):
            return prefix
        prefix = longer


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """An operation before it has a name.

    Attributes:
        number: of the value that it gives.
        op: what it computes.
        inputs: numbers of the values that it reads; the codes are 0.
        scope: path of the module that computes it.
        givers: paths of the modules that return it, the innermost first.
        side: of its map.
    """

    number: int
    op: Op
    inputs: tuple[int, ...]
    scope: str
    givers: tuple[str, ...]
    side: int


def _steps(traced: Trace) -> list[Step]:
    """The calls that compute something; those that the output does not need are left out."""
    known: dict[int, Value | Padded] = {0: Value(0, ())}
    givers: dict[int, list[str]] = defaultdict(list)
    steps: list[Step] = []
    for call in traced.calls:
        result, meaning = call.result, _meaning(call, known)
        match meaning:
            case Applied(op, inputs):
                side = result.shape[-1] if len(result.shape) == 4 else 1
                numbers = tuple(each.number for each in inputs)
                steps.append(Step(result.number, op, numbers, call.scope, (), side))
                meaning = result
            case Value(number):
                meaning = Value(number, result.shape)
        known[result.number] = meaning
        if isinstance(meaning, Value):
            givers[meaning.number] += traced.givers.get(result.number, ())
    output = known[traced.output.number]
    if not isinstance(output, Value):
        raise _unsupported("", "it ends in zero-padding")
    needed = {output.number}
    for step in reversed(steps):
        if step.number in needed:
            needed.update(step.inputs)
    kept = [replace(s, givers=tuple(givers[s.number])) for s in steps if s.number in needed]
    return sorted(kept, key=lambda step: step.number == output.number)


def _meaning(call: Call, known: Mapping[int, Value | Padded]) -> Meaning:
    def resolved(given: Any) -> Any:
        match given:
            case Value(number):
                own = known[number]
                return own if isinstance(own, Padded) else Value(own.number, given.shape)
            case tuple():
                return tuple(map(resolved, given))
            case _:
                return given

    args = tuple(map(resolved, call.args))
    kwargs = {name: resolved(each) for name, each in call.kwargs.items()}
    try:
        meaning = meaning_of(call.function, args, kwargs)
        if isinstance(meaning, Value):
            check_shape(call.function, meaning, call.result)
    except UnsupportedError as error:
        raise _unsupported(call.scope, str(error)) from error
    return meaning


def _unsupported(scope: str, why: str) -> DcrnetError:
    return DcrnetError(
        f"{scope or 'the network'} cannot be exported: {why}; build it of convolutions, batch"
        " norms, ReLU, ReLU6, clamps, sums, concatenations, pools, dense layers and sigmoid gates"
    )


def merge_shared_layers(steps: Sequence[Step]) -> list[Step]:
    """Sums of one layer's results become that layer's result on a sum, as in CBAM's shared MLP.

    ``(V h + v) + (V k + v) = V (h + k) + 2 v``: the layer runs once.
    """
    made = {step.number: step for step in steps}
    reads = Counter(number for step in steps for number in step.inputs)
    merged: list[Step] = []
    for step in steps:
        halves = [made[number] for number in step.inputs if number in made]
        if not (isinstance(step.op, Add) and len(halves) == 2 and _share_a_layer(halves, reads)):
            merged.append(step)
            continue
        first, second = halves
        merged = [each for each in merged if each not in (first, second)]
        inputs = first.inputs + second.inputs
        module = first.scope.rpartition(".")[0]
        merged.append(Step(first.number, Add(), inputs, module, (), first.side))
        conv = cast(Conv, first.op)
        layer = replace(conv, bias=2 * conv.bias)
        giver = (first.scope, *step.givers)
        merged.append(
            replace(first, number=step.number, op=layer, inputs=(first.number,), givers=giver)
        )
    return merged


def _share_a_layer(halves: Sequence[Step], reads: Mapping[int, int]) -> bool:
    first, second = halves
    return (
        isinstance(first.op, Conv)
        and isinstance(second.op, Conv)
        and first.scope == second.scope in first.givers
        and all(reads[half.number] == 1 and len(half.inputs) == 1 for half in halves)
        and first.number != second.number
    )


def _names(steps: Sequence[Step]) -> dict[int, str]:
    """A name for each value, after the module that computes it; the codes have one as well."""
    uses = Counter(step.scope for step in steps if isinstance(step.op, Conv))
    made = {step.number: step for step in steps}
    names = {0: f"{INPUT_NAME}.codes"}
    taken = {INPUT_NAME, OUTPUT_NAME, *names.values()}
    for step in steps:
        if isinstance(step.op, Conv) and uses[step.scope] > 1 and step.scope in step.givers:
            name = f"{names[step.inputs[0]]}.hidden"  # of a layer with several inputs
        else:
            name = _name(step, made.get(step.inputs[-1]))
        numbered = chain([name], (f"{name}.{number}" for number in count(2)))
        names[step.number] = next(each for each in numbered if each not in taken)
        taken.add(names[step.number])
    return names


def _name(step: Step, last_input: Step | None) -> str:
    scope = step.scope
    own = scope if scope in step.givers else None
    inside = f"{scope}." if scope else ""
    match step.op:
        case Concat():
            parts = (
                [path for path in last_input.givers if path.rpartition(".")[0] == scope]
                if last_input
                else []
            )
            return f"{parts[0]}.concat" if parts else f"{inside}maps"
        case Reduce(reduction, Axis.SPACE):
            return f"{inside}{reduction}" if scope else "pooled"
        case Reduce(reduction, Axis.CHANNELS):
            return f"{inside}{reduction}_map"
        case Sigmoid():
            return f"{inside}gate" if step.side == 1 else f"{inside}spatial_gate"
        case Gate():
            return own or f"{inside}gated"
        case Add():
            return own or f"{inside}sum"
        case _:
            return own or f"{inside}{type(step.op).__name__.lower()}"


def _ranges(nodes: Sequence[Node], seen: Mapping[str, Array]) -> dict[str, Array]:
    """The range of each value, where calibration saw it or it follows from others.

    A convolution without a range at its input keeps none: that part of the graph stays float.
    """
    ranges: dict[str, Array] = {}
    ops = {node.name: node.op for node in nodes}
    for node in nodes:
        limits: Array | None
        known = [ranges.get(name) for name in node.inputs]
        match node.op:
            case Input():
                limits = np.array([[0.0 - ZERO_CODE] * 3, [255.0 - ZERO_CODE] * 3])
            case Conv() if known[0] is None:
                continue
            case Conv() | Add() | Gate() | MaxPool() if node.name in seen:
                limits = seen[node.name]
            case AvgPool() if node.name in seen and known[0] is not None:
                limits = seen[node.name]
            case Gate() if isinstance(ops[node.inputs[1]], Sigmoid):
                limits = _gated(known[0])
            case _:
                limits = derived_range(node.op, known)
        if limits is not None:
            ranges[node.name] = limits
    return ranges


def _gated(limits: Array | None) -> Array | None:
    """A (2, C) range times a gate of 0..1."""
    if limits is None:
        return None
    return np.stack([np.minimum(limits[0], 0.0), np.maximum(limits[1], 0.0)])
