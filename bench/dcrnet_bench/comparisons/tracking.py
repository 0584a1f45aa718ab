"""What ``--track fast`` saves of the live loop beside ``exact``, and what it changes, on a clip.

    python -m dcrnet_bench.comparisons.tracking clip.mp4

Both go over the same frames, which wait decoded in memory, with the shipped model on one thread,
and take turns. Costs are processor time, so that other work on the machine counts less; printed
are the medians of all turns as Markdown, and all of it as a last line of JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean, median
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from dcrnet_bench.comparisons.camera import Camera
from dcrnet_bench.host.facts import read_host
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import reported
from dcrnet_runtime.detectors.detector import LandmarkTracker, open_detector
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face
from dcrnet_runtime.models import shipped_model
from dcrnet_runtime.observation import TrackedFace
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream, StreamOptions
from dcrnet_runtime.tracking.mode import TrackMode
from dcrnet_runtime.video.capture import CaptureFacts

Faces = tuple[TrackedFace, ...]
"""What one frame shows."""

_NS_PER_MS = 1e6

app = command_app()


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor time a frame of one turn, all ms.

    Attributes:
        networks_cpu_ms: of the detector and the landmark network.
        rest_cpu_ms: of everything else but inference: conversion to RGB, motion, preparation,
            tracking, smoothing, threads.
        inference_cpu_ms: of the expression network.
    """

    networks_cpu_ms: float
    rest_cpu_ms: float
    inference_cpu_ms: float

    @property
    def ratio(self) -> float:
        """Everything but inference, to inference."""
        return (self.networks_cpu_ms + self.rest_cpu_ms) / self.inference_cpu_ms


@dataclass(frozen=True, slots=True)
class Change:
    """What fast tracking makes of the frames in which both modes follow a face.

    Attributes:
        frames: that both modes have a face in.
        moved: of them, with other landmarks than exact tracking's.
        error_px: mean distance of a landmark from exact tracking's, in the moved frames.
        error_p95_px: of nineteen frames of twenty at most.
        error_percent: the mean, of the face box's longer side.
        labels: of frames, that differ before smoothing.
        shown_labels: of frames, that differ behind it.
        mean_dp: mean absolute difference of a frame's probabilities before smoothing.
    """

    frames: int
    moved: int
    error_px: float
    error_p95_px: float
    error_percent: float
    labels: int
    shown_labels: int
    mean_dp: float


@app.command()
@reported
def tracking(
    clip: Annotated[Path, typer.Argument(help="A video of a face.", exists=True)],
    frames: Annotated[int, typer.Option(min=2, help="Of the clip; they wait in memory.")] = 240,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each mode.")] = 3,
) -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    camera = Camera(str(clip), is_paced=False)
    bgr = [camera.bgr() for _ in islice(iter(camera.grab, False), frames)]
    bench = _Bench(load_model(shipped_model()), bgr, camera.fps)
    seen = {mode: bench.watch(mode)[1] for mode in TrackMode}
    change = changes(seen[TrackMode.FAST], seen[TrackMode.EXACT])
    turns = [{mode: bench.watch(mode)[0] for mode in TrackMode} for _ in range(rounds)]
    typer.echo(f"{read_host().cpu}, 1 thread, {len(bgr)} frames of {clip.name}\n")
    typer.echo(table({mode: [turn[mode] for turn in turns] for mode in TrackMode}))
    typer.echo(
        f"\nIn {change.moved} of {change.frames} frames fast tracking has other landmarks:"
        f" {change.error_px:.2f} px off in the mean ({change.error_percent:.2f} % of the face),"
        f" {change.error_p95_px:.2f} px at p95; labels differ in {change.labels} frames before"
        f" smoothing and {change.shown_labels} behind it, mean |dp| {change.mean_dp:.4f}.\n"
    )
    costs = [{mode: asdict(cost) for mode, cost in turn.items()} for turn in turns]
    typer.echo(json.dumps({"change": asdict(change), "turns": costs}))


def table(costs: dict[TrackMode, list[Cost]]) -> str:
    """Markdown, medians over the turns."""
    rows = [
        "| CPU ms a frame | detector and mesh | all else but inference | inference | ratio |",
        "|---|---|---|---|---|",
    ]
    for mode, turns in costs.items():
        values = (
            median(turn.networks_cpu_ms for turn in turns),
            median(turn.rest_cpu_ms for turn in turns),
            median(turn.inference_cpu_ms for turn in turns),
            median(turn.ratio for turn in turns),
        )
        rows.append(f"| `--track {mode}` | {' | '.join(f'{each:.2f}' for each in values)} |")
    return "\n".join(rows)


def changes(fast: Sequence[Faces], exact: Sequence[Faces]) -> Change:
    """How the first face of each frame differs.

    Raises:
        DcrnetError: there is no frame in which both have one.
    """
    pairs = [(one[0], other[0]) for one, other in zip(fast, exact, strict=True) if one and other]
    if not pairs:
        raise DcrnetError("no face is found in the clip: name one of a face")
    distances = [_distance(a.recognition.face, b.recognition.face) for a, b in pairs]
    moved = [each for each in distances if each[0] > 0] or [(0.0, 0.0)]
    raw = [(a.recognition, b.recognition) for a, b in pairs]
    return Change(
        frames=len(pairs),
        moved=sum(px > 0 for px, _ in distances),
        error_px=fmean(px for px, _ in moved),
        error_p95_px=float(np.percentile([px for px, _ in moved], 95)),
        error_percent=100 * fmean(share for _, share in moved),
        labels=sum(a.label != b.label for a, b in raw),
        shown_labels=sum(a.label != b.label for a, b in pairs),
        mean_dp=fmean(float(np.abs(a.probabilities - b.probabilities).mean()) for a, b in raw),
    )


def _distance(one: Face, other: Face) -> tuple[float, float]:
    """Mean over the landmarks: in px, and as a share of the face."""
    assert one.landmarks is not None
    assert other.landmarks is not None
    px = float(np.linalg.norm(one.landmarks - other.landmarks, axis=1).mean())
    return px, px / other.box.side


class _Bench:
    """The clip and the networks, whose processor time is counted."""

    def __init__(self, model: Model, bgr: list[NDArray[np.uint8]], fps: float) -> None:
        detector = open_detector()
        assert isinstance(detector, LandmarkTracker)
        self._detector, self._model = _TimedDetector(detector), _TimedModel(model)
        self._bgr, self._fps = bgr, fps

    def watch(self, mode: TrackMode) -> tuple[Cost, list[Faces]]:
        """One turn."""
        self._detector.ns = self._model.ns = 0
        options = StreamOptions(track=mode)
        recognizer = Recognizer(self._model, self._detector)
        with Stream(recognizer, lambda: _Memory(self._bgr, self._fps), options) as stream:
            started_ns = time.process_time_ns()
            seen = [observation.faces for observation in stream]  # without the frames' pixels
            all_ns = time.process_time_ns() - started_ns
        rest_ns = all_ns - self._detector.ns - self._model.ns
        parts = (self._detector.ns, rest_ns, self._model.ns)
        return Cost(*(each / _NS_PER_MS / len(seen) for each in parts)), seen


class _TimedModel:
    def __init__(self, model: Model) -> None:
        self._model, self.ns = model, 0
        self.card, self.format = model.card, model.format
        self.sha256, self.runs_on = model.sha256, model.runs_on

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        started_ns = time.thread_time_ns()
        found = self._model.probabilities(crops)
        self.ns += time.thread_time_ns() - started_ns
        return found


class _TimedDetector:
    def __init__(self, detector: LandmarkTracker) -> None:
        self._detector, self.ns = detector, 0
        self.name, self.landmarks_sha256 = detector.name, detector.landmarks_sha256
        self.max_faces = detector.max_faces

    def find(self, rgb: NDArray[np.uint8], known: Sequence[Face] = ()) -> list[Face]:
        started_ns = time.thread_time_ns()
        found = self._detector.find(rgb, known)
        self.ns += time.thread_time_ns() - started_ns
        return found

    def follow(self, rgb: NDArray[np.uint8], face: Face) -> Face | None:
        started_ns = time.thread_time_ns()
        found = self._detector.follow(rgb, face)
        self.ns += time.thread_time_ns() - started_ns
        return found


class _Memory:
    """Decoded frames, in the order of colours that OpenCV's devices give."""

    def __init__(self, bgr: list[NDArray[np.uint8]], fps: float) -> None:
        self.facts = CaptureFacts("memory", is_live=False, is_endless=False, fps=fps)
        self._bgr, self._fps, self._index = bgr, fps, -1

    def grab(self) -> bool:
        self._index += 1
        return self._index < len(self._bgr)

    def retrieve(self) -> NDArray[np.uint8] | None:
        rgb: NDArray[np.uint8] = cv2.cvtColor(self._bgr[self._index], cv2.COLOR_BGR2RGB)
        return rgb

    def position_s(self) -> float | None:
        return self._index / self._fps

    def close(self) -> None:
        pass


if __name__ == "__main__":
    app()
