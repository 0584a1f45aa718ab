"""What a frame costs on its way to an answer: find the face, prepare it, classify it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.timing.clock import Latency, Rounds, Task, interleave
from dcrnet_bench.timing.loop import time_loop
from dcrnet_bench.timing.scene import Scene
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.detectors.detector import Detector, open_detector
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face
from dcrnet_runtime.preprocess.crops import prepare


class Stage(StrEnum):
    """A part of the pipeline; ``whole`` is the sum of a round's three parts.

    ``loop`` is a frame of the live loop less finding and inference.
    """

    FIND = "find faces"
    PREPARE = "prepare"
    INFER = "inference"
    WHOLE = "whole, one face"
    LOOP = "live loop but finding and inference"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A loaded model under measurement.

    Attributes:
        name: tells it from the others in the table.
        path: of its file.
        size_mb: of its file, in 10^6 bytes.
        model: itself.
        crop: (1, S, S, 3) uint8, the scene's face as this model wants it.
    """

    name: str
    path: Path
    size_mb: float
    model: Model
    crop: NDArray[np.uint8]

    def infer(self) -> NDArray[np.float32]:
        """One inference of one crop."""
        return self.model.probabilities(self.crop)


@dataclass(frozen=True, slots=True)
class StageLatency:
    """What one stage took; ``model`` is its entry's name, empty where all share the stage."""

    stage: Stage
    model: str
    latency: Latency


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """Everything that is timed.

    Attributes:
        entries: the models.
        scene: the frame.
        detector: who looks for faces in it.
        face: what is prepared: the detector's best, or the scene's stand-in.
        face_count: faces that the detector sees in the scene.
    """

    entries: tuple[Entry, ...]
    scene: Scene
    detector: Detector
    face: Face
    face_count: int

    @classmethod
    def open(cls, paths: Sequence[Path], scene: Scene, threads: int) -> Pipeline:
        """Load what is measured.

        Args:
            paths: model files.
            scene: the frame.
            threads: of each model and of OpenCV.

        Raises:
            DcrnetError: a model cannot be loaded; the scene shows no face.
        """
        cv2.setNumThreads(threads)
        models = [load_model(path, threads=threads) for path in paths]
        detector = open_detector()
        faces = detector.find(scene.rgb)
        face = faces[0] if faces else scene.stand_in
        if face is None:
            raise DcrnetError(
                f"no face is found in {scene.name}: name an image of a face with --source"
            )
        entries = tuple(
            _entry(name, path, model, scene, face)
            for name, path, model in zip(_names(paths), paths, models, strict=True)
        )
        return cls(entries, scene, detector, face, len(faces))

    def tasks(self) -> list[Task]:
        """Finding, then preparation and inference of each model."""
        tasks = [Task(Stage.FIND, partial(self.detector.find, self.scene.rgb))]
        for entry in self.entries:
            spec = entry.model.card.preprocess
            tasks += [
                Task(Stage.PREPARE, partial(prepare, self.scene.rgb, self.face, spec)),
                Task(Stage.INFER, entry.infer),
            ]
        return tasks

    def measure(self, rounds: int) -> tuple[Rounds, list[StageLatency]]:
        """Time all stages of all models in turn, then the loop around them."""
        timed = interleave(self.tasks(), rounds)
        loop = time_loop(self.scene.rgb, self.face, self.entries[0].model, rounds)
        return timed, [*self.stages(timed.times_ns), StageLatency(Stage.LOOP, "", loop)]

    def stages(self, times_ns: NDArray[np.int64]) -> list[StageLatency]:
        """Statistics of (rounds, tasks) durations in the order of :meth:`tasks`."""
        find = times_ns[:, 0]
        found = [StageLatency(Stage.FIND, "", Latency.of(find))]
        for i, entry in enumerate(self.entries):
            preparation, inference = times_ns[:, 1 + 2 * i], times_ns[:, 2 + 2 * i]
            for stage, times in (
                (Stage.PREPARE, preparation),
                (Stage.INFER, inference),
                (Stage.WHOLE, find + preparation + inference),
            ):
                found.append(StageLatency(stage, entry.name, Latency.of(times)))
        return found


def _entry(name: str, path: Path, model: Model, scene: Scene, face: Face) -> Entry:
    crop = prepare(scene.rgb, face, model.card.preprocess)[None]
    return Entry(name, path, path.stat().st_size / 1e6, model, crop)


def _names(paths: Sequence[Path]) -> list[str]:
    """File names; whole paths where names repeat, numbered where a path repeats."""
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    return [
        f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]
