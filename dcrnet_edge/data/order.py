"""In which order, how often and at which size an epoch shows the training samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch.utils.data import Sampler

from dcrnet_edge.data.loader_spec import SizeSchedule
from dcrnet_edge.datasets.sample import Sample, class_counts

_ORDER = 2**32 - 1  # stands in a sample's place in the seed of an epoch's order


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


class OversampledOrder(Sampler[Draw]):
    """An epoch's order of training samples, drawn afresh from seed and epoch.

    Every device draws the same order and takes its share of it.

    Args:
        samples: the training samples.
        labels: how many classes there are.
        power: 0 takes every sample once; 1 draws all classes equally often; between, class
            frequencies n become n ** (1 - power).
        seed: of the whole run.
        rank: this device's number.
        devices: how many there are.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        labels: int,
        power: float,
        seed: int,
        *,
        rank: int = 0,
        devices: int = 1,
    ) -> None:
        counts = class_counts(samples, labels).astype(np.float64)
        weights = np.array([counts[sample.label] ** -power for sample in samples])
        self._chances = weights / weights.sum()
        self._power = power
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
        if self._power == 0:
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
        sizes: by epoch.
        batch_size: samples a batch.
    """

    def __init__(self, order: OversampledOrder, sizes: SizeSchedule, batch_size: int) -> None:
        self._order = order
        self._sizes = sizes
        self._batch_size = batch_size

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[tuple[Draw, int]]:
        epoch, batch_size = self._order.epoch, self._batch_size
        sizes = self._sizes.at(epoch)
        before = epoch * (len(self) // batch_size)
        for position, draw in enumerate(self._order, self._order.skipped):
            yield draw, sizes[(before + position // batch_size) % len(sizes)]
