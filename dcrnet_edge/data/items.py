"""Samples to tensors, through the runtime's own preprocessing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from dcrnet_edge.data.augmentation import (
    camera_faults,
    corrupted,
    erase,
    random_jitter,
    sample_generator,
)
from dcrnet_edge.data.crop_cache import Crops
from dcrnet_edge.data.loader_spec import LoaderSpec
from dcrnet_edge.data.order import Draw
from dcrnet_edge.datasets.sample import Sample, read_rgb
from dcrnet_runtime.face import Face
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import PreprocessSpec

Item = tuple[Tensor, Tensor, int]
"""Codes (3, S, S) uint8 RGB, target (labels,) float32, label."""


class PreparedFaces(Dataset[Item]):
    """Faces as the runtime prepares them; no augmentation.

    Args:
        samples: labels and targets.
        crops: one a sample.
    """

    def __init__(self, samples: Sequence[Sample], crops: Crops) -> None:
        self._samples = samples
        self._crops = crops

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Item:
        return _item(self._crops[index], self._samples[index])


class AugmentedFaces(Dataset[Item]):
    """Training faces; an index is a draw and the input side in px.

    Args:
        samples: the training samples.
        faces: one a sample.
        spec: the contract at any size.
        loading: augmentation, seed and focus strengths.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        faces: Sequence[Face],
        spec: PreprocessSpec,
        loading: LoaderSpec,
    ) -> None:
        self._samples = samples
        self._faces = faces
        self._spec = spec
        self._loading = loading
        self._focus = loading.focus or (spec.focus_strength,)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, key: tuple[Draw, int]) -> Item:
        draw, size_px = key
        config = self._loading.augment
        sample, face = self._samples[draw.index], self._faces[draw.index]
        rng = sample_generator(self._loading.seed, draw.epoch, draw.index, draw.repeat)
        if rng.random() < config.box_only:
            face = Face(face.box)
        focus = self._focus[int(rng.integers(len(self._focus)))]
        spec = replace(self._spec, focus_strength=focus, size_px=size_px)
        rgb = camera_faults(read_rgb(sample), rng, config.camera)
        if config.corrupt > 0 and rng.random() < config.corrupt:  # else older runs' draws change
            rgb = corrupted(rgb, rng)
            if rng.random() < config.corrupt_box_only:
                face = Face(face.box)
        crop = prepare(rgb, face, spec, random_jitter(rng, config, size_px))
        return _item(erase(crop, rng, config.erase), sample)


def _item(crop: NDArray[np.uint8], sample: Sample) -> Item:
    codes = torch.from_numpy(crop.transpose(2, 0, 1).copy())
    return (
        codes.expand(3, -1, -1),
        torch.tensor(sample.target, dtype=torch.float32),
        sample.label,
    )
