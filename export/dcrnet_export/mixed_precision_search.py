"""Accuracy control: the layers that cost an int8 artifact its tolerance, kept in float."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from dcrnet_export.artifacts.kind import (
    ArtifactKind,
    build_content,
    exact_graph,
    integer_graph,
)
from dcrnet_export.checks.examination import loaded
from dcrnet_export.checks.parity import measure
from dcrnet_export.checks.references import References
from dcrnet_export.ir.graph import Graph
from dcrnet_export.passes.mixed_precision import keep_in_float
from dcrnet_export.passes.sensitivity import LayerError, layer_errors
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.timing import interleaved_ns, medians_ms

MOST_LAYERS = 6
_CANDIDATES = 3
_PROBES = 4
_RUNS = 15


@dataclass(frozen=True, slots=True)
class MixedPrecision:
    """Layers kept in float.

    Attributes:
        layers: with what each loses in int8, in the order in which they were chosen.
        plain_ms: median time of a face with every layer in int8.
        mixed_ms: the same with these layers in float; measured in turns.
    """

    layers: tuple[LayerError, ...]
    plain_ms: float
    mixed_ms: float

    def describe(self) -> str:
        """One line for people."""
        layers = ", ".join(f"{each.layer} (noise {each.noise:.0%})" for each in self.layers)
        return f"kept in float: {layers}; {self.plain_ms:.2f} -> {self.mixed_ms:.2f} ms a face"


def mixed_precision_trials(
    graph: Graph, kind: ArtifactKind, card: ModelCard, references: References
) -> Iterator[tuple[MixedPrecision, Graph]]:
    """Ever more layers in float, each the one that brings the probabilities nearest to torch's.

    The candidates are the layers that lose most by themselves; each is tried in a whole file.

    Args:
        graph: with ranges.
        kind: an int8 one.
        card: of the artifact.
        references: the faces to compare on.

    Yields:
        the layers so far, and the graph that keeps them.
    """
    faces = references.faces.crops
    probes = faces[:: max(1, len(faces) // _PROBES)][:_PROBES]
    kept: list[LayerError] = []
    plain, mixed = _built(kind, graph, card), graph
    while len(kept) < MOST_LAYERS:
        errors = layer_errors(exact_graph(kind, mixed), integer_graph(kind, mixed), probes)
        names = [each.layer for each in kept]
        trials = []
        for error in errors[:_CANDIDATES]:
            tried = keep_in_float(graph, [*names, error.layer])
            model = _built(kind, tried, card)
            distance = measure(model, faces, references.expected).mean
            trials.append((distance, error, tried, model))
        if not trials:
            return
        _, error, mixed, model = min(trials, key=lambda trial: trial[0])
        kept.append(error)
        yield MixedPrecision(tuple(kept), *_medians_ms([plain, model], references)), mixed


def _built(kind: ArtifactKind, graph: Graph, card: ModelCard) -> Model:
    return loaded("a trial", build_content(kind, graph, card))


def _medians_ms(models: Sequence[Model], references: References) -> list[float]:
    """Median time of one face, the models taking turns."""
    face = references.faces.crops[:1]
    return medians_ms(interleaved_ns([partial(m.probabilities, face) for m in models], _RUNS))
