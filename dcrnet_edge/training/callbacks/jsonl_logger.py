"""What a run leaves behind to read: one JSON line a logged step, and a picture of the curves."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

LOG_NAME = "log.jsonl"
CURVES_NAME = "curves.png"

_CURVES_EVERY_S = 30.0


class JsonlLogger(Logger):
    """Appends every logged step to ``log.jsonl``; a resumed run goes on in the same file.

    Args:
        folder: the run's.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._path = folder / LOG_NAME

    @property
    def name(self) -> str:
        return "jsonl"

    @property
    def version(self) -> str:
        return ""

    @rank_zero_only
    def log_hyperparams(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing: the run's settings have a file of their own."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps({"step": step, **metrics}) + "\n")

    @rank_zero_only
    def forget_after(self, step: int) -> None:
        """Drop the lines of ``step`` and later, which a resumed run will do again."""
        lines = [line for line in read_log(self._path) if line["step"] < step]
        with written_beside(self._path) as beside:
            beside.write_text("".join(json.dumps(line) + "\n" for line in lines))


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log; one that was cut off while it was written is left out."""
    lines = []
    if path.is_file():
        for line in path.read_text().splitlines():
            try:
                lines.append(json.loads(line))
            except (ValueError, RecursionError):
                continue
    return lines


class Curves(Callback):
    """Draws ``curves.png`` where training ends or fails, and at an epoch's end twice a minute.

    Not at each one: an epoch of a small data set takes less than its picture.

    Args:
        folder: the run's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drawn_s: float | None = None

    def on_train_start(self, *_: Any) -> None:
        self._drawn_s = time.monotonic()

    def on_train_epoch_end(self, *_: Any) -> None:
        now = time.monotonic()
        if self._drawn_s is not None and now - self._drawn_s >= _CURVES_EVERY_S:
            draw_curves(self._folder)
            self._drawn_s = now

    def on_train_end(self, *_: Any) -> None:
        draw_curves(self._folder)

    def on_exception(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, error: BaseException
    ) -> None:
        # The first error is the one to tell.
        with suppress(OSError, MemoryError, DcrnetError):
            if self._drawn_s is not None:
                draw_curves(self._folder)


@rank_zero_only
def draw_curves(folder: Path) -> None:
    """Draw losses, validation accuracy and learning rate of a run into ``curves.png``."""
    from matplotlib.figure import Figure

    lines = read_log(folder / LOG_NAME)
    figure = Figure(figsize=(8, 9), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True)
    for panel, (title, keys) in zip(panels, _PANELS, strict=True):
        for key in keys:
            points = [(line["step"], line[key]) for line in lines if key in line]
            if points:
                marker = "." if key.startswith("valid") else ""
                panel.plot(*zip(*points, strict=True), marker=marker, label=key)
        panel.set_title(title, loc="left")
        panel.grid(visible=True, alpha=0.3)
        if panel.has_data():
            panel.legend()
    panels[-1].set_xlabel("optimiser steps")
    with written_beside(folder / CURVES_NAME) as beside:
        figure.savefig(beside, dpi=100)


_PANELS = (
    ("Loss", ("loss", "auxiliary_loss", "valid_loss")),
    ("Accuracy on the validation split", ("valid_accuracy",)),
    ("Learning rate", ("learning_rate",)),
)
