"""A data set for a command: read, described, and its faces found with a progress bar."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_runtime.cli.console import note
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_edge.datasets.sample import FaceDataset, Split
    from dcrnet_edge.datasets.splits import SplitPlan


LandmarksOption = Annotated[
    Path | None, typer.Option(help="A face_landmarker.task bundle to find faces with.")
]
LandmarksCacheOption = Annotated[
    Path | None,
    typer.Option(
        help="One file with the faces that were found: used where it exists, else made, to carry"
        " to another machine."
    ),
]
FaceWorkersOption = Annotated[
    int, typer.Option(min=0, help="Processes that look for faces; 0: one a core.")
]

ProtocolOption = Annotated[
    str | None, typer.Option(help="official, paper, subject or random; see dcrnet-train.")
]
SplitSeedOption = Annotated[int, typer.Option(min=0)]
FoldOption = Annotated[int, typer.Option(min=0)]
FoldsOption = Annotated[int, typer.Option(min=2)]


def split_plan(protocol: str | None, fold: int, folds: int, seed: int) -> SplitPlan:
    """How a command's options split a data set.

    Raises:
        DcrnetError: there is no protocol of that name.
    """
    from dcrnet_edge.datasets.splits import SplitKind, SplitPlan

    if protocol not in (None, *SplitKind):
        raise DcrnetError(f"`protocol` {protocol} is unknown: choose {', '.join(SplitKind)}")
    return SplitPlan(None if protocol is None else SplitKind(protocol), fold, folds, seed)


def open_data(
    name: str,
    root: Path,
    plan: SplitPlan,
    landmarks: Path | None,
    workers: int = 0,
    *,
    is_box_only: bool = False,
    landmarks_cache: Path | None = None,
    needed: Sequence[Split] | None = None,
) -> FaceData:
    """Read a data set, say what is in it, and find its faces as they are asked for.

    Args:
        name: of its adapter.
        root: its folder.
        plan: its split.
        landmarks: bundle of networks to find faces with.
        workers: processes that look for faces; 0: one for each core.
        is_box_only: withhold the landmarks that are found.
        landmarks_cache: one file that has the faces, or gets them.
        needed: splits that have to be there; None for all.

    Raises:
        DcrnetError: the data cannot be read or split, or there is no landmark network.
    """
    from lightning.pytorch.utilities import rank_zero_only

    from dcrnet_edge.datasets.reading import read_dataset
    from dcrnet_edge.datasets.sample import Split

    say = rank_zero_only(note)  # not by each of several devices
    say(f"Reading {root}.")
    dataset = read_dataset(name, root, plan, tuple(Split) if needed is None else needed)
    counts = ", ".join(f"{split} {len(samples)}" for split, samples in dataset.splits.items())
    left_out = _left_out(dataset)
    say(f"{dataset.protocol}: {counts} images; {dataset.repeats} repeats dropped{left_out}.")
    return open_faces(dataset, landmarks, workers, landmarks_cache, is_box_only=is_box_only)


def open_faces(
    dataset: FaceDataset,
    landmarks: Path | None,
    workers: int = 0,
    landmarks_cache: Path | None = None,
    *,
    is_box_only: bool = False,
) -> FaceData:
    """Find the faces of a data set that has been read, as they are asked for.

    Args:
        dataset: its samples.
        landmarks: see :func:`open_data`.
        workers: see there.
        landmarks_cache: see there.
        is_box_only: see there.

    Raises:
        DcrnetError: there is no landmark network.
    """
    from dcrnet_edge.data.crop_cache import CropCache
    from dcrnet_edge.data.face_cache import FaceCache
    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_runtime.cache import cache_folder
    from dcrnet_runtime.cli.progress import progress_bar
    from dcrnet_runtime.detectors.detector import DetectorKind, open_detector

    cache = FaceCache(
        cache_folder() / "faces",
        functools.partial(open_detector, DetectorKind.LITERT, landmarks),
        workers=workers or os.cpu_count() or 1,
        progress=progress_bar("Finding faces"),
        file=landmarks_cache,
    )
    crops = CropCache(cache_folder() / "crops", progress_bar("Preparing faces"))
    return FaceData(dataset, cache, crops, is_box_only=is_box_only)


def _left_out(dataset: FaceDataset) -> str:
    from dcrnet_edge.datasets.collection import listed

    forks = len(dataset.left_out) - dataset.unreadable
    counted = [f"{dataset.unreadable} unreadable ones"] if dataset.unreadable else []
    counted += [f"{forks} ._ files of macOS"] if forks else []
    return f", {' and '.join(counted)} left out ({listed(dataset.left_out)})" if counted else ""
