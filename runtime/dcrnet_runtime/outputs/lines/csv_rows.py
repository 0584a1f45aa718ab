"""CSV, one row a face."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.lines.line_file import Lines
from dcrnet_runtime.outputs.record import utc


class CsvRows:
    """A row for each face; the probabilities are the smoothed ones.

    Args:
        lines: where they go.
        labels: the model's, for the columns.
        is_live: whether the source goes on by itself, so that its frames have a time of day.

    Raises:
        DcrnetError: lines are appended to a file that holds other columns.
    """

    name = "csv"
    takes_pixels = False

    def __init__(self, lines: Lines, labels: tuple[str, ...], *, is_live: bool) -> None:
        self._is_live = is_live
        self._lines = lines
        header = _row([*COLUMNS, *(f"p_{label}" for label in labels)])
        if not lines.first_line:
            lines.write(header)
        elif lines.first_line != header:
            lines.close(is_whole=False)
            raise DcrnetError(f"{lines} holds other columns: name another file, or move it away")

    def write(self, observation: Observation, unix_s: float) -> None:
        """A row for each face."""
        frame = observation.frame
        moment = utc(unix_s) if self._is_live else ""
        for face in observation.faces:
            values: list[object] = [
                *(_cell(frame.name), frame.index, round(frame.time_s, 3), moment),
                *(face.track_id, round(face.age_s, 3)),
                *(round(v * frame.scale, 1) for v in astuple(face.recognition.face.box)),
                int(face.recognition.face.landmarks is not None),
                *(_cell(face.label or ""), round(face.probability, 4)),
                *(round(float(p), 4) for p in face.probabilities),
            ]
            self._lines.write(_row(values))

    def position(self) -> int | None:
        """How many bytes the file has."""
        return self._lines.position()

    def close(self, *, is_whole: bool) -> None:
        """Finish the file."""
        self._lines.close(is_whole=is_whole)


COLUMNS = (
    *("source", "frame", "time_s", "utc", "track", "age_s"),
    *("x", "y", "width", "height", "aligned", "label", "probability"),
)
FORMULA_SIGNS = tuple("=+-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}")
FORMULA_SIGNS += tuple("\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}")


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula; one that could be begins with a quote."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def _row(values: Iterable[object]) -> str:
    text = io.StringIO()
    # With this end, cells that hold either half of it are quoted: a name may hold a line's end.
    csv.writer(text, lineterminator="\r\n").writerow(values)
    return text.getvalue().removesuffix("\r\n")
