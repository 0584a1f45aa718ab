"""What a frame costs on its way to an answer: find the face, prepare it, classify it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.timing.clock import Latency, Rounds, interleave
from dcrnet_bench.timing.loop import time_loop
from dcrnet_bench.timing.scene import Scene
from dcrnet_bench.timing.stage import StageLatency, TimedStage
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.detectors.detector import Detector, open_detector
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.timing import Task


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
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


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """Everything that is timed.

    Attributes:
        models: what is measured.
        scene: the frame.
        detector: who looks for faces in it.
        face: what is prepared: the detector's best, or the scene's stand-in.
        face_count: faces that the detector sees in the scene.
    """

    models: tuple[LoadedModel, ...]
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
                f"no face is found in {scene.name}: name an image of a face with `source`"
            )
        loaded = tuple(
            _loaded(name, path, model, scene, face)
            for name, path, model in zip(_names(paths), paths, models, strict=True)
        )
        return cls(loaded, scene, detector, face, len(faces))

    def tasks(self) -> list[Task]:
        """Finding, then preparation and inference of each model."""
        tasks: list[Task] = [partial(self.detector.find, self.scene.rgb)]
        for each in self.models:
            spec = each.model.card.preprocess
            tasks += [partial(prepare, self.scene.rgb, self.face, spec), each.infer]
        return tasks

    def measure(self, rounds: int) -> tuple[Rounds, list[StageLatency]]:
        """Time all stages of all models in turn, then the loop around them."""
        timed = interleave(self.tasks(), rounds)
        loop = time_loop(self.scene.rgb, self.face, self.models[0].model, rounds)
        return timed, [*self.stages(timed.times_ns), StageLatency(TimedStage.LOOP, "", loop)]

    def stages(self, times_ns: NDArray[np.int64]) -> list[StageLatency]:
        """Statistics of (rounds, tasks) durations in the order of :meth:`tasks`."""
        find = times_ns[:, 0]
        found = [StageLatency(TimedStage.FIND, "", Latency.of(find))]
        for i, each in enumerate(self.models):
            preparation, inference = times_ns[:, 1 + 2 * i], times_ns[:, 2 + 2 * i]
            for stage, times in (
                (TimedStage.PREPARE, preparation),
                (TimedStage.INFER, inference),
                (TimedStage.WHOLE, find + preparation + inference),
            ):
                found.append(StageLatency(stage, each.name, Latency.of(times)))
        return found


def _loaded(name: str, path: Path, model: Model, scene: Scene, face: Face) -> LoadedModel:
    crop = prepare(scene.rgb, face, model.card.preprocess)[None]
    return LoadedModel(name, path, path.stat().st_size / 1e6, model, crop)


def _names(paths: Sequence[Path]) -> list[str]:
    """File names; whole paths where names repeat, numbered where a path repeats."""
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    return [
        f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]
