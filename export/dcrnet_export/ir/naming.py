"""Names of values, after the modules that compute them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain, count

from dcrnet_export.ir.graph import Add, Axis, Concat, Conv, Gate, Reduce, Sigmoid
from dcrnet_export.ir.transcription import Step
from dcrnet_runtime.backends.model import INPUT_NAME, OUTPUT_NAME


def names_of(steps: Sequence[Step]) -> dict[int, str]:
    """A name for each value by its number; the codes, number 0, have one as well."""
    uses = Counter(step.scope for step in steps if isinstance(step.op, Conv))
    made = {step.number: step for step in steps}
    names = {0: f"{INPUT_NAME}.codes"}
    taken = {INPUT_NAME, OUTPUT_NAME, *names.values()}
    for step in steps:
        if isinstance(step.op, Conv) and uses[step.scope] > 1 and step.scope in step.givers:
            name = f"{names[step.inputs[0]]}.hidden"  # of a layer with several inputs
        else:
            name = step.name or _name(step, made.get(step.inputs[-1]))
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


def common_prefix(names: Sequence[str]) -> str:
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
