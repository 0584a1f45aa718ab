"""JSON Lines, one a frame, and CSV, one row a face."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.line_file import LineFile
from dcrnet_runtime.outputs.output import ReaderLeftError
from dcrnet_runtime.outputs.record import observation_record, smoothed_probability, utc


class StandardOutput:
    """JSON Lines on standard output."""

    name = "stdout"
    takes_pixels = False

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        try:
            # Not through sys.stdout, whose lock a stuck reader would hold past the program's end.
            sys.stdout.flush()
            self._file: int | None = os.dup(sys.stdout.fileno())
        except (OSError, ValueError):  # replaced by something that is no file
            self._file = None

    def write(self, observation: Observation, unix_s: float) -> None:
        """One line."""
        record = observation_record(observation, unix_s if self._is_live else None)
        line = json.dumps(record) + "\n"
        if self._file is None:
            sys.stdout.write(line)
            return
        rest = memoryview(line.encode())
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except BrokenPipeError as error:
            raise ReaderLeftError from error

    def close(self, *, is_whole: bool) -> None:
        """Let go of standard output."""
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)


class JsonLines:
    """JSON Lines in a file."""

    name = "jsonl"
    takes_pixels = False

    def __init__(self, path: Path, *, is_live: bool) -> None:
        self._is_live = is_live
        self._file = LineFile(path, appends=is_live)

    def write(self, observation: Observation, unix_s: float) -> None:
        """One line."""
        record = observation_record(observation, unix_s if self._is_live else None)
        self._file.write(json.dumps(record))

    def close(self, *, is_whole: bool) -> None:
        """Finish the file."""
        self._file.close(is_whole=is_whole)


class CsvRows:
    """A CSV file with a row for each face; the probabilities are the smoothed ones."""

    name = "csv"
    takes_pixels = False

    def __init__(self, path: Path, labels: tuple[str, ...], *, is_live: bool) -> None:
        self._labels = labels
        self._is_live = is_live
        self._file = LineFile(path, appends=is_live)
        header = _row([*_COLUMNS, *(f"p_{label}" for label in labels)])
        if not self._file.first_line:
            self._file.write(header)
        elif self._file.first_line != header:
            self._file.close(is_whole=False)
            raise DcrnetError(f"{path} holds other columns: name another file, or move it away")

    def write(self, observation: Observation, unix_s: float) -> None:
        """A row for each face."""
        frame = observation.frame
        moment = utc(unix_s) if self._is_live else ""
        for face in observation.faces:
            values: list[object] = [
                *(frame.name, frame.index, round(frame.time_s, 3), moment),
                *(face.track_id, round(face.age_s, 3)),
                *(round(v, 1) for v in astuple(face.recognition.face.box)),
                int(face.recognition.face.landmarks is not None),
                *(face.label, round(smoothed_probability(face), 4)),
                *(round(float(p), 4) for p in face.probabilities),
            ]
            self._file.write(_row(values))

    def close(self, *, is_whole: bool) -> None:
        """Finish the file."""
        self._file.close(is_whole=is_whole)


_COLUMNS = (
    *("source", "frame", "time_s", "utc", "track", "age_s"),
    *("x", "y", "width", "height", "aligned", "label", "probability"),
)


def _row(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()
