"""CSV, one row a face."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.lines.line_file import LineFile
from dcrnet_runtime.outputs.record import smoothed_probability, utc


class CsvRows:
    """A CSV file with a row for each face; the probabilities are the smoothed ones."""

    name = "csv"
    takes_pixels = False

    def __init__(self, path: Path, labels: tuple[str, ...], *, is_live: bool) -> None:
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
                *(round(v * frame.scale, 1) for v in astuple(face.recognition.face.box)),
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
