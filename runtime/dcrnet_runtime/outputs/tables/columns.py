"""The columns of tables, one row a face, with types, units and what the file says of itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation, TrackedFace
from dcrnet_runtime.outputs.spec import FrameFacts
from dcrnet_runtime.version import __version__

if TYPE_CHECKING:
    import pyarrow as pa

METADATA_KEY = b"dcrnet"
"""Where a table's metadata has JSON: ``schema``, ``kind``, ``labels``, ``model_sha256``,
``settings`` and ``version``."""

TABLE_SCHEMA = 1
"""Rises when a column goes or changes its meaning, not when one is added."""

ANSWERS, FEATURES = "answers", "features"
FEATURE_COLUMN = "features"
PREFIX = "p_"
"""Of the columns that hold probabilities."""

_PLACE = {
    "source": ("string", "", "what answers call the file or address"),
    "frame": ("int64", "", "number of the frame, from 0"),
    "time_s": ("float64", "s", "of the frame; 0 in a photo"),
    "utc": ("utc", "", "when the frame was captured; of a live source alone"),
    "track": ("int64", "", "number of a face that is followed, from 1; 0 in a photo"),
    "age_s": ("float64", "s", "since that face was first seen"),
    "x": ("float32", "px", "left edge of the box in the picture itself"),
    "y": ("float32", "px", "upper edge"),
    "width": ("float32", "px", "of the box"),
    "height": ("float32", "px", "of the box"),
    "outside": ("float32", "1", "share of the box outside the picture, 0 to 1"),
    "aligned": ("bool", "", "whether landmarks were used"),
}
_ANSWER = {
    "label": ("string", "", "most probable expression, smoothed over a video's time"),
    "probability": ("float32", "1", "of the label, or the highest where there is none, 0 to 1"),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """What a row of a table has.

    Attributes:
        kind: :data:`ANSWERS` or :data:`FEATURES`.
        schema: names, types, and units and meanings as metadata.
    """

    kind: str
    schema: pa.Schema

    def rows(self, observation: Observation, unix_s: float | None) -> list[tuple[Any, ...]]:
        """A row for each face of a frame, in the order of the columns.

        Args:
            observation: of the frame.
            unix_s: when it was captured; None for a recording.

        Raises:
            DcrnetError: features are wanted, and a face has none.
        """
        tail = _answer if self.kind == ANSWERS else _features
        return [(*_place(observation, face, unix_s), *tail(face)) for face in observation.faces]


def answer_columns(facts: FrameFacts) -> Columns:
    """Of what CSV has, unrounded, and the share of each box that lies outside the picture."""
    columns = {**_PLACE, **_ANSWER}
    for label in facts.labels:
        columns[f"{PREFIX}{label}"] = ("float32", "1", f"probability of {label}, 0 to 1")
    return Columns(ANSWERS, _schema(columns, ANSWERS, facts))


def feature_columns(facts: FrameFacts) -> Columns:
    """Of where a face was, and its features as a list of fixed length."""
    import pyarrow as pa

    schema = _schema(_PLACE, FEATURES, facts)
    described = {"unit": "1", "description": "what the network's head reads"}
    kind = pa.list_(pa.float32(), facts.feature_count)
    return Columns(FEATURES, schema.append(pa.field(FEATURE_COLUMN, kind, False, described)))


def _schema(columns: dict[str, tuple[str, str, str]], kind: str, facts: FrameFacts) -> pa.Schema:
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "float32": pa.float32(),
        "bool": pa.bool_(),
        "utc": pa.timestamp("ms", "UTC"),
    }
    fields = [
        pa.field(name, types[type_], name in ("utc", "label"), {"unit": unit, "description": text})
        for name, (type_, unit, text) in columns.items()
    ]
    told = {
        "schema": TABLE_SCHEMA,
        "kind": kind,
        "labels": list(facts.labels),
        "model_sha256": facts.model_sha256,
        "settings": dict(facts.settings),
        "version": __version__,
    }
    return pa.schema(fields, {METADATA_KEY: json.dumps(told)})


def _place(observation: Observation, face: TrackedFace, unix_s: float | None) -> tuple[Any, ...]:
    frame, found = observation.frame, face.recognition.face
    moment = None if unix_s is None else datetime.fromtimestamp(unix_s, UTC)
    return (
        *(_storable(frame.name), frame.index, frame.time_s, moment, face.track_id, face.age_s),
        *(value * frame.scale for value in astuple(found.box)),
        *(found.outside, found.landmarks is not None),
    )


def _answer(face: TrackedFace) -> Sequence[Any]:
    return face.label, face.probability, *map(float, face.probabilities)


def _features(face: TrackedFace) -> Sequence[Any]:
    features = face.recognition.features
    if features is None:
        raise DcrnetError("the recognizer was not asked for features: give it `gives_features`")
    return (features,)


def _storable(name: str) -> str:
    """A name as UTF-8; bytes of it that are none are written as escapes."""
    return name.encode(errors="backslashreplace").decode()
