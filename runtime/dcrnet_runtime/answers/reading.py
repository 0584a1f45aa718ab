"""Answers in a file as a pandas frame, whichever output wrote it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "p_"
PLACES = (
    *("source", "frame", "time_s", "utc", "track", "age_s"),
    *("x", "y", "width", "height", "outside", "aligned", "label", "probability"),
)
"""The columns before the probabilities."""

_TYPES = {
    "frame": "int64",
    "time_s": "float64",
    "track": "int64",
    "age_s": "float64",
    "aligned": "bool",
    **dict.fromkeys(("x", "y", "width", "height", "outside", "probability"), "float32"),
}
_CHUNK_ROWS = 50_000
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Rows:
    """Rows of a file as they are read.

    Attributes:
        labels: the model's, known before the first row.
        rows: a tuple a face: :data:`PLACES`, and a probability for each of the labels. ``utc`` is
            text or None, ``label`` None where a face has none.
        damaged: lines so far that a kill or a power cut left half written; they are left out.
        told: what the file says of the model and its settings; empty where it says nothing.
    """

    labels: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]] = field(default_factory=lambda: iter(()))
    damaged: int = 0
    told: dict[str, Any] = field(default_factory=dict)


def read_answers(path: str | os.PathLike[str]) -> pd.DataFrame:
    """What ``dcrnet-run`` wrote as Parquet, CSV or JSON Lines: one row a face.

    Whatever the format, the columns and their types are ``source`` (str), ``frame`` and ``track``
    (int64), ``time_s`` and ``age_s`` (float64, s), ``utc`` (datetime64[ms, UTC]; NaT but of live
    sources), ``x``, ``y``, ``width``, ``height`` (float32, px), ``outside`` (float32, 0..1; NaN
    from CSV, which has it not), ``aligned`` (bool), ``label`` (category of all the model's labels;
    missing below ``--min-confidence``), ``probability`` and ``p_LABEL`` for each label (float32,
    0..1). Of a video, label and probabilities are the smoothed ones. ``frame.attrs`` has
    ``labels``, and from Parquet ``model_sha256`` and ``settings``.

    Args:
        path: a file, or a folder of Parquet files that are parts of one.

    Raises:
        DcrnetError: pandas is missing, or for Parquet pyarrow; the file cannot be read, holds
            something else than answers, or those of several models.
    """
    place = Path(path)
    pandas = _pandas()
    try:
        if place.is_dir() or _begins_with(place, b"PAR1"):
            from dcrnet_runtime.answers.parquet import parquet_frame

            return _typed(*parquet_frame(place))
        from dcrnet_runtime.answers.lines import csv_rows, json_rows

        read = json_rows(place) if _is_json(place) else csv_rows(place)
        frames = list(_frames(read, pandas))
    except OSError as error:
        raise DcrnetError(
            f"{place} cannot be read ({error.strerror or error}): name a file that --parquet,"
            " --csv or --jsonl wrote"
        ) from error
    except (ValueError, OverflowError) as error:  # of a time or number that is none
        raise DcrnetError(
            f"{place} has values that no answers have ({error}): name a file that --parquet,"
            " --csv or --jsonl wrote"
        ) from error
    if read.damaged:
        _log.warning(
            "%s: %d half-written line(s) of a run that was killed were left out",
            place,
            read.damaged,
        )
    return _typed(pandas.concat(frames, ignore_index=True), read.labels, read.told)


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise DcrnetError(f"answers are read with pandas: {extra_command('tables')}") from error
    return pandas


def _frames(read: Rows, pandas: Any) -> Iterator[pd.DataFrame]:
    """Chunks, so that a long file is not held as Python's objects."""
    while True:
        chunk = list(islice(read.rows, _CHUNK_ROWS))
        columns = [*PLACES, *(f"{PREFIX}{label}" for label in read.labels)]
        yield _compact(pandas.DataFrame(chunk, columns=columns), read.labels)
        if len(chunk) < _CHUNK_ROWS:
            return


def _compact(frame: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """The columns with their own types."""
    pandas = _pandas()
    probabilities = dict.fromkeys((f"{PREFIX}{label}" for label in labels), "float32")
    frame = frame.astype({**_TYPES, **probabilities})
    moments = pandas.to_datetime(frame["utc"], utc=True)
    frame["utc"] = moments.astype("datetime64[ms, UTC]")
    frame["label"] = pandas.Categorical(frame["label"], categories=list(labels))
    frame["source"] = frame["source"].astype("str")
    return frame


def _typed(frame: pd.DataFrame, labels: Sequence[str], told: dict[str, Any]) -> pd.DataFrame:
    frame = _compact(frame, labels)
    known = {name: told[name] for name in ("model_sha256", "settings") if name in told}
    frame.attrs = {"labels": list(labels), **known}
    return frame


def _begins_with(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def _is_json(path: Path) -> bool:
    """Whether its first character is that of an object."""
    with path.open("rb") as file:
        return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
