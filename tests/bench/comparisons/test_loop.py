"""The live loop and its competitors on a generated clip."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from generated import write_clip
from typer.testing import CliRunner, Result

from dcrnet_bench.comparisons.loop import app
from dcrnet_bench.comparisons.registry import COMPETITORS


def compare(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--frames", "5", "--rounds", "1"])


def test_our_loop_is_measured(tmp_path: Path) -> None:
    # Long enough for 30 answers of a machine that is busy, of what plays as a camera.
    result = compare(write_clip(tmp_path / "clip.avi", 600, fps=25))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    [row] = [line for line in lines if line.startswith("| `dcrnet-run`")]
    assert row.count("|") == 7
    assert sum("not measured" in line for line in lines) == len(COMPETITORS) - 1
    runs = {run["is_paced"]: run for run in json.loads(lines[-1])["runs"]}
    assert runs[False]["contender"] == "ours"
    assert runs[False]["frames"] == 5
    assert runs[False]["fps"] > 0
    assert runs[False]["delay_ms"] is None
    assert runs[True]["delay_ms"] > 0


def test_a_clip_without_enough_frames_is_refused(tmp_path: Path) -> None:
    result = compare(write_clip(tmp_path / "clip.avi", 10, fps=25))
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "ended in the 25 frames of warm-up" in result.stderr


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ("nobody=python", "no competitor is called nobody: name one of by hand, fer, ours"),
        ("fer=nowhere", "there is no file nowhere: name an interpreter"),
    ],
)
def test_an_interpreter_of_nobody_is_refused(python: str, said: str, tmp_path: Path) -> None:
    result = compare(write_clip(tmp_path / "clip.avi", 1), "--python", python)
    assert result.exit_code == 2
    assert f"--python {python}: {said}" in result.stderr


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("nice '", "--prefix nice ': No closing quotation: close the quotation"),
        ("no-such-program", "no-such-program cannot be run (No such file or directory)"),
    ],
)
def test_a_prefix_that_cannot_be_run_is_refused(prefix: str, said: str, tmp_path: Path) -> None:
    result = compare(write_clip(tmp_path / "clip.avi", 1), "--prefix", prefix)
    assert result.exit_code == 2
    assert said in result.stderr
