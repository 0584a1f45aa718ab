"""CSV and JSON Lines as other programs and terminals take them."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest
from generated import LABELS, TinyModel, synthetic_frame
from observed import observation, tracked

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs import FrameFacts, OutputPlan, open_publisher
from dcrnet_runtime.printable import printable
from dcrnet_runtime.video.feed import Feed

NAMES = (
    *("=HYPERLINK(1).jpg", "+1.jpg", "-1.jpg", "@sum.jpg", "\ttab.jpg", "\r=1.jpg", "\uff1d1.jpg"),
    *("two\nlines.jpg", "car\rriage.jpg", 'a "quoted", one.jpg', "12:30.jpg", "caf\xe9.jpg"),
    *("red\x1b[31m.jpg", "txt\u202egpj.jpg", "plain.jpg"),
)
FORMULA = NAMES[:7]
PHOTOS = FrameFacts(LABELS, Feed.PHOTOS)


def written(tmp_path: Path, names: tuple[str, ...]) -> bytes:
    path = tmp_path / "a.csv"
    publisher = open_publisher(OutputPlan.of(PHOTOS, csv=path, jsonl=None))
    for index, name in enumerate(names):
        publisher.publish(observation(index, tracked(), name=name))
    publisher.close()
    return path.read_bytes()


def test_names_come_back_whole_and_no_cell_begins_a_formula(tmp_path: Path) -> None:
    content = written(tmp_path, NAMES).decode()
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [row["source"] for row in rows] == [
        f"'{name}" if name in FORMULA else name for name in NAMES
    ]
    assert [row["frame"] for row in rows] == [str(index) for index in range(len(NAMES))]
    for row in rows:
        for cell in row.values():
            assert cell[:1] not in tuple("=+@\t\r\n\uff1d")


@pytest.mark.parametrize("reader", ["pandas", "duckdb"])
def test_other_programs_read_the_same_names(reader: str, tmp_path: Path) -> None:
    module = pytest.importorskip(reader)
    written(tmp_path, NAMES)
    path = tmp_path / "a.csv"
    if reader == "pandas":
        found = module.read_csv(path)["source"].tolist()
    else:
        query = f"select source from read_csv('{path}', header=true, quote='\"') order by frame"
        found = [row[0] for row in module.sql(query).fetchall()]
    assert found == [f"'{name}" if name in FORMULA else name for name in NAMES]


def test_a_name_that_is_no_utf_8_loses_nothing(tmp_path: Path) -> None:
    content = written(tmp_path, ("a\udcff.jpg", "b.jpg"))
    assert content.count(b"\n") == 3
    assert b"a\\udcff.jpg,0" in content


def test_a_table_that_a_spreadsheet_stored_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for _ in range(2):
        publisher = open_publisher(OutputPlan.of(FrameFacts(LABELS), csv=path, jsonl=None))
        publisher.publish(observation(0, tracked()))
        publisher.close()
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    assert len(path.read_text().splitlines()) == 3


def plan_of(**options: Any) -> OutputPlan:
    return OutputPlan.of(PHOTOS, **options)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["jsonl"]),
        ({"csv": Path("-")}, ["csv"]),
        ({"csv": Path("/dev/stdout")}, ["csv"]),
        ({"csv": Path("-"), "jsonl": "a.jsonl"}, ["jsonl", "csv"]),
        ({"csv": Path("a.csv")}, ["jsonl", "csv"]),
        ({"csv": Path("-"), "jsonl": None}, ["csv"]),
    ],
)
def test_csv_on_standard_output_silences_what_nobody_asked_for(
    options: dict[str, object], names: list[str]
) -> None:
    plan = plan_of(**options)
    plan.check()
    kinds = {"JsonLinesSpec": "jsonl", "CsvSpec": "csv"}
    assert [kinds[type(spec).__name__] for spec in plan.wanted] == names
    assert ("csv -" in plan.notice()) is False


@pytest.mark.parametrize("jsonl", ["-", "/dev/stdout"])
def test_two_outputs_on_standard_output_are_refused(jsonl: str) -> None:
    with pytest.raises(DcrnetError, match="`jsonl` and `csv` both write to standard output"):
        plan_of(csv=Path("-"), jsonl=jsonl).check()


def test_a_failure_is_counted_from_the_start(tmp_path: Path) -> None:
    publisher = open_publisher(plan_of(csv=tmp_path / "a.csv"))
    assert publisher.failures == {"stdout": 0, "csv": 0}
    publisher.close()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain \xfc \u65e5\u672c \U0001f600", "plain \xfc \u65e5\u672c \U0001f600"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("txt\u202egpj", "txt\\u202egpj"),
        ("a\u2066b\u200fc", "a\\u2066b\\u200fc"),
        ("a\x9b1mb\x7f", "a\\x9b1mb\\x7f"),
        ("\u2028\udcff", "\\u2028\\udcff"),
    ],
)
def test_a_terminal_is_sent_what_it_shows(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("arguments", [["--csv", "-"], []])
def test_nothing_that_a_terminal_obeys_arrives_there(
    arguments: list[str], tiny_model: TinyModel, tmp_path: Path
) -> None:
    """Standard output and standard error on one terminal, with names of all kinds."""
    folder = tmp_path / "photos"
    folder.mkdir()
    names = NAMES[-8:]
    for name in names:
        (folder / name).write_bytes(cv2.imencode(".jpg", synthetic_frame())[1].tobytes())
    (folder / "bad\x1b[31m\u202e.jpg").write_bytes(b"no picture")
    code = "import sys; from dcrnet_runtime.cli.run import app; app(sys.argv[1:])"
    options = ["--source", folder, "--model", tiny_model(), "--detector", "cascade", *arguments]
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, options)], stdout=slave, stderr=slave
    )
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 1 << 16):
            shown += chunk
    except OSError:  # Linux's way to say that the other side has left
        pass
    assert process.wait() == 2
    text = shown.decode()
    assert "bad\\x1b[31m\\u202e.jpg" in text
    lines = text.replace("\r\n", "\n").split("\n")
    assert all(line == printable(line) for line in lines)
    if not arguments:
        assert sum(line.startswith("{") and bool(json.loads(line)) for line in lines) == len(names)
