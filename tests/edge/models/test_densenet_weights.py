"""ImageNet weights: loaded with their normalisation, and no other pickle."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
import torch
from generated import LABELS
from safetensors.torch import save_file
from torch import Tensor

from dcrnet_edge.models.dcrnet import DCRNet, DCRNetConfig
from dcrnet_edge.models.densenet_weights import load_backbone
from dcrnet_runtime.errors import DcrnetError

CODES = torch.randint(0, 256, (2, 3, 64, 64), generator=torch.Generator().manual_seed(0)).byte()


def network(seed: int) -> DCRNet:
    torch.manual_seed(seed)
    return DCRNet(DCRNetConfig(labels=LABELS)).eval()


def published(seed: int) -> dict[str, Tensor]:
    """A state dict as torchvision's file has it: old keys, and a classifier."""
    weights = {
        name.replace(".norm1.", ".norm.1.")
        .replace(".norm2.", ".norm.2.")
        .replace(".conv1.", ".conv.1.")
        .replace(".conv2.", ".conv.2."): tensor.clone()
        for name, tensor in network(seed).backbone.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    return {**weights, "classifier.bias": torch.zeros(1000)}


def expect_imagenets_answers(ours: DCRNet, theirs: DCRNet) -> None:
    """Away from the border, conv0 and norm0 give what ImageNet's normalisation gives."""
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    with torch.inference_mode():
        expected = theirs.backbone.features[:2]((CODES / 255 - mean) / std)
        found = ours.backbone.features[:2](ours.normalise(CODES))
    inside = (..., slice(2, -2), slice(2, -2))
    assert torch.allclose(found[inside], expected[inside], atol=1e-4)


def test_safetensors_with_new_keys(tmp_path: Path) -> None:
    theirs, ours = network(1), network(2)
    path = tmp_path / "densenet121.safetensors"
    save_file(
        {name: tensor.clone() for name, tensor in theirs.backbone.state_dict().items()}, path
    )
    load_backbone(ours.backbone, path, 64.0)
    expect_imagenets_answers(ours, theirs)


def test_the_published_pickle_with_old_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "densenet121.pth"
    torch.save(published(1), path)
    ours = network(2)
    with pytest.raises(DcrnetError, match="not torchvision's published densenet121 file"):
        load_backbone(ours.backbone, path, 64.0)
    digest = sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr("dcrnet_edge.models.densenet_weights.PUBLISHED_SHA256_PREFIX", digest[:8])
    load_backbone(ours.backbone, path, 64.0)
    expect_imagenets_answers(ours, network(1))


def test_a_file_that_lacks_tensors(tmp_path: Path) -> None:
    path = tmp_path / "part.safetensors"
    save_file({"features.norm5.bias": torch.zeros(1024)}, path)
    with pytest.raises(DcrnetError, match=r"lacks 60. of DenseNet121's tensors"):
        load_backbone(network(0).backbone, path, 64.0)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match="do not exist"):
        load_backbone(network(0).backbone, tmp_path / "none.safetensors", 64.0)
