"""What a run's loaders give, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field

from dcrnet_edge.data.augmentation import AugmentConfig


@dataclass(frozen=True, slots=True)
class SizeSchedule:
    """Input sides in px over a run.

    Attributes:
        full_size_px: of the contract; none is above it, so that a schedule serves a smaller
            contract, too.
        progressive: (size in px, epochs) of the first epochs.
        mixed: sides that take turns with the full one in the rest, batch by batch.
    """

    full_size_px: int
    progressive: tuple[tuple[int, int], ...] = ()
    mixed: tuple[int, ...] = ()

    def at(self, epoch: int) -> tuple[int, ...]:
        """Sides in px of the batches of ``epoch``, counted from 0; the main one first."""
        for size_px, epochs in self.progressive:
            if epoch < epochs:
                return (min(size_px, self.full_size_px),)
            epoch -= epochs
        smaller = (size_px for size_px in self.mixed if size_px < self.full_size_px)
        return self.full_size_px, *smaller


@dataclass(frozen=True, slots=True)
class LoaderSpec:
    """What a run's loaders give.

    Attributes:
        sizes: input sides by epoch.
        epochs: of the whole run.
        batch_size: faces a step and device.
        seed: of order and augmentation.
        oversampling_power: see :class:`dcrnet_edge.data.order.OversampledOrder`.
        augment: augmentation.
        focus: focus strengths to draw from, a sample each time; empty takes the contract's.
    """

    sizes: SizeSchedule
    epochs: int = 1
    batch_size: int = 32
    seed: int = 0
    oversampling_power: float = 0.0
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    focus: tuple[float, ...] = ()
