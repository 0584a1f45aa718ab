"""What a frame costs on its way to an answer: find the face, prepare it, classify it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.timing.clock import Rounds, interleave
from dcrnet_bench.timing.cold import ColdStart, timed_first, timed_load
from dcrnet_bench.timing.latency import Latency
from dcrnet_bench.timing.loop import time_loop
from dcrnet_bench.timing.sampling import Protocol, SampleRule
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
        crops: (1, S, S, 3) uint8 each, the scenes' faces as this model wants them.
        cold: its first load and inference.
    """

    name: str
    path: Path
    size_mb: float
    model: Model
    crops: tuple[NDArray[np.uint8], ...]
    cold: ColdStart

    @property
    def crop(self) -> NDArray[np.uint8]:
        """The first one."""
        return self.crops[0]

    def infer(self) -> NDArray[np.float32]:
        """One inference of the first crop."""
        return self.model.probabilities(self.crop)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A frame and what is prepared of it.

    Attributes:
        scene: the frame.
        face: the detector's best, or the scene's stand-in.
        face_count: faces that the detector sees.
    """

    scene: Scene
    face: Face
    face_count: int


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """What was timed.

    Attributes:
        alone: of each repeat, the models' inferences and nothing between them; (rounds, models).
        stages: of each repeat, finding, then preparation and inference of each model;
            (rounds, 1 + 2 x models).
        loop_ns: of each repeat, (frames,) durations of the live loop around them.
    """

    alone: tuple[Rounds, ...]
    stages: tuple[Rounds, ...]
    loop_ns: tuple[NDArray[np.int64], ...]

    @property
    def runs(self) -> int:
        """Timed rounds of the models alone."""
        return sum(len(each.times_ns) for each in self.alone)

    @property
    def warm_up_rounds(self) -> int:
        """Before the first of them."""
        return self.alone[0].warm_up_rounds

    @property
    def is_steady(self) -> bool:
        """Whether every warm-up ended because times had settled."""
        return all(each.is_steady for each in (*self.alone, *self.stages))


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """Everything that is timed.

    Attributes:
        models: what is measured.
        views: the frames, at least one; they take turns.
        detector: who looks for faces in them.
    """

    models: tuple[LoadedModel, ...]
    views: tuple[View, ...]
    detector: Detector

    @classmethod
    def open(cls, paths: Sequence[Path], scenes: Sequence[Scene], threads: int) -> Pipeline:
        """Load what is measured.

        Args:
            paths: model files.
            scenes: the frames.
            threads: of each model and of OpenCV.

        Raises:
            DcrnetError: a model cannot be loaded; a scene shows no face.
        """
        cv2.setNumThreads(threads)
        load = partial(load_model, threads=threads)
        models = [timed_load(path, load) for path in paths]
        detector = open_detector()
        found = (view_of(scene, detector) for scene in scenes)
        views = tuple(view for view in found if view is not None)
        loaded = tuple(
            _loaded(name, path, *model, views)
            for name, path, model in zip(_names(paths), paths, models, strict=True)
        )
        return cls(loaded, views, detector)

    @property
    def source(self) -> str:
        """What the frames show."""
        return ", ".join(dict.fromkeys(view.scene.name for view in self.views))

    @property
    def face_count(self) -> int:
        """Faces that the detector sees in the frame with the fewest."""
        return min(view.face_count for view in self.views)

    def inferences(self) -> list[list[Task]]:
        """Of each view, the inference of each model."""
        return [
            [partial(each.model.probabilities, each.crops[i]) for each in self.models]
            for i in range(len(self.views))
        ]

    def tasks(self) -> list[list[Task]]:
        """Of each view, finding, then preparation and inference of each model."""
        found = []
        for i, view in enumerate(self.views):
            rgb = view.scene.rgb
            tasks: list[Task] = [partial(self.detector.find, rgb)]
            for each in self.models:
                spec = each.model.card.preprocess
                infer = partial(each.model.probabilities, each.crops[i])
                tasks += [partial(prepare, rgb, view.face, spec), infer]
            found.append(tasks)
        return found

    def measure(self, rule: SampleRule) -> Measurement:
        """Time the models alone, all stages of all models in turn, and the loop around them.

        Where the processor is emulated, of whose times none is told, the models alone.
        """
        frames = [view.scene.rgb for view in self.views]
        alone, stages, loops = [], [], []
        for _ in range(rule.repeats):
            alone.append(interleave(self.inferences(), rule))
            if rule.protocol is Protocol.EMULATED:
                continue
            stages.append(interleave(self.tasks(), rule))
            loops.append(time_loop(frames, self.views[0].face, self.models[0].model, rule))
        return Measurement(tuple(alone), tuple(stages), tuple(loops))

    def stages(self, measured: Measurement) -> list[StageLatency]:
        """Statistics of each stage, the live loop last."""
        repeats = [each.times_ns for each in measured.stages]
        found = [StageLatency(TimedStage.FIND, "", Latency.of(*(t[:, 0] for t in repeats)))]
        for i, each in enumerate(self.models):
            columns = {
                TimedStage.PREPARE: [1 + 2 * i],
                TimedStage.INFER: [2 + 2 * i],
                TimedStage.WHOLE: [0, 1 + 2 * i, 2 + 2 * i],
            }
            for stage, parts in columns.items():
                latency = Latency.of(*(times[:, parts].sum(axis=1) for times in repeats))
                found.append(StageLatency(stage, each.name, latency))
        return [*found, StageLatency(TimedStage.LOOP, "", Latency.of(*measured.loop_ns))]


def view_of(scene: Scene, detector: Detector) -> View | None:
    """What is prepared of a frame; None of a derived one in which no face is found.

    Raises:
        DcrnetError: the scene shows no face.
    """
    faces = detector.find(scene.rgb)
    face = faces[0] if faces else scene.stand_in
    if face is None and scene.is_derived:
        return None
    if face is None:
        raise DcrnetError(
            f"no face is found in {scene.name}: name an image of a face with `source`"
        )
    return View(scene, face, len(faces))


def _loaded(
    name: str, path: Path, model: Model, load_ms: float, views: Sequence[View]
) -> LoadedModel:
    spec = model.card.preprocess
    crops = tuple(prepare(view.scene.rgb, view.face, spec)[None] for view in views)
    cold = ColdStart(round(load_ms, 3), round(timed_first(model, crops[0]), 3))
    return LoadedModel(name, path, path.stat().st_size / 1e6, model, crops, cold)


def _names(paths: Sequence[Path]) -> list[str]:
    """File names; whole paths where names repeat, numbered where a path repeats."""
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    return [
        f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]
