"""Fixed and free batches give what single faces give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from export.fixtures import Faces

from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_export.artifacts.kind import ArtifactKind, build_content
from dcrnet_export.ir.lowering import lower
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.backends.precision import Precision


@pytest.mark.parametrize(
    ("form", "precision", "batch"),
    [
        (ModelFormat.ONNX, Precision.FP32, None),
        (ModelFormat.ONNX, Precision.INT8, 3),
        (ModelFormat.TFLITE, Precision.FP32, 3),
        (ModelFormat.TFLITE, Precision.INT8, 3),
    ],
)
def test_eight_faces_in_batches(
    checkpoint: Checkpoint,
    faces: Faces,
    tmp_path: Path,
    form: ModelFormat,
    precision: Precision,
    batch: int | None,
) -> None:
    """8 is no multiple of 3: the last batch is filled up and cut again."""
    graph = lower(checkpoint.network, 64, checkpoint.ranges[64])
    rows = {}
    for each in (1, batch):
        kind = ArtifactKind(form, precision, each)
        path = tmp_path / kind.file_name("dcrnet", 64)
        path.write_bytes(build_content(kind, graph, checkpoint.card))
        rows[each] = load_model(path).probabilities(faces)
    assert rows[batch].shape == (8, 7)
    np.testing.assert_allclose(rows[batch], rows[1], atol=1e-4)


def test_tflite_has_no_free_batch(checkpoint: Checkpoint) -> None:
    graph = lower(checkpoint.network, 64)
    with pytest.raises(ValueError, match="fixed batch"):
        build_content(
            ArtifactKind(ModelFormat.TFLITE, Precision.FP32, None), graph, checkpoint.card
        )
