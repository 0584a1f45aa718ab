"""How long training waits for its data, and how fast one core loads them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import cv2
import lightning
from lightning.pytorch.callbacks import Callback
from torch.utils.data import Dataset

from dcrnet_edge.data.items import Item
from dcrnet_edge.data.order import Draw

_WARM_UP = 8


class DataWait(Callback):
    """Divides the time of a run's epochs into waiting for batches and all else of a step.

    Validation counts as neither. It has to stand last, so that what other callbacks do behind a
    step is not taken for waiting; it counts on over all starts of a run.

    Attributes:
        waited_s: from the end of a step to the next one's batch, the start of loading processes
            included.
        stepped_s: of the steps.
        images: that this device was given.
    """

    def __init__(self) -> None:
        self.waited_s = 0.0
        self.stepped_s = 0.0
        self.images = 0
        self._since = 0.0

    @property
    def percent(self) -> float:
        """The share of the time spent on waiting; 0 before the first step."""
        total = self.waited_s + self.stepped_s
        return 100 * self.waited_s / total if total > 0 else 0.0

    @property
    def images_per_s(self) -> float:
        """What training took, waiting included; 0 before the first step."""
        total = self.waited_s + self.stepped_s
        return self.images / total if total > 0 else 0.0

    def on_train_epoch_start(self, *_: Any) -> None:
        self._since = time.monotonic()

    def on_train_batch_start(self, *_: Any) -> None:
        self.waited_s += self._lap()

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self.stepped_s += self._lap()
        self.images += len(batch[0])

    def _lap(self) -> float:
        now = time.monotonic()
        lap, self._since = now - self._since, now
        return lap

    @property
    def state_key(self) -> str:
        return "DataWait"

    def state_dict(self) -> dict[str, Any]:
        return {"waited_s": self.waited_s, "stepped_s": self.stepped_s, "images": self.images}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.waited_s = state_dict["waited_s"]
        self.stepped_s = state_dict["stepped_s"]
        self.images = state_dict["images"]


def images_per_s_a_core(faces: Dataset[Item], keys: Sequence[tuple[Draw, int]]) -> float:
    """How many images one core reads, augments and prepares in a second of its own time.

    Args:
        faces: what the loaders read from.
        keys: which to load; the first few warm up.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for key in keys[:_WARM_UP]:
            faces[key]
        start = time.thread_time()
        for key in keys:
            faces[key]
        return len(keys) / max(time.thread_time() - start, 1e-9)
    finally:
        cv2.setNumThreads(threads)
