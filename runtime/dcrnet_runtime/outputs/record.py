"""The documented form of an observation: one JSON object, one CSV row a face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.observation import Observation, TrackedFace
from dcrnet_runtime.recognizer import Recognition
from dcrnet_runtime.video.frame import Frame

SCHEMA = 1


def frame_record(frame: Frame, recognitions: Sequence[Recognition]) -> dict[str, Any]:
    """One frame's answers: time, frame, and box, label and probabilities of each face.

    Boxes are [x, y, width, height] in px; ``outside`` is the share of one that lies outside the
    picture, ``aligned`` tells whether landmarks were used. The
    number ``schema`` rises when a field goes or changes its meaning, not when one is added.
    """
    return {
        "schema": SCHEMA,
        "source": frame.name,
        "frame": frame.index,
        "time_s": round(frame.time_s, 3),
        "faces": [
            {
                "box": [round(v * frame.scale, 1) for v in astuple(r.face.box)],
                "outside": round(r.face.outside, 2),
                "aligned": r.face.landmarks is not None,
                "label": r.label,
                "probability": round(r.probability, 4),
                "probabilities": rounded(r.labels, r.probabilities),
            }
            for r in recognitions
        ],
    }


def rounded(labels: Sequence[str], probabilities: NDArray[np.float32]) -> Mapping[str, float]:
    """Label to probability, with four decimals."""
    return {label: round(float(p), 4) for label, p in zip(labels, probabilities, strict=True)}


def observation_record(observation: Observation, unix_s: float | None) -> dict[str, Any]:
    """What JSON Lines, MQTT and the live page say of a frame; docs/outputs.md lists the fields.

    Args:
        observation: to be told.
        unix_s: when the frame was captured, None for a recorded source.
    """
    counters = observation.counters
    recognitions = [face.recognition for face in observation.faces]
    record = frame_record(observation.frame, recognitions)
    record["uncertain"] = observation.uncertain
    if observation.is_still:
        return record
    for described, face in zip(record["faces"], observation.faces, strict=True):
        described["track"] = _track(face)
    if unix_s is not None:
        record["utc"] = utc(unix_s)
    return record | {
        "latency_ms": {
            str(stage): round(latency_ms, 2)
            for stage, latency_ms in observation.latency_ms.items()
        },
        "delay_ms": round(observation.delay_ms, 2),
        "counters": {
            "frames": counters.frames,
            "dropped": counters.dropped,
            "reconnects": counters.reconnects,
            "broken": counters.broken,
            "failures": {name: count for name, count in counters.failures.items() if count},
        },
    }


def utc(unix_s: float) -> str:
    """ISO 8601 with milliseconds, such as 2026-05-04T10:00:00.250Z."""
    moment = datetime.fromtimestamp(unix_s, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _track(face: TrackedFace) -> dict[str, Any]:
    return {
        "id": face.track_id,
        "age_s": round(face.age_s, 3),
        "label": face.label,
        "probability": round(face.probability, 4),
        "probabilities": rounded(face.recognition.labels, face.probabilities),
    }
