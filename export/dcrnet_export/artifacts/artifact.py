"""An exported file: its name, its content with the card inside, and its sidecar."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_export.artifacts.target import UNIVERSAL, Recipe, Target, recipe_for
from dcrnet_export.ir.graph import Graph
from dcrnet_export.passes.channel_equalization import equalize_channels
from dcrnet_export.passes.quantization import QuantizedGraph, WeightLimit, quantize
from dcrnet_runtime.backends.card import CARD_KEY, ModelCard
from dcrnet_runtime.backends.model import INPUT_NAME, OUTPUT_NAME, ModelFormat
from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.outfile import written_beside

REJECTED_SUFFIX = ".rejected"
"""Ends the name of a file that has not passed its gates."""

_TOOLS = ("dcrnet-edge", "torch", "onnx", "onnxsim", "flatbuffers", "ai-edge-litert")


PRECISIONS = {
    ModelFormat.ONNX: (Precision.FP32, Precision.FP16, Precision.INT8, Precision.INT8_QDQ),
    ModelFormat.TFLITE: (Precision.FP32, Precision.FP16, Precision.INT8, Precision.DYNAMIC_RANGE),
}
"""What each format can be written in."""


@dataclass(frozen=True, slots=True)
class ArtifactKind:
    """One of the files that an export writes.

    Attributes:
        format: of the file.
        precision: one of the format's :data:`PRECISIONS`.
        batch: faces a run; None for any number.
        target: whose recipe int8 follows; None for a file that runs anywhere.
    """

    format: ModelFormat
    precision: Precision
    batch: int | None = 1
    target: Target | None = None

    @property
    def recipe(self) -> Recipe:
        """How int8 is rounded."""
        return UNIVERSAL if self.target is None else recipe_for(self.target)

    @property
    def weight_limit(self) -> WeightLimit:
        """The largest absolute weight code; LiteRT's kernels take the full range everywhere."""
        return WeightLimit.FULL if self.format is ModelFormat.TFLITE else self.recipe.weight_limit

    @property
    def is_symmetric(self) -> bool:
        """Whether the codes of its activations have zero point 0 as int8."""
        return self.precision is Precision.INT8_QDQ and self.recipe.symmetric

    def file_name(self, size_px: int) -> str:
        """Such as ``dcrnet-224-int8.onnx`` or ``dcrnet-64-int8-arm-batch8.onnx``."""
        parts = ["dcrnet", str(size_px), self.precision.value]
        if self.target is not None:
            parts.append(self.target.value)
        if self.batch != 1:
            parts.append("batch" + (str(self.batch) if self.batch else "any"))
        return f"{'-'.join(parts)}.{self.format}"


def build_content(kind: ArtifactKind, graph: Graph, card: ModelCard) -> bytes:
    """The artefact's bytes; the same arguments give the same bytes.

    Args:
        graph: from :func:`dcrnet_export.ir.lowering.rewrite`; with ranges for int8.
        card: goes into the file.
    """
    return with_card(kind.format, build_model(kind, graph), card)


def build_model(kind: ArtifactKind, graph: Graph) -> bytes:
    """The artefact's bytes without a card."""
    match kind.format:
        case ModelFormat.ONNX:
            return _onnx_content(kind, graph)
        case ModelFormat.TFLITE:
            return _tflite_content(kind, graph)


def with_card(form: ModelFormat, model: bytes, card: ModelCard) -> bytes:
    """What :func:`build_model` gave, describing itself."""
    match form:
        case ModelFormat.ONNX:
            import onnx

            from dcrnet_export.emitters.onnx_writer import set_card

            proto = onnx.load_from_string(model)
            set_card(proto, CARD_KEY, card.to_json())
            return proto.SerializeToString(deterministic=True)
        case ModelFormat.TFLITE:
            from dcrnet_export.emitters.tflite_writer import append_card

            return append_card(model, card.to_json())


def exact_graph(kind: ArtifactKind, graph: Graph) -> Graph:
    """The float graph in the coordinates of :func:`integer_graph`."""
    return equalize_channels(graph, snap=False, symmetric=kind.is_symmetric)


def integer_graph(kind: ArtifactKind, graph: Graph) -> QuantizedGraph:
    """What an artefact with ranges computes."""
    equal = equalize_channels(graph, symmetric=kind.is_symmetric)
    return quantize(equal, kind.weight_limit, symmetric=kind.is_symmetric)


def _onnx_content(kind: ArtifactKind, graph: Graph) -> bytes:
    from dcrnet_export.emitters.onnx_float import onnx_float, onnx_fp16
    from dcrnet_export.emitters.onnx_int8 import onnx_int8
    from dcrnet_export.emitters.onnx_qdq import onnx_qdq

    match kind.precision:
        case Precision.FP32:
            model = onnx_float(graph, kind.batch)
        case Precision.FP16:
            model = onnx_fp16(graph, kind.batch)
        case Precision.INT8:
            model = onnx_int8(integer_graph(kind, graph), kind.batch)
        case Precision.INT8_QDQ:
            model = onnx_qdq(integer_graph(kind, graph), kind.batch)
        case Precision.DYNAMIC_RANGE:
            raise ValueError("ONNX Runtime computes dynamic int8 slower than float")
    return model.SerializeToString(deterministic=True)


def _tflite_content(kind: ArtifactKind, graph: Graph) -> bytes:
    from dcrnet_export.emitters.tflite_float import tflite_float
    from dcrnet_export.emitters.tflite_int8 import tflite_int8
    from dcrnet_export.emitters.tflite_storage import Storage

    batch = kind.batch
    if batch is None:
        raise ValueError("a TFLite file has a fixed batch")
    match kind.precision:
        case Precision.FP32:
            content = tflite_float(graph, Storage.FP32, batch)
        case Precision.FP16:
            content = tflite_float(graph, Storage.FP16, batch)
        case Precision.DYNAMIC_RANGE:
            content = tflite_float(graph, Storage.INT8, batch)
        case Precision.INT8:
            content = tflite_int8(integer_graph(kind, graph), batch)
        case Precision.INT8_QDQ:
            raise ValueError("TFLite has no QDQ form")
    return content


def exported_card(
    checkpoint: Checkpoint,
    checkpoint_sha256: str,
    kind: ArtifactKind,
    size_px: int,
    calibration: dict[str, Any] | None,
) -> ModelCard:
    """The checkpoint's card with the exported size and what the export adds to its origin.

    Args:
        calibration: ``source``, ``faces`` and ``sha256`` of what int8 ranges came from; None
            for a file without ranges.
    """
    card = checkpoint.card
    export: dict[str, Any] = {
        "checkpoint_sha256": checkpoint_sha256,
        "format": kind.format.value,
        "precision": kind.precision.value,
        "target": kind.target,
        "input": _input(kind.batch, size_px),
        "output": _output(kind.batch, len(card.labels)),
        "calibration": calibration,
        "tools": {tool: version(tool) for tool in _TOOLS},
    }
    if kind.precision.has_ranges:
        export["largest_weight_code"] = int(kind.weight_limit)
    return replace(
        card,
        preprocess=replace(card.preprocess, size_px=size_px),
        provenance={**card.provenance, "export": export},
    )


def _input(batch: int | None, size_px: int) -> dict[str, Any]:
    return {
        "name": INPUT_NAME,
        "dtype": "uint8",
        "layout": "NHWC",
        "shape": [batch, size_px, size_px, 3],
        "range": [0, 255],
        "colour_order": "RGB",
    }


def _output(batch: int | None, labels: int) -> dict[str, Any]:
    return {
        "name": OUTPUT_NAME,
        "dtype": "float32",
        "shape": [batch, labels],
        "range": [0.0, 1.0],
        "meaning": "probabilities in the order of the labels",
    }


def write_artifact(path: Path, content: bytes, card: ModelCard) -> None:
    """Write the file and its sidecar ``<file>.json``, each beside its place and then renamed.

    Raises:
        DcrnetError: the folder cannot be written.
    """
    sidecar = {
        "bytes": len(content),
        "sha256": sha256(content).hexdigest(),
        "card": json.loads(card.to_json()),
    }
    text = json.dumps(sidecar, indent=2, sort_keys=True) + "\n"
    for target, written in ((path, content), (sidecar_of(path), text.encode())):
        with written_beside(target) as beside:
            beside.write_bytes(written)


def sidecar_of(path: Path) -> Path:
    """Where an artefact's sidecar stands."""
    return path.with_name(f"{path.name}.json")


def move_artifact(path: Path, name: str) -> Path:
    """Rename an artefact; its sidecar goes along."""
    target = path.with_name(name)
    path.replace(target)
    sidecar_of(path).replace(sidecar_of(target))
    return target
