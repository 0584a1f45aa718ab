"""A network that a test registers goes through the public export, and nothing else is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from export.fixtures import MakeFaces
from export.toy_networks import TOYS, save_toy

from dcrnet_edge.models.network import FaceNetwork
from dcrnet_export import ArtifactKind, Precision, export, prepare_job
from dcrnet_runtime.backends.golden import golden_crops, self_test
from dcrnet_runtime.backends.loading import load_model

SIDE = 64


@pytest.mark.parametrize("build", TOYS, ids=lambda kind: kind.architecture)
def test_registered_network_is_exported_to_int8(
    build: type[FaceNetwork], make_faces: MakeFaces, tmp_path: Path
) -> None:
    path = tmp_path / "toy.safetensors"
    save_toy(build, path, make_faces(64, SIDE, seed=2))
    kinds = [ArtifactKind(form, Precision.INT8) for form in ("onnx", "tflite")]
    job = prepare_job(path, kinds)
    done = list(export(job, kinds, tmp_path / "out"))
    assert [each.problem for each in done] == [None, None]
    with torch.inference_mode():
        crops = golden_crops(SIDE)
        logits = job.checkpoint.network(torch.from_numpy(crops).permute(0, 3, 1, 2))
    for each in done:
        assert each.mixed_precision is None
        assert each.path is not None
        assert each.path.name == f"{build.architecture}-{SIDE}-int8.{each.kind.format}"
        model = load_model(each.path)
        assert self_test(model).passed
        difference = np.abs(model.probabilities(crops) - torch.softmax(logits, dim=1).numpy())
        assert difference.max() < 0.05
