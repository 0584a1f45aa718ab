"""EfficientNet-Lite as timm lays it out, padded as TensorFlow pads."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from generated import LABELS
from torch import nn

from dcrnet_edge.models.efficientnet_lite import (
    INPUT_SIZES,
    EfficientNetLite,
    EfficientNetLite0,
    EfficientNetLite2,
    EfficientNetLiteConfig,
    SameConv2d,
    same_padding,
)

CONFIG = EfficientNetLiteConfig(LABELS)


@pytest.mark.parametrize(
    ("kind", "parameters"), [(EfficientNetLite0, 4_652_008), (EfficientNetLite2, 6_092_072)]
)
def test_timms_parameter_counts(kind: type[EfficientNetLite], parameters: int) -> None:
    """With ImageNet's 1000 classes; the authors publish 4.7 M and 6.1 M."""
    network = kind(EfficientNetLiteConfig(tuple(map(str, range(1000)))))
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_timms_keys() -> None:
    keys = EfficientNetLite0(CONFIG).state_dict()
    assert {
        "conv_stem.weight": (32, 3, 3, 3),
        "bn1.running_mean": (32,),
        "blocks.0.0.conv_dw.weight": (32, 1, 3, 3),
        "blocks.0.0.conv_pw.weight": (16, 32, 1, 1),
        "blocks.0.0.bn2.bias": (16,),
        "blocks.1.1.conv_pw.weight": (144, 24, 1, 1),
        "blocks.2.0.conv_dw.weight": (144, 1, 5, 5),
        "blocks.5.3.conv_pwl.weight": (192, 1152, 1, 1),
        "blocks.6.0.bn3.running_var": (320,),
        "conv_head.weight": (1280, 320, 1, 1),
        "bn2.weight": (1280,),
        "classifier.weight": (7, 1280),
    }.items() <= {name: tuple(tensor.shape) for name, tensor in keys.items()}.items()
    assert len(keys) == 296
    assert len(EfficientNetLite2(CONFIG).state_dict()) == 386


@pytest.mark.parametrize(
    ("side_px", "kernel", "stride", "zeros"),
    [
        (128, 3, 2, (0, 1)),
        (56, 5, 2, (1, 2)),
        (7, 5, 2, (2, 2)),
        (7, 3, 2, (1, 1)),
        (14, 3, 1, (1, 1)),
        (14, 5, 1, (2, 2)),
        (14, 1, 1, (0, 0)),
    ],
)
def test_same_padding(side_px: int, kernel: int, stride: int, zeros: tuple[int, int]) -> None:
    assert same_padding(side_px, kernel, stride) == zeros


def test_a_stride_of_two_starts_at_the_first_pixel_of_an_even_side() -> None:
    conv = SameConv2d(1, 1, 3, 2)
    nn.init.ones_(conv.weight)
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    # Sums of rows 0-2 and 2-4 by columns 0-2 and 2-4, of which row and column 4 are padding.
    assert conv(x).tolist() == [[[[45.0, 39.0], [66.0, 50.0]]]]


@pytest.mark.parametrize("size_px", INPUT_SIZES)
def test_every_input_side(size_px: int) -> None:
    network = EfficientNetLite0(CONFIG).eval()
    codes = torch.randint(0, 256, (2, 3, size_px, size_px), dtype=torch.uint8)
    with torch.inference_mode():
        features = network.embed(codes)
        assert features.shape == (2, 1280, -(-size_px // 32), -(-size_px // 32))
        assert 0 <= features.min() <= features.max() <= 6
        logits = network(codes)
        assert logits.shape == (2, len(LABELS))
        assert torch.equal(logits, network.classify(features))
        assert torch.equal(logits, network(codes.float()))


def test_a_skip_stands_where_both_ends_fit() -> None:
    skips = {
        name: block.skip
        for name, block in EfficientNetLite0(CONFIG).blocks.named_modules()
        if hasattr(block, "skip")
    }
    without = {name for name, skip in skips.items() if not skip}
    assert without == {f"{stage}.0" for stage in range(1, 7)}
    assert len(skips) == 15


def test_code_128_is_the_zero_of_padding() -> None:
    codes = torch.full((1, 3, 64, 64), 128, dtype=torch.uint8)
    assert (EfficientNetLite0(CONFIG).normalise(codes) == 0).all()


def test_every_parameter_is_reached_by_the_loss() -> None:
    network = EfficientNetLite0(CONFIG).train()
    codes = torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8)
    network(codes).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


def test_dropout_is_the_configs() -> None:
    network = EfficientNetLite0(EfficientNetLiteConfig(LABELS, dropout=0.5)).train()
    torch.manual_seed(0)
    seen: list[torch.Tensor] = []
    network.dropout.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    network.classify(torch.ones(64, 1280, 2, 2))
    assert set(seen[0].flatten().tolist()) == {0.0, 2.0}
    assert seen[0].eq(0).float().mean().item() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labels": ("anger",)}, "two or more"),
        ({"dropout": 1.0}, "below 1"),
        ({"input_scale": 0.0}, "positive"),
    ],
)
def test_impossible_configurations(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        EfficientNetLiteConfig(**{"labels": LABELS, **change})
