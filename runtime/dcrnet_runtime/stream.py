"""A source in, observations out: the live loop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face
from dcrnet_runtime.observation import Counters, Observation, Stage, TrackedFace
from dcrnet_runtime.preprocess.rgb import as_rgb
from dcrnet_runtime.recognizer import Recognition, Recognizer
from dcrnet_runtime.tracking.mode import TrackMode
from dcrnet_runtime.tracking.scheduler import DetectionScheduler
from dcrnet_runtime.tracking.smoothing import Smoother
from dcrnet_runtime.tracking.tracker import Track, Tracker
from dcrnet_runtime.video.capture import CaptureFacts, CaptureRequest, OpenCapture
from dcrnet_runtime.video.frame import DEFAULT_FPS, Frame
from dcrnet_runtime.video.kind import Source
from dcrnet_runtime.video.reader import CapturedFrame
from dcrnet_runtime.video.source import resolve
from dcrnet_runtime.video.watchdog import RestartPolicy, Watchdog


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How a source is read and its faces are followed.

    Attributes:
        request: what a camera is asked for, and how its frames are turned.
        keeps_every: drop no frame of a live source: the delay grows where the model is slow.
        smoothing_s: time constant of the probabilities, 0 for none.
        label_margin: lead in probability, 0..1, at which another label takes over.
        memory_s: a face hidden for no longer keeps its number.
        redetect_s: between two looks for new faces, where the detector can follow known ones.
        track: whether the landmark network looks at known faces in each frame.
        stall_s: without a frame for so long, the source counts as lost; 0 for never.
        open_s: time to open it and to give the first frame.
        restarts: when a lost source is opened again.
    """

    request: CaptureRequest = field(default_factory=CaptureRequest)
    keeps_every: bool = False
    smoothing_s: float = 0.3
    label_margin: float = 0.1
    memory_s: float = 1.0
    redetect_s: float = 0.5
    track: TrackMode = TrackMode.FAST
    stall_s: float = 5.0
    open_s: float = 15.0
    restarts: RestartPolicy = field(default_factory=RestartPolicy)


class Stream:
    """Follows the faces of a video, a camera or a network stream; iterate over it once.

    >>> with Stream(recognizer, "clip.mp4") as stream:
    ...     for observation in stream:
    ...         for face in observation.faces:
    ...             print(face.track_id, face.label, round(face.age_s, 1))
    1 ...

    Args:
        recognizer: finds and classifies.
        source: an address as ``dcrnet-run --source`` takes it, a path, a camera's number, a parsed
            address, or a function that opens a :class:`dcrnet_runtime.video.capture.Capture` of
            your own, for a camera that OpenCV does not know.
        options: how.
        wants_stop: is asked ten times a second while waiting, and before each frame.
        failures: outputs' failures by output, to be counted with the rest.
        wants_whole: a recording whose file is cut off ends in an error, not in a warning.

    Raises:
        DcrnetError: the source is a photo or a folder of them, does not exist, or is no source.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        source: str | os.PathLike[str] | int | Source | OpenCapture,
        options: StreamOptions | None = None,
        *,
        wants_stop: Callable[[], bool] = lambda: False,
        failures: Mapping[str, int] | None = None,
        wants_whole: bool = False,
    ) -> None:
        self._recognizer = recognizer
        self._options = options = options or StreamOptions()
        self._wants_stop = wants_stop
        self._failures: Mapping[str, int] = {} if failures is None else failures
        self._is_stopped = False
        opening, self._name = _opening(source, options)
        self._watchdog = Watchdog(
            opening,
            self._name,
            options.restarts,
            stall_s=options.stall_s,
            open_s=options.open_s,
            rotation_deg=options.request.rotation_deg,
            keeps_every=options.keeps_every,
            wants_stop=lambda: self._is_stopped or self._wants_stop(),
            wants_whole=wants_whole,
        )
        self._scheduler = DetectionScheduler(
            recognizer.detector, options.redetect_s, options.track
        )
        self._tracker = Tracker(options.memory_s)
        self._smoothers: dict[int, Smoother] = {}
        self._clock = _Clock()
        self._size: tuple[int, ...] = ()
        self._seen: list[Face] = []
        self._observations = self._run()

    @property
    def facts(self) -> CaptureFacts | None:
        """What the source really gives; None before its first frame."""
        return self._watchdog.facts

    def __iter__(self) -> Iterator[Observation]:
        """Observations until the source ends or :meth:`stop`.

        Raises:
            DcrnetError: the source gives not one frame, or is cut off where it is wanted whole.
            SourceLostError: it has given frames, and is lost for good.
        """
        return self._observations

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stop(self) -> None:
        """End the iteration soon; from any thread or signal handler."""
        self._is_stopped = True

    def close(self) -> None:
        """Give the source back."""
        self.stop()
        self._observations.close()

    def _run(self) -> Generator[Observation]:
        captures = self._watchdog.frames()
        frames, publish_ms = 0, None
        try:
            for captured in captures:
                frames += 1
                observation = self._observe(captured, frames, publish_ms)
                yielded_s = time.perf_counter()
                yield observation
                publish_ms = (time.perf_counter() - yielded_s) * 1000
        finally:
            captures.close()

    def _observe(
        self, captured: CapturedFrame, frames: int, publish_ms: float | None
    ) -> Observation:
        captured_unix_s = time.time() - (time.monotonic() - captured.captured_s)
        fps = self.facts.fps if self.facts else 0.0
        rgb = as_rgb(captured.rgb)
        frame = Frame(rgb, captured.index, self._clock.time_s(captured, fps), self._name)
        latency_ms = {Stage.CAPTURE: captured.latency_ms}
        if publish_ms is not None:
            latency_ms[Stage.PUBLISH] = publish_ms
        laps = _Laps(latency_ms)
        faces = self._find(frame)
        laps.end(Stage.FIND)
        faces, crops = self._recognizer.prepare(frame.rgb, faces)
        laps.end(Stage.PREPARE)
        recognitions = self._recognizer.classify(faces, crops)
        laps.end(Stage.INFER)
        delay_ms = (time.monotonic() - captured.captured_s) * 1000
        tracks = self._tracker.update(faces, frame.time_s)
        self._seen = faces
        known = {track.track_id for track in self._tracker.tracks}
        self._smoothers = {key: one for key, one in self._smoothers.items() if key in known}
        followed = tuple(map(self._smooth, tracks, recognitions))
        counters = self._counters(frames)
        return Observation(frame, followed, latency_ms, delay_ms, counters, captured_unix_s)

    def _find(self, frame: Frame) -> list[Face]:
        if frame.rgb.shape != self._size:
            self._size, self._seen = frame.rgb.shape, []
            self._tracker.forget()
        is_one_hidden = len(self._tracker.tracks) > len(self._seen)
        return self._scheduler.find(
            frame.rgb, self._seen, is_one_hidden=is_one_hidden, time_s=frame.time_s
        )

    def _smooth(self, track: Track, recognition: Recognition) -> TrackedFace:
        smoother = self._smoothers.setdefault(
            track.track_id, Smoother(self._options.smoothing_s, self._options.label_margin)
        )
        held, probabilities = smoother.update(recognition.probabilities, track.seen_s)
        age_s = track.seen_s - track.first_s
        # A label that is held on to gives way to a better one before there is none at all.
        ranked = (held, int(probabilities.argmax()))
        least = self._recognizer.min_confidence
        label = next((recognition.labels[i] for i in ranked if probabilities[i] >= least), None)
        return TrackedFace(track.track_id, recognition, label, probabilities, age_s)

    def _counters(self, frames: int) -> Counters:
        watchdog = self._watchdog
        return Counters(
            frames, watchdog.dropped, watchdog.reconnects, watchdog.broken, dict(self._failures)
        )


class _Clock:
    """Seconds that never go back, from a file's positions or from the time of capture."""

    def __init__(self) -> None:
        self._first_s: float | None = None
        self._last_s = 0.0

    def time_s(self, captured: CapturedFrame, fps: float) -> float:
        """Of a frame, by its position, else by the clock; some containers state no position."""
        if self._first_s is None:
            self._first_s = captured.captured_s
            self._last_s = max(0.0, captured.position_s or 0.0)
        elif captured.position_s is None:
            self._last_s = captured.captured_s - self._first_s
        elif captured.position_s > self._last_s:
            self._last_s = captured.position_s
        else:
            self._last_s += 1.0 / (fps or DEFAULT_FPS)
        return self._last_s


class _Laps:
    """Writes down what each stage took, one behind the other."""

    def __init__(self, latency_ms: dict[Stage, float]) -> None:
        self._latency_ms = latency_ms
        self._started_s = time.perf_counter()

    def end(self, stage: Stage) -> None:
        now_s = time.perf_counter()
        self._latency_ms[stage] = (now_s - self._started_s) * 1000
        self._started_s = now_s


def _opening(
    source: str | os.PathLike[str] | int | Source | OpenCapture, options: StreamOptions
) -> tuple[OpenCapture, str]:
    """How the source is opened, and its name."""
    if isinstance(source, int | np.integer) and not isinstance(source, bool):
        source = str(int(source))
    if isinstance(source, str | os.PathLike):
        source = resolve(os.fspath(source))
    if not isinstance(source, Source):
        if not callable(source):
            raise DcrnetError(
                f"`source` is {source!r}, of which no frame can be read: give a path, an address,"
                " a camera's number, or a function that opens a Capture"
            )
        return source, "the source"
    # Below the loop's deadlines, so that a read that can end does so before it is abandoned.
    limits_s = [
        0.9 * (options.stall_s and limit_s) for limit_s in (options.open_s, options.stall_s)
    ]
    return source.opener(options.request, *limits_s), source.name
