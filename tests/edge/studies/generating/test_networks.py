"""The generator, its discriminator, and what both kinds of picture go through."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dcrnet_edge.studies.generating.augmentation import augmented
from dcrnet_edge.studies.generating.networks import (
    SIDE,
    Discriminator,
    Generator,
    GeneratorConfig,
    drawn,
)

CONFIG = GeneratorConfig(("joy", "fear"), width=4, noise=8)


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_faces_follow_from_seed_and_label() -> None:
    torch.manual_seed(0)
    generator = Generator(CONFIG)
    labels = torch.tensor([0, 0, 1])
    faces = drawn(generator, labels, seed=3)
    assert faces.shape == (3, SIDE, SIDE)
    assert faces.dtype == torch.uint8
    assert torch.equal(faces, drawn(generator, labels, seed=3))
    assert not torch.equal(faces, drawn(generator, labels, seed=4))
    assert not torch.equal(faces[0], faces[1])
    assert torch.equal(faces[2], drawn(generator, torch.tensor([0, 0, 0]), seed=3)[2])
    with torch.no_grad():
        generator.norms[1].offset.weight[1] += 1  # type: ignore[union-attr,operator,index]
    assert not torch.equal(faces[2], drawn(generator, labels, seed=3)[2])
    assert torch.equal(faces[0], drawn(generator, labels, seed=3)[0])


def test_each_layer_of_the_discriminator_has_a_spectral_norm_of_one() -> None:
    torch.manual_seed(0)
    network = Discriminator(CONFIG)
    pictures, labels = torch.randn(6, 1, SIDE, SIDE), torch.tensor([0, 1] * 3)
    for _ in range(30):  # a power iteration each
        scores = network(pictures, labels)
    assert scores.shape == (6,)
    norms = []
    for module in network.modules():
        if hasattr(module, "parametrizations"):
            weight = module.weight
            assert isinstance(weight, torch.Tensor)
            norms.append(float(torch.linalg.matrix_norm(weight.detach().flatten(1), 2)))
    assert norms == pytest.approx([1.0] * 6, abs=0.02)


def test_the_score_depends_on_the_label() -> None:
    torch.manual_seed(0)
    network = Discriminator(CONFIG)
    with torch.no_grad():
        network(torch.randn(4, 1, SIDE, SIDE), torch.zeros(4, dtype=torch.int64))
        picture = torch.randn(1, 1, SIDE, SIDE)
        network.eval()
        scores = [float(network(picture, torch.tensor([label]))) for label in (0, 1)]
    assert scores[0] != scores[1]


def test_augmentation_lets_gradients_through_and_moves_each_picture_by_itself() -> None:
    pictures = torch.full((8, 1, SIDE, SIDE), 0.5, requires_grad=True)
    shown = augmented(pictures, source())
    assert shown.shape == pictures.shape
    shown.sum().backward()  # type: ignore[no-untyped-call]
    assert pictures.grad is not None
    grey = (shown == 0).flatten(1).float().mean(dim=1)  # the hole, and what has come in
    assert len(set(grey.tolist())) > 4
    # A hole of 16 x 16 px and a shift of 6 px each way hide at most so much.
    most = 1 - (42 * 42 - 16 * 16) / 48**2
    assert 0 < float(grey.max()) <= most + 1e-6
    lit = np.unique(shown.detach()[:, 0].flatten(1).amax(dim=1).numpy())
    assert len(lit) == 8  # brightness; a flat picture has no contrast
    assert ((lit > -1e-6) & (lit <= 1.0)).all()


def test_augmentation_is_the_same_for_the_same_source() -> None:
    pictures = torch.randn(4, 1, SIDE, SIDE)
    assert torch.equal(augmented(pictures, source(1)), augmented(pictures, source(1)))
    assert not torch.equal(augmented(pictures, source(1)), augmented(pictures, source(2)))
