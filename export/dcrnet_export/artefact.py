"""An exported file: its name, its content with the card inside, and its sidecar."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from dcrnet_edge.checkpoint import Checkpoint
from dcrnet_export.graph import Graph
from dcrnet_runtime.backends import ModelFormat
from dcrnet_runtime.card import CARD_KEY, ModelCard
from dcrnet_runtime.outfile import written_beside

_TOOLS = ("dcrnet-edge", "torch", "onnx", "onnxsim", "flatbuffers", "ai-edge-litert")


class Precision(StrEnum):
    """What an artefact computes in."""

    FP32 = "fp32"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class ArtefactKind:
    """One of the files that an export writes."""

    format: ModelFormat
    precision: Precision

    def file_name(self, size_px: int) -> str:
        """Such as ``dcrnet-224-int8.onnx``."""
        return f"dcrnet-{size_px}-{self.precision}.{self.format}"


def build_content(kind: ArtefactKind, graph: Graph, card: ModelCard) -> bytes:
    """The artefact's bytes; the same arguments give the same bytes.

    Args:
        graph: from :func:`dcrnet_export.rewrite.rewrite`; with ranges for int8.
        card: goes into the file.
    """
    match kind.format:
        case ModelFormat.ONNX:
            return _onnx_content(kind.precision, graph, card)
        case ModelFormat.TFLITE:
            return _tflite_content(kind.precision, graph, card)


def _onnx_content(precision: Precision, graph: Graph, card: ModelCard) -> bytes:
    from dcrnet_export.coordinates import equalise
    from dcrnet_export.onnx_float import onnx_float
    from dcrnet_export.onnx_int8 import onnx_int8
    from dcrnet_export.onnx_writer import set_card
    from dcrnet_export.quantize import WeightLimit, quantize

    match precision:
        case Precision.FP32:
            model = onnx_float(graph)
        case Precision.INT8:
            model = onnx_int8(quantize(equalise(graph), WeightLimit.REDUCED))
    set_card(model, CARD_KEY, card.to_json())
    return model.SerializeToString(deterministic=True)


def _tflite_content(precision: Precision, graph: Graph, card: ModelCard) -> bytes:
    from dcrnet_export.coordinates import equalise
    from dcrnet_export.quantize import WeightLimit, quantize
    from dcrnet_export.tflite_float import tflite_float
    from dcrnet_export.tflite_int8 import tflite_int8
    from dcrnet_export.tflite_writer import append_card

    match precision:
        case Precision.FP32:
            content = tflite_float(graph)
        case Precision.INT8:
            content = tflite_int8(quantize(equalise(graph), WeightLimit.FULL))
    return append_card(content, card.to_json())


def exported_card(
    checkpoint: Checkpoint,
    checkpoint_sha256: str,
    kind: ArtefactKind,
    size_px: int,
    calibration: str | None,
) -> ModelCard:
    """The checkpoint's card with the exported size and what the export adds to its origin.

    Args:
        calibration: where int8 ranges came from; None for float.
    """
    export = {
        "checkpoint_sha256": checkpoint_sha256,
        "format": kind.format.value,
        "precision": kind.precision.value,
        "calibration": calibration,
        "tools": {tool: version(tool) for tool in _TOOLS},
    }
    card = checkpoint.card
    return replace(
        card,
        preprocess=replace(card.preprocess, size_px=size_px),
        provenance={**card.provenance, "export": export},
    )


def write_artefact(path: Path, content: bytes, card: ModelCard) -> None:
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


def move_artefact(path: Path, name: str) -> Path:
    """Rename an artefact; its sidecar goes along."""
    target = path.with_name(name)
    path.replace(target)
    sidecar_of(path).replace(sidecar_of(target))
    return target
