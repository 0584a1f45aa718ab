"""The README's performance table is the one that its command writes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from bench_reports import latency, model, report
from docs.write_performance import COMMAND, FIGURES, README, table, written

from dcrnet_bench.host.preflight import Doubt, Flag
from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.report.files import write
from dcrnet_bench.report.report import Report
from dcrnet_bench.timing.sampling import Protocol
from dcrnet_bench.timing.stage import StageLatency, TimedStage

SHIPPED = "dcrnet-int8.onnx"


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    """A copy of the figures, without reports."""
    for name in ("performance.json", "latency.json"):
        shutil.copy(FIGURES / name, tmp_path / name)
    return tmp_path


def quiet() -> Report:
    """A run that may be published."""
    made = report(
        model(SHIPPED, latency_ms=latency(4.0, 4.0), macs=910_000_000),
        stages=(StageLatency(TimedStage.WHOLE, SHIPPED, latency(9.0, 9.0)),),
    )
    assert made.preflight is not None
    return replace(made, preflight=replace(made.preflight, doubts=()))


def test_the_readme_has_the_table_of_now() -> None:
    assert written(README.read_text()) == README.read_text(), f"run: {COMMAND}"


def test_a_report_is_a_column_beside_the_papers(figures: Path) -> None:
    write(quiet(), figures / "bench-avx2.json")
    lines = table(figures).splitlines()
    rows = {cells[1].strip(): cells[2:-1] for line in lines if (cells := line.split("|"))[1:]}
    assert rows["shipped int8 at 128 px, one thread"][1] == " x86-64, AVX2, 2026-11-24 "
    own = {name: cells[1].strip() for name, cells in rows.items()}
    assert own["one inference, ms"] == "p90 4.3, median 4.0"
    assert own["a frame with one face, ms"] == "p90 9.7, median 9.0"
    assert own["FLOPs (2 x MACs), G"] == "1.82"
    assert own["net energy of an inference, J"] == "0.200"
    paper = {name: cells[-1].strip() for name, cells in rows.items()}
    assert paper["one inference, ms"] == "21 (GPU), 68 (Snapdragon 8 Gen 2)"
    assert paper["FLOPs (2 x MACs), G"] == "4.2"
    assert paper["net energy of an inference, J"] == "0.12"


def test_a_machine_without_a_report_has_its_earlier_median(figures: Path) -> None:
    machines = json.loads((figures / "latency.json").read_text())["machines"]
    by_name = {each["name"]: each["latency_ms"]["128"]["int8 ONNX"] for each in machines}
    columns = json.loads((figures / "performance.json").read_text())["columns"]
    medians = [by_name[column["earlier"]] for column in columns]
    assert f"| one inference, ms | median {medians[0]} | median {medians[1]} |" in table(figures)


def test_what_was_not_measured_is_named(figures: Path) -> None:
    for energy, expected in (
        (InferenceEnergy(reason="RAPL is not here; NVML is not here"), "for want of a meter"),
        (InferenceEnergy(reason="drowned in the idle power", meter="RAPL"), "drowned in the idle"),
    ):
        without = model(SHIPPED, macs=910_000_000, energy=energy)
        write(replace(quiet(), models=(without,)), figures / "bench-avx2.json")
        said = " ".join(table(figures).splitlines()[-3:])
        assert "Not measured: " in said
        assert expected in said


@pytest.mark.parametrize("fault", ["quick", "busy", "no record"])
def test_what_was_not_measured_by_the_rules_is_not_published(figures: Path, fault: str) -> None:
    made = quiet()
    assert made.preflight is not None
    faults = {
        "quick": replace(made, run=replace(made.run, protocol=Protocol.QUICK)),
        "busy": replace(
            made, preflight=replace(made.preflight, doubts=(Doubt(Flag.BUSY, "busy"),))
        ),
        "no record": replace(made, preflight=None),
    }
    write(faults[fault], figures / "bench-avx2.json")
    with pytest.raises(ValueError, match=f"cannot be published: .*{fault}"):
        table(figures)


def test_a_readme_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match=r"README\.md has no <!-- python tests"):
        written("# A page\n")
