"""The page of a report: whole, alone, and in a browser."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import chromium
import pytest
from bench_reports import emulated, latency, model, report
from chromium import Tab

from dcrnet_bench.host.preflight import Doubt, Flag
from dcrnet_bench.page.page import check_page, page_text, write_page
from dcrnet_bench.profiling.instructions import InstructionCount
from dcrnet_bench.report.report import Report
from dcrnet_runtime.errors import DcrnetError

pytest.importorskip("matplotlib", reason="needs the bench extra")
EVIL = "<script>alert(1)</script> & $x_1$.onnx"
PLOTS = (
    "Latency of the model alone",
    "A face's way through the pipeline",
    "Roofline",
    "Accuracy, latency, energy",
    "Under load",
)


def several() -> Report:
    """Two models, one of them with a name that HTML, SVG and matplotlib read as more."""
    slow = model(EVIL, latency_ms=latency(8.0, 8.1), macs=2000)
    return replace(report(model(), slow), notes=("a note of <b>",))


def test_every_plot_is_drawn_inline() -> None:
    text = page_text(several())
    assert text.count("<svg") == len(PLOTS)
    for title in PLOTS:
        heading = title.replace("'", "&#39;")
        assert re.search(rf"<h2>{re.escape(heading)}</h2>\s*<div role=\"img\"", text), title


def test_figures_stand_in_the_page() -> None:
    text = page_text(several())
    told = several().models[0].latency_ms
    assert told is not None
    assert f"<b>{told.p90:.2f}</b>" in text
    for figure in ("0.2000", "0.5000", "85.00%", "cpu 41.5 °C", "load 0.10", "0.400 to 0.600"):
        assert figure in text, figure


def test_it_loads_nothing_and_runs_nothing() -> None:
    text = page_text(several())
    assert "<script" not in text
    assert "alert(1)" in text  # the name, escaped
    assert "a note of &lt;b&gt;" in text
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert re.findall(r"url\((?!#)[^)]*", text) == []
    assert "@import" not in text


def test_ids_are_of_one_thing_each() -> None:
    ids = Counter(re.findall(r' id="([^"]+)"', page_text(several())))
    assert [name for name, count in ids.items() if count > 1] == []


def test_what_was_not_measured_is_said() -> None:
    bare = replace(report(model(accuracy=None)), peak=None, sustained=(), ratios=(), stages=())
    text = page_text(bare)
    assert "No accuracy was computed" in text
    assert text.count("<svg") == 1
    played = page_text(emulated())
    assert "there are no times and\nno energy here" in played
    assert "<svg" not in played
    assert "<h2>Latency of one inference" not in played


def test_an_emulated_core_tells_answers_and_instructions() -> None:
    doubt = Doubt(Flag.EMULATED, "this aarch64 is emulated")
    bare = emulated()
    assert bare.preflight is not None
    report = replace(
        bare,
        notes=(doubt.text, "another note"),
        preflight=replace(bare.preflight, doubts=(doubt,)),
        models=(
            model(
                "m.onnx",
                latency_ms=None,
                answer={"anger": 0.2, "fear": 0.8},
                instructions=InstructionCount("cortex-a53", 3_000_000, {"dot": 0, "load": 600000}),
            ),
            model("uncounted.onnx", latency_ms=None, instructions=None),
        ),
    )
    text = page_text(report)
    rows = re.findall(r"<tr>(<td>.*?)</tr>", text, re.DOTALL)
    cells = [re.sub(r"<[^>]*>|\s+", " ", row).split() for row in rows]
    assert ["m.onnx", "fear", "0.8000"] in cells
    assert ["m.onnx", "cortex-a53", "3.0", "0.0", "0.6"] in cells
    assert [row[0] for row in cells if "cortex-a53" in row] == ["m.onnx"]
    assert doubt.text not in text  # once, in the page's own words
    assert "another note" in text


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DcrnetError, match=r"`report` .* cannot be made"):
        check_page(tmp_path / "file" / "page")


@pytest.mark.skipif(chromium.PATH is None, reason="needs chromium")
@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_shows_it_whole(tmp_path: Path, width: int) -> None:
    path = write_page(several(), tmp_path)
    with Tab(tmp_path / "profile") as tab:
        tab.look(width, 900, "light")
        tab.open(path.as_uri())
        tab.wait_for(f"document.querySelectorAll('svg').length == {len(PLOTS)}")
        assert tab.value("document.documentElement.scrollWidth") <= width
        heights = tab.value("[...document.querySelectorAll('svg')].map(e => e.clientHeight)")
        assert min(heights) > 80
        shown = tab.value("document.querySelector('tbody').innerText")
        assert "a.onnx" in shown
        assert EVIL in shown
        legends = tab.value("[...document.querySelectorAll('svg text')].map(e => e.textContent)")
        assert any("$x_1$.onnx" in each for each in legends)
        assert tab.problems == []
