"""A random network that is as awkward as a trained one can be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from dcrnet_edge.backbone import DenseLayer
from dcrnet_edge.calibration import activation_ranges
from dcrnet_edge.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dcrnet_edge.config import NetworkConfig
from dcrnet_edge.network import DCRNet, ResidualBlock
from dcrnet_runtime.card import ModelCard
from dcrnet_runtime.spec import PreprocessSpec

LABELS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
SIDE = 64


def smooth_faces(count: int, side: int, seed: int) -> NDArray[np.uint8]:
    """(count, side, side, 3) uint8 with the low frequencies that faces have."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 1, 9, 9, generator=generator)
    fine = nn.functional.interpolate(coarse, size=(side, side), mode="bicubic")
    codes = (fine.clamp(0, 1) * 255).round().to(torch.uint8)
    return codes.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous().numpy()


def to_batch(faces: NDArray[np.uint8]) -> torch.Tensor:
    """(N, S, S, 3) codes as torch takes them."""
    return torch.from_numpy(faces).permute(0, 3, 1, 2)


def random_network() -> DCRNet:
    """Statistics that fit the data; gammas of both signs and some exactly 0."""
    torch.manual_seed(7)
    network = DCRNet(NetworkConfig(LABELS))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # statistics of all batches, equally weighted
            nn.init.normal_(module.bias, 1.0, 0.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            with torch.no_grad():
                module.weight[torch.rand_like(module.weight) < 0.1] *= -1
                module.weight[torch.rand_like(module.weight) < 0.05] = 0.0
        if isinstance(module, DenseLayer):
            module.conv2.weight.data *= 0.3
        if isinstance(module, ResidualBlock):
            module.body[-1].weight.data *= 0.3
    nn.init.normal_(network.head[-1].weight, std=0.2)
    network.train()
    with torch.inference_mode():
        network(to_batch(smooth_faces(16, SIDE, seed=1)))
    return network.eval()


@pytest.fixture(scope="session")
def checkpoint_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with ranges at 64 px, on disk."""
    path = tmp_path_factory.mktemp("checkpoint") / "random.safetensors"
    network = random_network()
    card = ModelCard(LABELS, PreprocessSpec(size_px=SIDE), terms="none: random weights")
    save_checkpoint(path, Checkpoint(network, card))
    network = load_checkpoint(path).network
    ranges = activation_ranges(network, [to_batch(smooth_faces(32, SIDE, seed=2))])
    save_checkpoint(path, Checkpoint(network, card, {SIDE: ranges}))
    return path


@pytest.fixture(scope="session")
def checkpoint(checkpoint_path: Path) -> Checkpoint:
    """What :func:`checkpoint_path` holds."""
    return load_checkpoint(checkpoint_path)


@pytest.fixture(scope="session")
def faces() -> NDArray[np.uint8]:
    """(8, 64, 64, 3) codes that calibration has not seen."""
    return smooth_faces(8, SIDE, seed=3)


@pytest.fixture(scope="session")
def expected(checkpoint: Checkpoint, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Torch's probabilities for :func:`faces`, (8, 7)."""
    with torch.inference_mode():
        return torch.softmax(checkpoint.network(to_batch(faces)), dim=1).numpy()
