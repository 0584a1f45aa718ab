"""Samples to tensors, through the runtime's own preprocessing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from dcrnet_edge.augment import (
    AugmentConfig,
    camera_faults,
    erase,
    random_jitter,
    sample_generator,
)
from dcrnet_edge.datasets.sample import Sample, class_counts, read_rgb
from dcrnet_runtime.face import Face
from dcrnet_runtime.preprocess import prepare
from dcrnet_runtime.spec import PreprocessSpec

_ORDER = 2**32 - 1  # stands in a sample's place in the seed of an epoch's order


class PreparedFaces(Dataset[tuple[Tensor, Tensor, int]]):
    """Faces as the runtime would prepare them; no augmentation.

    Items are the codes (3, S, S) uint8 RGB, the target (labels,) float32 and the label.
    """

    def __init__(
        self, samples: Sequence[Sample], faces: Sequence[Face], spec: PreprocessSpec
    ) -> None:
        self._samples = samples
        self._faces = faces
        self._spec = spec

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        sample = self._samples[index]
        crop = prepare(read_rgb(sample.path), self._faces[index], self._spec)
        return _item(crop, sample)


class AugmentedFaces(Dataset[tuple[Tensor, Tensor, int]]):
    """Training faces; indices are (epoch, sample), so that an epoch's noise is its own.

    Args:
        focus: focus strengths to draw from, a sample each time.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        faces: Sequence[Face],
        spec: PreprocessSpec,
        config: AugmentConfig,
        seed: int,
        focus: Sequence[float],
    ) -> None:
        self._samples = samples
        self._faces = faces
        self._specs = [replace(spec, focus_strength=strength) for strength in focus]
        self._config = config
        self._seed = seed

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, Tensor, int]:
        epoch, index = key
        config, sample, face = self._config, self._samples[index], self._faces[index]
        rng = sample_generator(self._seed, epoch, index)
        if rng.random() < config.box_only:
            face = Face(face.box)
        spec = self._specs[int(rng.integers(len(self._specs)))]
        rgb = camera_faults(read_rgb(sample.path), rng, config.camera)
        crop = prepare(rgb, face, spec, random_jitter(rng, config, spec.size_px))
        return _item(erase(crop, rng, config.erase), sample)


class BalancedOrder(Sampler[tuple[int, int]]):
    """An epoch's order of training samples, drawn afresh from seed and epoch.

    Args:
        samples: the training samples.
        labels: how many classes there are.
        balance: 0 takes every sample once; 1 draws all classes equally often; between, class
            frequencies n become n ** (1 - balance).
        seed: of the whole run.
    """

    def __init__(self, samples: Sequence[Sample], labels: int, balance: float, seed: int) -> None:
        counts = class_counts(samples, labels).astype(np.float64)
        weights = np.array([counts[sample.label] ** -balance for sample in samples])
        self._chances = weights / weights.sum()
        self._balance = balance
        self._seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._chances)

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[int, int]]:
        rng = sample_generator(self._seed, self.epoch, _ORDER)
        if self._balance == 0:
            order = rng.permutation(len(self))
        else:
            order = rng.choice(len(self), len(self), p=self._chances)
        return iter((self.epoch, int(index)) for index in order)


def _item(crop: NDArray[np.uint8], sample: Sample) -> tuple[Tensor, Tensor, int]:
    codes = torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1)))
    return codes, torch.tensor(sample.target, dtype=torch.float32), sample.label
