"""Checkpoints: whole, self-describing, and never a pickle."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from generated import LABELS
from safetensors.torch import save_file

from dcrnet_edge.models.activation_ranges import activation_ranges
from dcrnet_edge.models.batch_norm import norms_of, renew_batch_norms
from dcrnet_edge.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dcrnet_edge.models.dcrnet import DCRNet, DCRNetConfig
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.spec import PreprocessSpec

CODES = torch.randint(0, 256, (4, 3, 64, 64), generator=torch.Generator().manual_seed(0)).byte()


@pytest.fixture(scope="module")
def network() -> DCRNet:
    torch.manual_seed(0)
    network = DCRNet(DCRNetConfig(labels=LABELS, attention_reduction=16))
    renew_batch_norms(network, [CODES])
    return network


def test_round_trip(network: DCRNet, tmp_path: Path) -> None:
    card = ModelCard(LABELS, PreprocessSpec(size_px=64), {"seed": 3}, {"accuracy": 0.5}, "terms")
    ranges = activation_ranges(network, [CODES])
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, Checkpoint(network, card, {64: ranges}))
    loaded = load_checkpoint(path)
    assert loaded.card == card
    assert loaded.network.config == network.config
    assert not loaded.network.training
    assert list(loaded.ranges) == [64]
    assert all((loaded.ranges[64][name] == limits).all() for name, limits in ranges.items())
    after = loaded.network.state_dict()
    for name, before in network.state_dict().items():
        stored = before.half().float() if before.ndim > 1 else before
        assert name.endswith("num_batches_tracked") or (after[name] == stored).all()
    assert path.stat().st_size < 24_500_000
    assert list(tmp_path.iterdir()) == [path]


def test_another_side_has_its_own_statistics(network: DCRNet, tmp_path: Path) -> None:
    card = ModelCard(LABELS, PreprocessSpec(size_px=64), {}, {"valid_accuracy": 0.5})
    shifted = {name: pair + 1 for name, pair in norms_of(network).items()}
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, Checkpoint(network, card, {}, {64: norms_of(network), 128: shifted}))
    loaded = load_checkpoint(path)
    assert loaded.at(64) is loaded
    assert loaded.at(128).card.metrics == {}
    large, other = loaded.at(128), loaded.at(64).at(224)  # 224 has none of its own
    save_checkpoint(path, other)
    for each in (loaded, large, other, large.at(224), load_checkpoint(path)):
        assert each.trained_px == (128, 64)
    stem = "backbone.features.norm0"
    for each in (large, other, load_checkpoint(path)):
        assert torch.equal(norms_of(each.network)[stem], shifted[stem])
    for each in (loaded, large.at(64), load_checkpoint(path).at(64)):
        assert torch.equal(norms_of(each.network)[stem], norms_of(network)[stem])
    with pytest.raises(DcrnetError, match="size 96 is not one of"):
        loaded.at(96)


def test_one_side_is_all_that_most_weights_know(network: DCRNet, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, Checkpoint(network, ModelCard(LABELS, PreprocessSpec(size_px=64))))
    assert load_checkpoint(path).trained_px == load_checkpoint(path).at(224).trained_px == (64,)


def test_statistics_that_do_not_fit(network: DCRNet, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    norms = norms_of(network)
    norms.pop("backbone.features.norm0")
    card = ModelCard(LABELS, PreprocessSpec(size_px=64))
    save_checkpoint(path, Checkpoint(network, card, {}, {64: norms_of(network), 128: norms}))
    with pytest.raises(DcrnetError, match="statistics for 128 px that do not fit its network"):
        load_checkpoint(path)


def test_ranges_hold_every_activation(network: DCRNet) -> None:
    ranges = activation_ranges(network, [CODES[:2], CODES[2:]])
    features = network.backbone.features
    with torch.inference_mode():
        stem = features.get_submodule("conv0")(network.normalise(CODES))
    lows, highs = ranges["backbone.features.conv0"]
    assert torch.allclose(lows, stem.amin(dim=(0, 2, 3)))
    assert torch.allclose(highs, stem.amax(dim=(0, 2, 3)))


def test_renewed_statistics_are_the_batches_own(network: DCRNet) -> None:
    features = network.backbone.features
    with torch.inference_mode():
        stem = features.get_submodule("conv0")(network.normalise(CODES))
    mean = features.get_buffer("norm0.running_mean")
    assert torch.allclose(mean, stem.mean(dim=(0, 2, 3)), atol=1e-4)


@pytest.mark.parametrize("name", ["model.pth", "model.pt", "model.ckpt", "model.PKL"])
def test_a_pickle_is_refused_unopened(name: str, tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match="is a pickle, which can run code"):
        load_checkpoint(tmp_path / name)


def test_a_missing_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match="does not exist"):
        load_checkpoint(tmp_path / "none.safetensors")


def test_a_truncated_checkpoint(network: DCRNet, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, Checkpoint(network, ModelCard(LABELS, PreprocessSpec(size_px=64))))
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(DcrnetError, match="no whole safetensors file"):
        load_checkpoint(path)


def test_a_foreign_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(DcrnetError, match="no dcrnet-edge card"):
        load_checkpoint(path)
