"""``dcrnet-bench compare`` as a gate sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench_reports import latency, model, report
from typer.testing import CliRunner, Result

from dcrnet_bench.cli.bench import app
from dcrnet_bench.report.files import write


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The first run, and one that took half as long again."""
    for name, times_ms in (("a.json", (4.0, 4.0, 4.1)), ("b.json", (6.0, 6.0, 6.1))):
        write(report(model("my[v2].onnx", latency_ms=latency(*times_ms))), tmp_path / name)
    return [str(tmp_path / name) for name in ("a.json", "b.json")]


def compared(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["compare", *arguments])


def test_what_is_slower_ends_with_1(files: list[str]) -> None:
    result = compared(*files)
    assert result.exit_code == 1, result.output
    document = json.loads(result.stdout.splitlines()[-1])
    assert document["worse"] == 1
    [change] = [each for each in document["changes"] if each["verdict"] == "worse"]
    assert (change["subject"], change["quantity"]) == ("my[v2].onnx", "p90, ms")
    assert change["ratio"] == pytest.approx(1.5, abs=0.02)
    assert "my[v2].onnx" in "".join(result.stdout.splitlines()[:-1])


def test_what_is_faster_or_the_same_ends_with_0(files: list[str]) -> None:
    assert compared(*reversed(files)).exit_code == 0
    assert compared(files[0], files[0]).exit_code == 0
    assert compared(*files, "--tolerance", "0.6").exit_code == 0


def test_what_cannot_be_compared_ends_with_2(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("{}")
    for wrong in (tmp_path / "c.json", tmp_path / "none.json"):
        result = compared(files[0], str(wrong))
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"error: {wrong} ")
