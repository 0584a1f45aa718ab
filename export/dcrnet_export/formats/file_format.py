"""What the exporter knows of a file format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dcrnet_export.ir.graph import Graph
from dcrnet_export.passes.quantization import QuantizedGraph, WeightLimit
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.precision import Precision

FloatEmitter = Callable[[Graph, int | None], bytes]
"""A graph, and faces a run (None for any number), to the file's bytes without a card."""

IntegerEmitter = Callable[[QuantizedGraph, int | None], bytes]
"""The same of a quantized graph."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One entry of :mod:`dcrnet_export.formats.registry`.

    Attributes:
        name: as the command line and file endings have it, and as the runtime knows it.
        float_emitters: by precision, of what needs no activation ranges.
        integer_emitters: by precision, of what does.
        with_card: what an emitter gave, describing itself.
        card_text: the card in a file's bytes, None where there is none; raises ValueError where
            they are no such file.
        structure_problem: what is wrong with a file's structure by the card that it carries, or
            None.
        has_free_batch: whether a file can leave the number of faces a run to its reader.
        weight_limit: the largest absolute weight code; None as the target's plan says.
    """

    name: str
    float_emitters: Mapping[Precision, FloatEmitter] = field(repr=False)
    integer_emitters: Mapping[Precision, IntegerEmitter] = field(repr=False)
    with_card: Callable[[bytes, ModelCard], bytes]
    card_text: Callable[[bytes], str | None]
    structure_problem: Callable[[bytes, ModelCard], str | None]
    has_free_batch: bool = False
    weight_limit: WeightLimit | None = None

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """What it can be written in, as :class:`Precision` orders them."""
        able = {*self.float_emitters, *self.integer_emitters}
        return tuple(precision for precision in Precision if precision in able)


def interface_problem(
    found: Sequence[tuple[str, int, list[int]]], wanted: Sequence[tuple[str, int, list[int]]]
) -> str | None:
    """What is wrong with a file's input and output, each (name, element type, shape), or None."""
    if list(found) == list(wanted):
        return None
    return f"has the interface {found} instead of {wanted} (name, element type, shape)"
