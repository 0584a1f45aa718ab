"""First weights: scratch, ImageNet's, or another label set's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from generated import LABELS

from dcrnet_edge.models import densenet_weights
from dcrnet_edge.models.attention import Attention
from dcrnet_edge.models.checkpoint import Checkpoint, save_checkpoint
from dcrnet_edge.models.dcrnet import ARCHITECTURE, DCRNet, DCRNetConfig
from dcrnet_edge.training.initialization import Initialization, InitializationKind
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.spec import PreprocessSpec

CKPLUS = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")


def test_another_label_set_keeps_the_rows_of_the_labels_in_common(tmp_path: Path) -> None:
    first = DCRNet(DCRNetConfig(LABELS))
    path = tmp_path / "first.safetensors"
    card = ModelCard(LABELS, PreprocessSpec(size_px=64), {"dataset": "ferplus"})
    save_checkpoint(path, Checkpoint(first, card))
    network, provenance = Initialization(InitializationKind.CHECKPOINT, path).network(
        ARCHITECTURE, DCRNetConfig(CKPLUS)
    )
    assert isinstance(network, DCRNet)
    one, other = first.head[-1].get_parameter("weight"), network.head[-1].get_parameter("weight")
    for row, label in enumerate(CKPLUS):
        if label in LABELS:
            assert torch.equal(one[LABELS.index(label)].half().float(), other[row])
    assert torch.equal(
        first.head[0].get_parameter("weight").half().float(),
        network.head[0].get_parameter("weight"),
    )
    assert network.training
    assert provenance["provenance"] == {"dataset": "ferplus"}
    assert len(provenance["sha256"]) == 64


def test_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "first.safetensors"
    card = ModelCard(LABELS, PreprocessSpec(size_px=64))
    save_checkpoint(path, Checkpoint(DCRNet(DCRNetConfig(LABELS)), card))
    wanted = DCRNetConfig(LABELS, attention=Attention.SE)
    with pytest.raises(
        DcrnetError, match=r"attention cbam, .* asks for se: set network\.attention"
    ):
        Initialization(InitializationKind.CHECKPOINT, path).network(ARCHITECTURE, wanted)


def test_without_a_network_the_remedies_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    with pytest.raises(DcrnetError, match=r"`backbone_weights`, or train `from_scratch`"):
        Initialization().network(ARCHITECTURE, DCRNetConfig(LABELS))


def test_the_fetched_file_is_found_in_torch_hubs_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    path = tmp_path / "checkpoints" / "densenet121-a639ec97.pth"
    path.parent.mkdir()
    path.write_bytes(b"")
    assert densenet_weights.fetch_backbone() == path
    with pytest.raises(DcrnetError, match="not torchvision's published densenet121 file"):
        Initialization().network(ARCHITECTURE, DCRNetConfig(LABELS))
