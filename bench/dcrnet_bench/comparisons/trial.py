"""One run of one competitor over a clip, and what it came to.

A competitor's interpreter reads this, too: it needs the standard library alone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trial:
    """What is to be run.

    Attributes:
        competitor: its name.
        script: path of its file.
        clip: path of a video.
        is_paced: whether the clip is played as a camera would give it; else as fast as it goes.
        frames: timed ones.
        threads: of the competitor, and processor cores.
        model: path of the float model; empty where there is none.
    """

    competitor: str
    script: str
    clip: str
    is_paced: bool
    frames: int
    threads: int
    model: str


@dataclass(frozen=True)
class TrialResult:
    """What came of it, of the frames behind the warm-up.

    Attributes:
        competitor: its name.
        is_paced: as in the trial.
        frames: that were answered.
        fps: of them, frames a second.
        delay_ms: median, from when a camera would have given a frame to its answer; None where
            not paced.
        delay_p90_ms: nine of ten were at most so late; None where not paced.
        cpu_ms: processor time a frame, of all threads.
        peak_mb: most memory, in 10^6 bytes.
        with_face: share of the frames that had a face.
    """

    competitor: str
    is_paced: bool
    frames: int
    fps: float
    delay_ms: float | None
    delay_p90_ms: float | None
    cpu_ms: float
    peak_mb: float
    with_face: float
