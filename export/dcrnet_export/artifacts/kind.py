"""One of the files that an export writes: its name and how its bytes are made."""

from __future__ import annotations

from dataclasses import dataclass

from dcrnet_export.artifacts.target import UNIVERSAL, Target, TargetPlan, plan_for
from dcrnet_export.formats.file_format import FileFormat
from dcrnet_export.formats.registry import file_format
from dcrnet_export.ir.graph import Graph
from dcrnet_export.passes.channel_equalization import equalize_channels
from dcrnet_export.passes.quantization import QuantizedGraph, WeightLimit, quantize
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.precision import Precision


@dataclass(frozen=True, slots=True)
class ArtifactKind:
    """One of the files that an export writes.

    Attributes:
        format: name of the file's format.
        precision: one of the format's.
        batch: faces a run; None for any number.
        target: whose plan int8 follows; None for a file that runs anywhere.
        features: whether the pooled features are a second output.
    """

    format: str
    precision: Precision
    batch: int | None = 1
    target: Target | None = None
    features: bool = False

    @property
    def plan(self) -> TargetPlan:
        """How int8 is rounded."""
        return UNIVERSAL if self.target is None else plan_for(self.target)

    @property
    def file_format(self) -> FileFormat:
        """The registry's entry for its format."""
        return file_format(self.format)

    @property
    def weight_limit(self) -> WeightLimit:
        """The largest absolute weight code."""
        return self.file_format.weight_limit or self.plan.weight_limit

    @property
    def is_symmetric(self) -> bool:
        """Whether the codes of its activations have zero point 0 as int8."""
        return self.precision is Precision.INT8_QDQ and self.plan.symmetric

    def file_name(self, network: str, size_px: int) -> str:
        """Such as ``dcrnet-224-int8.onnx`` or ``dcrnet-64-int8-arm-batch8.onnx``.

        Args:
            network: name of its architecture.
            size_px: side of its input.
        """
        parts = [network, str(size_px), self.precision.value]
        if self.target is not None:
            parts.append(self.target.value)
        if self.batch != 1:
            parts.append("batch" + (str(self.batch) if self.batch else "any"))
        if self.features:
            parts.append("features")
        return f"{'-'.join(parts)}.{self.format}"


def build_content(kind: ArtifactKind, graph: Graph, card: ModelCard) -> bytes:
    """The artifact's bytes; the same arguments give the same bytes.

    Args:
        kind: what is written.
        graph: from :func:`dcrnet_export.ir.lowering.lower`; with ranges for int8.
        card: goes into the file.
    """
    return kind.file_format.with_card(build_model(kind, graph), card)


def build_model(kind: ArtifactKind, graph: Graph) -> bytes:
    """The artifact's bytes without a card.

    Raises:
        ValueError: the format has no such precision, or no free batch.
    """
    form = kind.file_format
    if emit_float := form.float_emitters.get(kind.precision):
        return emit_float(graph, kind.batch)
    if emit_integer := form.integer_emitters.get(kind.precision):
        return emit_integer(integer_graph(kind, graph), kind.batch)
    raise ValueError(f"{form.name} files are not written in {kind.precision}")


def exact_graph(kind: ArtifactKind, graph: Graph) -> Graph:
    """The float graph, its channels scaled as in :func:`integer_graph`."""
    return equalize_channels(graph, snap=False, symmetric=kind.is_symmetric)


def integer_graph(kind: ArtifactKind, graph: Graph) -> QuantizedGraph:
    """What an artifact with ranges computes."""
    equal = equalize_channels(graph, symmetric=kind.is_symmetric)
    return quantize(equal, kind.weight_limit, symmetric=kind.is_symmetric)
