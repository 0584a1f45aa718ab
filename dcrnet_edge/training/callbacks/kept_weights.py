"""The weights that a run keeps: the last ones, and the best so far."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_edge.training.module import LAST_WEIGHTS, TrainingModule
from dcrnet_runtime.outfile import written_beside

BEST_WEIGHTS = "best.safetensors"


class KeptWeights(Callback):
    """Writes the weights that were just validated: the last ones, and the best so far.

    Those of an epoch at larger inputs are better than any of smaller ones, since it is the size
    in the end that a run is for.

    Has to stand before the averaging callback, which takes the averaged weights out of the
    network at the end of the validation.

    Args:
        folder: the run's.
        write: writes a network to a path, given the epoch.
        size_at: input side in px that an epoch is validated at.
    """

    def __init__(
        self,
        folder: Path,
        write: Callable[[Path, FaceNetwork, int], None],
        size_at: Callable[[int], int],
    ) -> None:
        self.best = -1.0
        self._best_size_px = 0
        self._folder = folder
        self._write = write
        self._size_at = size_at

    def on_validation_epoch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule
    ) -> None:
        assert isinstance(module, TrainingModule)
        accuracy = float(module.accuracy.compute())
        if not trainer.is_global_zero:
            return
        last = self._folder / LAST_WEIGHTS
        self._write(last, module.network, trainer.current_epoch)
        size_px = self._size_at(trainer.current_epoch)
        if (size_px, accuracy) > (self._best_size_px, self.best):
            self._best_size_px, self.best = size_px, accuracy
            with written_beside(self._folder / BEST_WEIGHTS) as beside:
                shutil.copyfile(last, beside)

    @property
    def state_key(self) -> str:
        return "KeptWeights"  # in resume points, whatever the class is called

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "size_px": self._best_size_px}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best = state_dict["best"]
        if "size_px" in state_dict:
            self._best_size_px = state_dict["size_px"]
        elif (best := self._folder / BEST_WEIGHTS).is_file():  # a run of an older version
            self._best_size_px = load_checkpoint(best).card.preprocess.size_px
