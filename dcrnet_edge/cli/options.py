"""What the training and the evaluation command share."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dcrnet_runtime.cli.console import note
from dcrnet_runtime.cli.extra import require_extra
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_edge.datasets.registry import DatasetKind
    from dcrnet_edge.datasets.splits import SplitPlan

_EXTRA = (
    *("torch", "lightning", "safetensors", "sklearn", "scipy", "statsmodels"),
    *("matplotlib", "pydantic", "tomli_w"),
)


def train_extra() -> None:
    """Refuse to go on without what training and evaluation need.

    Raises:
        DcrnetError: the ``train`` extra is not installed.
    """
    require_extra("train", _EXTRA)


def dataset_kind(name: str) -> DatasetKind:
    """The adapter called ``name``.

    Raises:
        DcrnetError: there is none.
    """
    from dcrnet_edge.datasets.registry import DatasetKind

    try:
        return DatasetKind(name)
    except ValueError as error:
        raise DcrnetError(
            f"--dataset {name} is unknown: choose {', '.join(DatasetKind)}"
        ) from error


def open_data(
    kind: DatasetKind,
    root: Path,
    plan: SplitPlan,
    landmarks: Path | None,
    workers: int = 0,
    *,
    is_box_only: bool = False,
) -> FaceData:
    """Read a data set, say what is in it, and find its faces as they are asked for.

    Args:
        kind: its layout.
        root: its folder.
        plan: its split.
        landmarks: bundle of networks to find faces with.
        workers: processes that look for faces; 0: one for each core.
        is_box_only: withhold the landmarks that are found.

    Raises:
        DcrnetError: the data cannot be read or split, or there is no landmark network.
    """
    import functools
    import os

    from lightning.pytorch.utilities import rank_zero_only

    from dcrnet_edge.data.crop_cache import CropCache
    from dcrnet_edge.data.face_cache import FaceCache
    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_edge.datasets.registry import read_dataset
    from dcrnet_runtime.cache import cache_folder
    from dcrnet_runtime.detectors.detector import DetectorKind, open_detector

    say = rank_zero_only(note)  # not by each of several devices
    say(f"Reading {root}.")
    dataset = read_dataset(kind, root, plan)
    counts = ", ".join(f"{split} {len(samples)}" for split, samples in dataset.splits.items())
    skipped = f", {dataset.unreadable} unreadable ones skipped" if dataset.unreadable else ""
    say(f"{dataset.protocol}: {counts} images; {dataset.repeats} repeats dropped{skipped}.")
    cache = FaceCache(
        cache_folder() / "faces",
        functools.partial(open_detector, DetectorKind.LITERT, landmarks),
        workers=workers or os.cpu_count() or 1,
        progress=_progress_bar("Finding faces"),
    )
    crops = CropCache(cache_folder() / "crops", _progress_bar("Preparing faces"))
    return FaceData(dataset, cache, crops, is_box_only=is_box_only)


def _progress_bar(title: str) -> Callable[[int, int], None]:
    """Shows how much is done on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    progress = Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    atexit.register(progress.stop)  # an error may come first, and the cursor is hidden
    task = progress.add_task(title)

    def show(done: int, total: int) -> None:
        if done == 0:
            progress.reset(task)
            progress.start()
        progress.update(task, completed=done, total=total)
        if done >= total:
            progress.stop()

    return show
