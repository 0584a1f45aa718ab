"""Samples to tensors, through the runtime's own preprocessing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from dcrnet_edge.data.augmentation import (
    camera_faults,
    corrupted,
    erase,
    random_jitter,
    sample_generator,
)
from dcrnet_edge.data.crop_cache import Crops
from dcrnet_edge.datasets.sample import Sample, class_counts, read_rgb
from dcrnet_edge.training.recipe import Recipe
from dcrnet_runtime.face import Face
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import PreprocessSpec

_ORDER = 2**32 - 1  # stands in a sample's place in the seed of an epoch's order

Item = tuple[Tensor, Tensor, int]
"""Codes (3, S, S) uint8 RGB, target (labels,) float32, label."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What is shown next, and all that its noise depends on besides the run's seed.

    Attributes:
        epoch: counted from 0.
        index: of the sample.
        repeat: how often the epoch has shown it before; oversampling draws rare classes again.
    """

    epoch: int
    index: int
    repeat: int


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
        recipe: augmentation and seed.
        focus: focus strengths to draw from, a sample each time.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        faces: Sequence[Face],
        spec: PreprocessSpec,
        recipe: Recipe,
        focus: Sequence[float] = (),
    ) -> None:
        self._samples = samples
        self._faces = faces
        self._spec = spec
        self._recipe = recipe
        self._focus = tuple(focus) or (spec.focus_strength,)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, key: tuple[Draw, int]) -> Item:
        draw, size_px = key
        config = self._recipe.augment
        sample, face = self._samples[draw.index], self._faces[draw.index]
        rng = sample_generator(self._recipe.seed, draw.epoch, draw.index, draw.repeat)
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


class OversampledOrder(Sampler[Draw]):
    """An epoch's order of training samples, drawn afresh from seed and epoch.

    Every device draws the same order and takes its share of it.

    Args:
        samples: the training samples.
        labels: how many classes there are.
        balance: 0 takes every sample once; 1 draws all classes equally often; between, class
            frequencies n become n ** (1 - balance).
        seed: of the whole run.
        rank: this device's number.
        devices: how many there are.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        labels: int,
        balance: float,
        seed: int,
        *,
        rank: int = 0,
        devices: int = 1,
    ) -> None:
        counts = class_counts(samples, labels).astype(np.float64)
        weights = np.array([counts[sample.label] ** -balance for sample in samples])
        self._chances = weights / weights.sum()
        self._balance = balance
        self._seed = seed
        self._rank = rank
        self._devices = devices
        self.epoch = 0
        self.skipped = 0

    def __len__(self) -> int:
        return len(self._chances) // self._devices

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of ``epoch``, unless inside it."""
        if epoch != self.epoch:
            self.start_at(epoch, 0)

    def start_at(self, epoch: int, skipped: int) -> None:
        """Go on inside ``epoch``, behind this device's first ``skipped`` samples."""
        self.epoch = epoch
        self.skipped = skipped

    def __iter__(self) -> Iterator[Draw]:
        rng = np.random.default_rng((self._seed, self.epoch, _ORDER))
        if self._balance == 0:
            order = rng.permutation(len(self._chances))
        else:
            order = rng.choice(len(self._chances), len(self._chances), p=self._chances)
        shown: Counter[int] = Counter()
        draws = []
        for index in map(int, order):
            draws.append(Draw(self.epoch, index, shown[index]))
            shown[index] += 1
        share = draws[self._rank :: self._devices][: len(self)]
        return iter(share[self.skipped :])


class SizedOrder(Sampler[tuple[Draw, int]]):
    """An order with the input side of each sample: one for a whole batch, by turns over the run.

    Args:
        order: of the samples.
        recipe: sizes and batches.
        full_size_px: side of the contract's input.
    """

    def __init__(self, order: OversampledOrder, recipe: Recipe, full_size_px: int) -> None:
        self._order = order
        self._recipe = recipe
        self._full_size_px = full_size_px

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[tuple[Draw, int]]:
        epoch, batch_size = self._order.epoch, self._recipe.batch_size
        sizes = self._recipe.sizes_at(epoch, self._full_size_px)
        before = epoch * (len(self) // batch_size)
        for position, draw in enumerate(self._order, self._order.skipped):
            yield draw, sizes[(before + position // batch_size) % len(sizes)]


def _item(crop: NDArray[np.uint8], sample: Sample) -> Item:
    codes = torch.from_numpy(crop.transpose(2, 0, 1).copy())
    return (
        codes.expand(3, -1, -1),
        torch.tensor(sample.target, dtype=torch.float32),
        sample.label,
    )
