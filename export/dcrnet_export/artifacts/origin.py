"""What an artifact's card adds to its checkpoint's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from dcrnet_export.artifacts.kind import ArtifactKind
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.model import FEATURES_NAME, INPUT_NAME, OUTPUT_NAME

_TOOLS = ("dcrnet-edge", "torch", "onnx", "onnxsim", "flatbuffers", "ai-edge-litert")


def exported_card(
    card: ModelCard,
    checkpoint_sha256: str,
    kind: ArtifactKind,
    calibration: dict[str, Any] | None = None,
    float_layers: Sequence[str] = (),
    feature_count: int = 0,
) -> ModelCard:
    """A checkpoint's card with what the export adds to its origin.

    Args:
        card: of the checkpoint, for the exported size.
        checkpoint_sha256: of its file.
        kind: what is written.
        calibration: ``source``, ``faces`` and ``sha256`` of what int8 ranges came from; None
            for a file without ranges.
        float_layers: layers of an int8 file that compute in float.
        feature_count: values of the second output; 0 where there is none.
    """
    export: dict[str, Any] = {
        "checkpoint_sha256": checkpoint_sha256,
        "format": str(kind.format),
        "precision": kind.precision.value,
        "target": kind.target,
        "input": _input(kind.batch, card.preprocess.size_px),
        "output": _output(kind.batch, len(card.labels)),
        "calibration": calibration,
        "tools": {tool: version(tool) for tool in _TOOLS},
    }
    if kind.precision.has_ranges:
        export["largest_weight_code"] = int(kind.weight_limit)
    if feature_count:
        export["features"] = _features(kind.batch, feature_count)
    if float_layers:
        export["float_layers"] = list(float_layers)
    return replace(card, provenance={**card.provenance, "export": export})


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


def _features(batch: int | None, count: int) -> dict[str, Any]:
    return {
        "name": FEATURES_NAME,
        "dtype": "float32",
        "shape": [batch, count],
        "meaning": "what the dense head reads: the last maps, pooled over space",
    }
