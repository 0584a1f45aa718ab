"""A network's calls as operations of the intermediate graph."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from dcrnet_export.ir.functions import (
    Applied,
    Meaning,
    Padded,
    UnsupportedError,
    check_shape,
    meaning_of,
)
from dcrnet_export.ir.graph import Add, Conv, Op
from dcrnet_export.ir.tracing import Call, Trace, Value
from dcrnet_runtime.errors import DcrnetError


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
        name: where it does not follow from the rest.
    """

    number: int
    op: Op
    inputs: tuple[int, ...]
    scope: str
    givers: tuple[str, ...]
    side: int
    name: str = ""


def steps_of(traced: Trace) -> list[Step]:
    """The calls that compute something, the output's last.

    Those that the output does not need are left out.

    Raises:
        DcrnetError: the network computes what an exported file cannot.
    """
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
