"""Pages of studies in a browser."""

from __future__ import annotations

from pathlib import Path

import chromium
import numpy as np
import pytest
from chromium import Tab
from matplotlib.figure import Figure

from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_edge.studies.pages.page import write_findings

LONG = "a-model-with-a-name-that-no-line-of-a-phone-can-hold-whole-int8.safetensors"


def draw(figure: Figure) -> None:
    line, picture = figure.subplots(1, 2)
    line.plot([1, 2, 3], label=LONG)
    line.legend()
    picture.imshow(np.eye(8))


def write(folder: Path) -> Path:
    findings = Findings(
        title=f"Does {LONG} hold?",
        claim=f"{LONG} does.",
        verdict=[f"{LONG} does not."],
        tables=[Table(LONG, [["model", *"abcdefghij"], [LONG, *(["12.34 (1.2 to 3.4)"] * 10)]])],
        charts=[Chart(LONG, draw)],
    )
    write_findings(folder, findings, {"models": {LONG: "ab" * 32}}, {"command": LONG})
    return folder / "report.html"


@pytest.mark.skipif(chromium.PATH is None, reason="needs chromium")
@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_holds(tmp_path: Path, width: int) -> None:
    page = write(tmp_path)
    with Tab(tmp_path / "profile") as tab:
        tab.look(width, 900, "light")
        tab.open(page.as_uri())
        tab.wait_for("document.querySelectorAll('svg').length == 1")
        tab.value("document.querySelector('details').open = true")
        assert tab.value("document.documentElement.scrollWidth") <= width
        assert tab.value("document.querySelector('svg').clientHeight") > 80
        right = "Math.max(...[...document.querySelectorAll('svg, h1, p, figcaption')].map("
        assert tab.value(right + "e => e.getBoundingClientRect().right))") <= width
        assert tab.value("document.querySelector('image').getBBox().width") > 0
        assert tab.problems == []
