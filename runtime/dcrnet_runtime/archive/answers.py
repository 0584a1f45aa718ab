"""The answers to files from Python: an iterator over photos and recordings."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from dcrnet_runtime.archive.answering import ReadOptions
from dcrnet_runtime.archive.engine import Engine, LocalEngine
from dcrnet_runtime.archive.item import Item
from dcrnet_runtime.archive.processes.cores import worker_count
from dcrnet_runtime.archive.processes.pool import WorkerPool
from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec
from dcrnet_runtime.observation import Observation, TrackedFace
from dcrnet_runtime.video.files.inputs import listed_inputs


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one picture of a file was answered, or why the file was not read to its end.

    Attributes:
        path: of the file.
        observation: faces, time and number of the picture, without its pixels; None where
            ``error`` says why there is none.
        error: why the file could not be read, or not further; empty where it could.
    """

    path: Path
    observation: Observation | None = None
    error: str = ""

    @property
    def faces(self) -> tuple[TrackedFace, ...]:
        """The faces of the picture, best first."""
        return () if self.observation is None else self.observation.faces


def recognize_files(
    paths: Iterable[str | os.PathLike[str]],
    *,
    workers: int | str = 1,
    spec: RecognizerSpec | None = None,
    options: ReadOptions | None = None,
) -> Generator[Answer, None, None]:
    """Answer photos and recordings: one answer a photo, one a frame of a recording, in order.

    >>> for answer in recognize_files(["photos/", "clip.mp4"]):  # workers="auto" for all cores
    ...     print(answer.path.name, answer.error or [face.label for face in answer.faces])
    a.jpg [...

    What is not iterated to its end is closed (``contextlib.closing``), which ends the processes.

    Args:
        paths: files, folders and patterns, as ``dcrnet-run`` takes them. What cannot be read has
            an answer with an error.
        workers: processes; ``auto`` for one a core where there are enough files.
        spec: model and detector; None for the shipped ones.
        options: how files are read; pictures are never kept.

    Raises:
        DcrnetError: no model or detector can be opened, or ``workers`` is no number.
    """
    inputs = listed_inputs([os.fspath(path) for path in paths])
    items = [
        Item(path, name, inputs.unreadable.get(path, ""))
        for path, name in zip(inputs.paths, inputs.names, strict=True)
    ]
    spec, options = spec or RecognizerSpec(), options or ReadOptions()
    count = worker_count(str(workers), len(items))
    engine: Engine = (
        LocalEngine(spec.open(), options) if count == 1 else WorkerPool(spec, options, count)
    )
    parts = engine.parts(items, lambda: False)
    try:
        for part in parts:
            path = items[part.index].path
            for observation in part.observations:
                yield Answer(path, observation)
            if part.failure:
                yield Answer(path, error=part.failure)
    finally:
        parts.close()
