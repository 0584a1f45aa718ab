"""DCRNet as the paper has it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from generated import LABELS

from dcrnet_edge.models.attention import Attention
from dcrnet_edge.models.dcrnet import ARCHITECTURE, DCRNet, DCRNetConfig
from dcrnet_runtime.errors import DcrnetError

CONFIG = DCRNetConfig(labels=LABELS)


def parameters(config: DCRNetConfig) -> int:
    return sum(parameter.numel() for parameter in DCRNet(config).parameters())


def test_the_papers_parameter_count() -> None:
    """The paper states 11.6 M; this reading of it has exactly so many."""
    assert parameters(CONFIG) == 11_577_967


def test_the_backbone_has_torchvisions_keys() -> None:
    keys = set(DCRNet(CONFIG).backbone.state_dict())
    assert {
        "features.conv0.weight",
        "features.norm0.running_mean",
        "features.denseblock1.denselayer1.norm1.weight",
        "features.denseblock3.denselayer24.conv2.weight",
        "features.denseblock4.denselayer16.norm2.bias",
        "features.transition3.conv.weight",
        "features.norm5.bias",
    } <= keys
    assert len(keys) == 725  # torchvision's 727 less the classifier's two


@pytest.mark.parametrize(
    "config",
    [
        replace(CONFIG, attention=Attention.SE),
        replace(CONFIG, attention=Attention.NONE),
        replace(CONFIG, residual_widths=()),
        replace(CONFIG, labels=(*LABELS, "contempt")),
    ],
    ids=["se", "no attention", "no residual modules", "eight labels"],
)
def test_ablations_build_and_run(config: DCRNetConfig) -> None:
    assert parameters(config) != parameters(CONFIG)
    codes = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    assert DCRNet(config).eval()(codes).shape == (1, len(config.labels))


@pytest.mark.parametrize("size_px", [64, 128, 192, 224])
def test_the_sizes_that_are_possible(size_px: int) -> None:
    """The 2x2 max-pool uses their maps whole, but for the paper's own 224."""
    ARCHITECTURE.check_size(size_px)
    network = DCRNet(CONFIG).eval()
    with torch.inference_mode():
        features = network.embed(torch.zeros(1, 3, size_px, size_px, dtype=torch.uint8))
        assert network.classify(features).isfinite().all()
    side = features.shape[-1]
    assert features.shape == (1, network.feature_channels, size_px // 32, size_px // 32)
    assert side % 2 == 0 or size_px == 224


@pytest.mark.parametrize("size_px", [48, 96, 112, 0])
def test_other_sizes_are_refused(size_px: int) -> None:
    with pytest.raises(DcrnetError, match="not one of 64, 128, 192, 224"):
        ARCHITECTURE.check_size(size_px)


def test_code_128_is_the_zero_of_padding() -> None:
    codes = torch.full((1, 3, 64, 64), 128, dtype=torch.uint8)
    assert (DCRNet(CONFIG).normalise(codes) == 0).all()


def test_every_parameter_is_reached_by_the_loss() -> None:
    network = DCRNet(CONFIG).train()
    codes = torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8)
    network(codes).square().sum().backward()
    unused = [name for name, p in network.named_parameters() if p.grad is None]
    assert unused == []
