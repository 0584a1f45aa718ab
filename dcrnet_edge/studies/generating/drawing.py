"""Faces drawn for a study, and the unit that keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from dcrnet_edge.studies.generating.generator_file import load_generator
from dcrnet_edge.studies.generating.networks import drawn
from dcrnet_edge.studies.generating.picture_file import Picture, save_pictures

_BATCH = 64


def draw_faces(
    generator: Path, labels: Sequence[str], count: int, seed: int, path: Path
) -> list[Picture]:
    """Draw so many faces of each label and keep them in a file.

    Args:
        generator: its file.
        labels: some of the generator's.
        count: of each.
        seed: of the noise; a smaller ``count`` of the same seed is the beginning of a larger one,
            but for what a last batch's size changes.
        path: of the file, see :mod:`dcrnet_edge.studies.generating.picture_file`.
    """
    network, _ = load_generator(generator)
    pictures: list[Picture] = []
    for name in labels:
        label = network.config.labels.index(name)
        for start in range(0, count, _BATCH):
            own = torch.full((min(_BATCH, count - start),), label)
            # A seed a label and batch: those of two calls by other seeds share none.
            for i, grey in enumerate(drawn(network, own, _mixed(seed, label, start)), start):
                pictures.append(Picture(name, f"{name}-{i:05}", grey.numpy()))
    save_pictures(path, pictures)
    return pictures


def _mixed(*numbers: int) -> int:
    import numpy as np

    return int(np.random.default_rng(numbers).integers(2**62))
