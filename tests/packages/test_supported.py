"""SUPPORTED.md is what the records make, and says nothing that they do not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from packages.container import KEY as KEY_OF_AN_IMAGE
from packages.container import record as image_record
from packages.lines import LINES, documented_lines
from packages.records import FOLDER, LineRecord, Record, UseRecord, read_records, write_record
from packages.supported import COMMAND, PAGE, page

KEY = "dcrnet-edge[demo]"


def line(**changes: object) -> LineRecord:
    """A line that passed, by ONNX Runtime."""
    made = LineRecord(
        key=KEY,
        date="2031-02-03",
        version="9.9",
        wheel_sha256="ab" * 32,
        installed=True,
        packages={"onnxruntime": "7.8.9"},
        uses=(UseRecord("self-test", "ONNX Runtime", passed=True),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def record(*lines: LineRecord, **changes: str) -> Record:
    """An emulated Debian."""
    facts = {
        "environment": "trixie-arm64",
        "python": "3.13.77",
        "system": "Debian GNU/Linux 13 (trixie)",
        "machine": "aarch64",
        "core": "cortex-a76",
    }
    return Record(**(facts | changes), lines=lines)


def rows(text: str, word: str) -> list[list[str]]:
    """The cells of the page's table rows with a word."""
    return [
        [cell.strip() for cell in row.split("|")[1:-1]]
        for row in text.splitlines()
        if row.startswith("|") and word in row
    ]


def test_the_page_is_that_of_the_records() -> None:
    assert page() == PAGE.read_text(), f"run: {COMMAND} --page"


def test_without_records_nothing_was_run(tmp_path: Path) -> None:
    text = page(tmp_path)
    cells = {cell for row in rows(text, "not run") for cell in row}
    assert "not run" in cells
    assert "`not run`: nobody tried" in text
    assert [cell for cell in cells if cell.startswith(("run,", "emulated,"))] == []
    assert "Built twice and checked: not run" in text


def test_an_emulated_line_is_named_so_with_its_date_and_version(tmp_path: Path) -> None:
    write_record(record(line()), tmp_path)
    (platform,) = rows(page(tmp_path), "3.13.77")
    assert platform[:3] == ["3.13.77", "Debian GNU/Linux 13 (trixie)", "aarch64 (cortex-a76)"]
    assert platform[3:7] == ["emulated, 2031-02-03 (7.8.9)", *["not run"] * 3]
    (shown,) = rows(page(tmp_path), f"`{KEY}`")
    assert shown.count("emulated, 2031-02-03") == 1
    assert set(shown[1:]) == {"emulated, 2031-02-03", "not run"}


def test_a_real_processor_is_run(tmp_path: Path) -> None:
    real = record(line(), environment="trixie-amd64", machine="x86_64", core="")
    write_record(real, tmp_path)
    (platform,) = rows(page(tmp_path), "3.13.77")
    assert platform[3] == "run, 2031-02-03 (7.8.9)"


@pytest.mark.parametrize("fault", ["line", "use"])
def test_what_failed_is_said(tmp_path: Path, fault: str) -> None:
    failed = UseRecord("self-test", "ONNX Runtime", passed=False)
    made = line(installed=False, uses=()) if fault == "line" else line(uses=(failed,))
    write_record(record(made), tmp_path)
    (shown,) = rows(page(tmp_path), f"`{KEY}`")
    assert "emulated: FAILED, 2031-02-03" in shown


def test_lines_of_an_earlier_run_stay(tmp_path: Path) -> None:
    write_record(record(line(), line(key="dcrnet-edge")), tmp_path)
    write_record(record(line(date="2031-02-04")), tmp_path)
    found = read_records(tmp_path)["trixie-arm64"]
    assert {each.key: each.date for each in found.lines} == {
        "dcrnet-edge": "2031-02-03",
        KEY: "2031-02-04",
    }


@pytest.mark.parametrize(("architecture", "is_emulated"), [("amd64", False), ("arm64", True)])
def test_an_image_is_recorded_as_what_it_is(
    tmp_path: Path, architecture: str, is_emulated: bool
) -> None:
    packages = tmp_path / "image/opt/dcrnet/lib/python3.11/site-packages"
    (packages / "onnxruntime-7.8.9.dist-info").mkdir(parents=True)
    (tmp_path / "image/usr/lib/python3.11").mkdir(parents=True)
    (tmp_path / "image/etc").mkdir()
    (tmp_path / "image/etc/os-release").write_text('NAME="D"\nPRETTY_NAME="Debian 12"\n')
    made = image_record(architecture, tmp_path / "image", is_emulated=is_emulated)
    assert (made.python, made.system) == ("3.11", "Debian 12")
    write_record(made, tmp_path / "records")
    way = "emulated" if is_emulated else "run"
    ran = [row for row in rows(page(tmp_path / "records"), "container") if "(7.8.9)" in str(row)]
    assert all(row[3].startswith(f"{way}, ") for row in ran)
    assert len(ran) == (2 if is_emulated else 1)  # JetPack 6 by the container, too


def test_every_documented_line_has_a_row() -> None:
    found = [each.key for each in documented_lines()]
    assert {"dcrnet-edge", ".[demo]", KEY, "-c constraints.txt -e .[all]"} <= set(found)
    text = PAGE.read_text()
    assert [key for key in found if f"| `{key}` |" not in text] == []


def test_every_line_that_is_tried_is_on_a_page() -> None:
    documented = {each.key for each in documented_lines()}
    assert [each.key for each in LINES if each.key not in documented] == []


def test_records_are_whole() -> None:
    for name, found in read_records().items():
        assert found.environment == name
        assert (found.machine == "aarch64") == bool(found.core), "no board was at hand"
        for each in found.lines:
            assert len(each.wheel_sha256) == (0 if each.key == KEY_OF_AN_IMAGE else 64)
            assert each.uses or not each.installed
    assert json.loads((FOLDER / "build.json").read_text())["tools"]
