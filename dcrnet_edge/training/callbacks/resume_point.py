"""The state that a run goes on from, in one file that a kill cannot damage."""

from __future__ import annotations

import functools
import io
import shlex
import signal
import time
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins.io import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback

from dcrnet_edge.training.interruption import EndRequest, RunEndedError
from dcrnet_edge.training.module import LAST_WEIGHTS, Batch
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

RESUME_NAME = "resume.ckpt"


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that replace the one before only once they are whole."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, *_: Any, **__: Any) -> None:
        # Not straight into the file: torch's writer hides why it failed.
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        with written_beside(Path(path)) as beside:
            beside.write_bytes(buffer.getbuffer())


class ResumePoint(Callback):
    """Writes the state that ``--resume`` goes on from, every epoch and every few minutes.

    It also counts the hours of training over all starts of a run, and ends the run in good
    order on SIGINT and SIGTERM: behind the step or the validation that it is at.

    Args:
        path: of the one file.
        minutes: between two writes inside an epoch.

    Attributes:
        hours: of training, over all starts.
        request: what the run was told by signals.
    """

    def __init__(self, path: Path, minutes: float) -> None:
        self.hours = 0.0
        self._path = path
        self._seconds = 60 * minutes
        self.request = EndRequest()
        self._written = self._counted = time.monotonic()

    def on_fit_start(self, *_: Any) -> None:
        self.request.listen()

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        self._written = self._counted = time.monotonic()
        # Lightning's handlers would lose the step, or wait in it for the other devices; it puts
        # back those of before.
        self.request.listen()
        stop = trainer.early_stopping_callback
        if stop is not None and stop.wait_count >= stop.patience:
            trainer.should_stop = True  # it had, before the run was cut off

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        module: lightning.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
    ) -> None:
        if batch_idx + 1 == trainer.num_training_batches:
            return  # the epoch's own checkpoint follows, behind the validation
        # All devices write together or none does.
        one_of_all = functools.partial(trainer.strategy.reduce_boolean_decision, all=False)
        is_told = self._is_told(trainer)
        if not one_of_all(is_told or time.monotonic() - self._written >= self._seconds):
            return
        self._write(trainer)
        if one_of_all(is_told):
            raise self._ended(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        is_told = self._is_told(trainer)
        self._write(trainer)
        if trainer.strategy.reduce_boolean_decision(is_told, all=False):
            raise self._ended(trainer)

    def end_if_told(self) -> None:
        """Raises RunEndedError where a signal came that no step or epoch was behind."""
        if self.request.by is not None:
            raise RunEndedError(self.request.by, f"{resume_command(self._path.parent)} goes on")

    def _is_told(self, trainer: lightning.Trainer) -> bool:
        return self.request.by is not None or trainer.received_sigterm

    def _ended(self, trainer: lightning.Trainer) -> RunEndedError:
        return RunEndedError(
            self.request.by or signal.SIGTERM,
            f"{resume_command(self._path.parent)} goes on",
            f" after step {trainer.global_step}, which {self._path} holds",
        )

    def _write(self, trainer: lightning.Trainer) -> None:
        self._count()
        trainer.save_checkpoint(self._path)
        self._written = time.monotonic()

    def _count(self) -> None:
        now = time.monotonic()
        self.hours += (now - self._counted) / 3600
        self._counted = now

    @property
    def state_key(self) -> str:
        return "ResumePoint"  # in resume points, whatever the class is called

    def state_dict(self) -> dict[str, Any]:
        return {"hours": self.hours}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.hours = state_dict["hours"]


def resume_command(folder: Path) -> str:
    """The command that goes on with the run in a folder."""
    return f"dcrnet-train --resume --out {shlex.quote(str(folder))}"


def step_of(path: Path) -> int:
    """Optimiser steps behind a resume point.

    Raises:
        DcrnetError: the file is damaged or foreign.
    """
    try:
        return int(torch.load(path, weights_only=True)["global_step"])
    except Exception as error:  # torch raises whatever the damage leads to
        raise DcrnetError(
            f"{path} cannot be read ({type(error).__name__}): start a new run with `start_from`"
            f" {path.with_name(LAST_WEIGHTS)}"
        ) from error
