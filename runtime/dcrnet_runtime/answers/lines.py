"""Rows of JSON Lines and CSV; a last line that is half there is left out and counted."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from dcrnet_runtime.answers.reading import PLACES, PREFIX, Rows
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.lines.csv_rows import COLUMNS, FORMULA_SIGNS
from dcrnet_runtime.outputs.record import SCHEMA

_MOST_DAMAGED = 100
"""Lines that kills and power cuts can have left; a file with more of them is something else."""


def json_rows(path: Path) -> Rows:
    """The faces of a JSON Lines file.

    Raises:
        OSError: it cannot be read.
        DcrnetError: a line is of another schema, or of another model than those before it.
    """
    read, is_empty = Rows(()), True
    for record in _records(path, Rows(())):
        is_empty = False
        if record["faces"]:
            with _schema_of(path, record):
                read.labels = tuple(_answer(record["faces"][0])["probabilities"])
            break
    if is_empty:
        raise DcrnetError(f"{path} holds no whole line of answers: name another file")
    read.rows = _faces(path, read)
    return read


def _records(path: Path, read: Rows) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                read.damaged += 1
                if not line.startswith("{") or read.damaged > _MOST_DAMAGED:
                    raise _other(path, number) from error
                continue
            if not isinstance(record, dict) or record.get("schema") != SCHEMA:
                raise _other(path, number)
            if not isinstance(record.get("faces"), list):
                raise _other(path, number)
            yield record


def _faces(path: Path, read: Rows) -> Iterator[tuple[Any, ...]]:
    for record in _records(path, read):
        for face in record["faces"]:
            with _schema_of(path, record):
                found = tuple(_answer(face)["probabilities"])
                row = _row(record, face, read.labels) if found == read.labels else None
            if row is None:
                raise DcrnetError(
                    f"{path} holds answers of several models, whose labels differ"
                    f" ({', '.join(read.labels)}; {', '.join(found)}): split it"
                )
            yield row


def _answer(face: dict[str, Any]) -> dict[str, Any]:
    """What is smoothed over a video's time, or a photo's own."""
    answer: dict[str, Any] = face.get("track", face)
    if not isinstance(answer["probabilities"], dict):
        raise TypeError("no probabilities by label")
    return answer


def _row(record: dict[str, Any], face: dict[str, Any], labels: Sequence[str]) -> tuple[Any, ...]:
    answer, track = _answer(face), face.get("track", {"id": 0, "age_s": 0.0})
    if answer["label"] not in (None, *labels) or not isinstance(face["aligned"], bool):
        raise ValueError("a label or flag of another schema")
    return (
        *(_storable(str(record["source"])), int(record["frame"]), float(record["time_s"])),
        *(record.get("utc"), int(track["id"]), float(track["age_s"])),
        *(*_box(face["box"]), float(face.get("outside", "nan")), face["aligned"]),
        *(answer["label"], float(answer["probability"])),
        *map(float, answer["probabilities"].values()),
    )


def _storable(name: str) -> str:
    """A name as UTF-8, as CSV and Parquet have it: bytes of it that are none as escapes."""
    return name.encode(errors="backslashreplace").decode()


@contextmanager
def _schema_of(path: Path, record: dict[str, Any]) -> Iterator[None]:
    """Tell what a record lacks as one line."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DcrnetError(
            f"{path} has a line of another schema (frame {record.get('frame')}): name a file that"
            " --jsonl wrote"
        ) from error


def _box(box: Sequence[float]) -> tuple[float, float, float, float]:
    x, y, width, height = map(float, box)
    return x, y, width, height


def csv_rows(path: Path) -> Rows:
    """The faces of a CSV file.

    Raises:
        OSError: it cannot be read.
        DcrnetError: it has other columns.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        header = next(csv.reader(file), [])
    first, rest = tuple(header[: len(COLUMNS)]), header[len(COLUMNS) :]
    if first != COLUMNS or not all(name.startswith(PREFIX) for name in rest) or not rest:
        raise DcrnetError(
            f"{path} holds no answers that are known here (columns"
            f" {', '.join(header)[:60] or 'none'}): name a file that --parquet, --csv or --jsonl"
            " wrote"
        )
    read = Rows(tuple(name.removeprefix(PREFIX) for name in rest))
    read.rows = _cells(path, read, len(header))
    return read


def _cells(path: Path, read: Rows, width: int) -> Iterator[tuple[Any, ...]]:
    outside = PLACES.index("outside")
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(_whole_lines(file, read))
        header = next(rows, [])
        try:
            for row in rows:
                if row == header:  # of a log that was put together
                    continue
                values = _values(row, width, read.labels)
                if values is None:
                    read.damaged += bool(row)
                    if read.damaged > _MOST_DAMAGED:
                        raise _other(path, rows.line_num)
                    continue
                yield (*values[:outside], None, *values[outside:])
        except csv.Error as error:
            raise _other(path, rows.line_num) from error


def _whole_lines(file: TextIO, read: Rows) -> Iterator[str]:
    """All but a last line without an end, whose last number may be cut off unseen."""
    for line in file:
        if not line.endswith("\n"):
            read.damaged += 1
            return
        yield line


def _values(row: list[str], width: int, labels: Sequence[str]) -> list[Any] | None:
    """The cells of a row by their types; None where it is not whole."""
    places = len(COLUMNS)
    label, probability = COLUMNS.index("label"), COLUMNS.index("probability")
    if len(row) != width or _text(row[label]) not in ("", *labels):
        return None
    try:
        return [
            *(_text(row[0]), int(row[1]), float(row[2]), row[3] or None, int(row[4])),
            *map(float, row[5:10]),
            bool(int(row[10])),
            _text(row[label]) or None,
            *map(float, (row[probability], *row[places:])),
        ]
    except ValueError:
        return None


def _text(cell: str) -> str:
    """A cell without the quote that keeps spreadsheets from taking it for a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA_SIGNS) else cell


def _other(path: Path, number: int) -> DcrnetError:
    return DcrnetError(
        f"{path} is no file of answers that are known here (line {number}): name one that"
        " --parquet, --csv or --jsonl wrote"
    )
