"""What the live loop says of one frame: the faces it follows, and what each stage took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.recognizer import UNCERTAIN, Recognition
from dcrnet_runtime.video.frame import Frame


class Stage(StrEnum):
    """The loop's stages, in order."""

    CAPTURE = "capture"
    FIND = "find"
    PREPARE = "prepare"
    INFER = "infer"
    PUBLISH = "publish"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TrackedFace:
    """A face that is followed from frame to frame.

    Attributes:
        track_id: from 1; stays with the face, and is never given to another one in a run. 0 in a
            photo.
        recognition: this frame's own answer.
        label: with hysteresis over time; None where it is less probable than
            :attr:`Recognition.min_confidence`.
        probabilities: (labels,) float32, smoothed over time, sums to 1.
        age_s: seconds since the face was first seen.
    """

    track_id: int
    recognition: Recognition
    label: str | None
    probabilities: NDArray[np.float32]
    age_s: float

    @property
    def probability(self) -> float:
        """The smoothed probability of the label, 0..1; where there is none, the highest."""
        if self.label is None:
            return float(self.probabilities.max())
        return float(self.probabilities[self.recognition.labels.index(self.label)])

    def __repr__(self) -> str:
        name = self.label or UNCERTAIN
        return f"TrackedFace({self.track_id}: {name} {self.probability:.2f}, {self.age_s:.1f} s)"


@dataclass(frozen=True, slots=True)
class Counters:
    """What has happened since the loop was started.

    Attributes:
        frames: observed.
        dropped: captured, but overtaken by a newer one before they were observed.
        reconnects: times that the source was opened again.
        broken: frames that could not be decoded.
        failures: outputs' failures by output.
    """

    frames: int = 0
    dropped: int = 0
    reconnects: int = 0
    broken: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Observation:
    """One frame with what was seen in it.

    Attributes:
        frame: the picture.
        faces: largest first.
        latency_ms: of each stage that has ended; ``publish`` is the frame before's, being the
            time until the next frame was asked for.
        delay_ms: from the frame's capture to the end of inference.
        counters: at this frame.
        captured_unix_s: when the frame was captured, seconds since 1970 by this machine's clock
            at that moment; 0 in a photo.
    """

    frame: Frame
    faces: tuple[TrackedFace, ...]
    latency_ms: Mapping[Stage, float]
    delay_ms: float
    counters: Counters
    captured_unix_s: float = 0.0

    @classmethod
    def of_still(cls, frame: Frame, recognitions: Sequence[Recognition]) -> Observation:
        """A photo's: its faces are followed nowhere, so they have the number 0."""
        faces = (TrackedFace(0, r, r.label, r.probabilities, 0.0) for r in recognitions)
        return cls(frame, tuple(faces), {}, 0.0, Counters())

    @property
    def uncertain(self) -> int:
        """How many of its faces have no label."""
        return sum(face.label is None for face in self.faces)

    def __repr__(self) -> str:
        return f"Observation({self.frame!r}, {list(self.faces)!r})"

    @property
    def is_still(self) -> bool:
        """Whether it is of a photo rather than of a frame in the live loop."""
        return self.counters.frames == 0
