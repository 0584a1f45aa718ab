"""A random network that is as awkward as a trained one can be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from export.fixtures import Faces, MakeFaces, MakeNetwork, Probabilities, TorchProbabilities
from generated import LABELS
from torch import Tensor, nn

from dcrnet_edge.models.activation_ranges import activation_ranges
from dcrnet_edge.models.attention import Attention
from dcrnet_edge.models.batch_norm import renew_batch_norms
from dcrnet_edge.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dcrnet_edge.models.dcrnet import DCRNet, DCRNetConfig, ResidualBlock
from dcrnet_edge.models.densenet import DenseLayer
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.preprocess.spec import PreprocessSpec

SIDE = 64
torch.set_num_threads(1)


def _to_batch(faces: Faces) -> Tensor:
    return torch.from_numpy(faces).permute(0, 3, 1, 2)


def _smooth_faces(count: int, side: int = SIDE, seed: int = 3) -> Faces:
    """(count, side, side, 3) uint8 with the low frequencies that faces have."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 9, 9, generator=generator)
    fine = nn.functional.interpolate(coarse, size=(side, side), mode="bicubic")
    codes = (fine.clamp(0, 1) * 255).round().to(torch.uint8)
    return codes.permute(0, 2, 3, 1).contiguous().numpy()


def _random_network(attention: Attention = Attention.CBAM) -> DCRNet:
    """Statistics that fit the data; gammas of both signs and some exactly 0.

    The shifts keep most ReLUs open: a random deep network with BN is chaotic otherwise, and
    would magnify the last bit of a float to a visible difference.
    """
    torch.manual_seed(7)
    network = DCRNet(DCRNetConfig(LABELS, attention=attention))
    with torch.no_grad():
        for module in network.modules():
            match module:
                case nn.BatchNorm2d():
                    nn.init.normal_(module.bias, 1.5, 0.7)
                    nn.init.uniform_(module.weight, 0.5, 1.5)
                    module.weight[torch.rand_like(module.weight) < 0.1] *= -1
                    module.weight[torch.rand_like(module.weight) < 0.05] = 0.0
                case DenseLayer():
                    module.conv2.weight *= 0.3
                case ResidualBlock():
                    module.body[-1].get_parameter("weight").mul_(0.3)
        nn.init.normal_(network.head[-1].get_parameter("weight"), std=0.05)
    renew_batch_norms(network, [_to_batch(_smooth_faces(12, seed=1))])
    return network


@pytest.fixture(scope="session")
def make_faces() -> MakeFaces:
    """``make_faces(count, side=64, seed=3)``: codes (count, side, side, 3)."""
    return _smooth_faces


@pytest.fixture(scope="session")
def make_network() -> MakeNetwork:
    """``make_network(attention)``: a random DCRNet in eval mode."""
    return _random_network


@pytest.fixture(scope="session")
def torch_probabilities() -> TorchProbabilities:
    """``torch_probabilities(network, faces)``: (N, 7)."""

    def run(network: FaceNetwork, faces: Faces) -> Probabilities:
        with torch.inference_mode():
            return torch.softmax(network(_to_batch(faces)), dim=1).numpy()

    return run


@pytest.fixture(scope="session")
def checkpoint_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with ranges at 64 px, on disk."""
    path = tmp_path_factory.mktemp("checkpoint") / "random.safetensors"
    card = ModelCard(LABELS, PreprocessSpec(size_px=SIDE), license="none: random weights")
    save_checkpoint(path, Checkpoint(_random_network(), card))
    network = load_checkpoint(path).network
    ranges = activation_ranges(network, [_to_batch(_smooth_faces(32, seed=2))])
    save_checkpoint(path, Checkpoint(network, card, {SIDE: ranges}))
    return path


@pytest.fixture(scope="session")
def checkpoint(checkpoint_path: Path) -> Checkpoint:
    """What :func:`checkpoint_path` holds."""
    return load_checkpoint(checkpoint_path)


@pytest.fixture(scope="session")
def faces() -> Faces:
    """(8, 64, 64, 3) codes that calibration has not seen."""
    return _smooth_faces(8)


@pytest.fixture(scope="session")
def expected(
    checkpoint: Checkpoint,
    faces: Faces,
    torch_probabilities: TorchProbabilities,
) -> Probabilities:
    """Torch's probabilities for :func:`faces`, (8, 7)."""
    return torch_probabilities(checkpoint.network, faces)
