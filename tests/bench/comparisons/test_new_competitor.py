"""A new competitor is one file and one registration: a toy one, in the table of the command."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from generated import write_clip
from typer.testing import CliRunner

from dcrnet_bench.comparisons.loop import app
from dcrnet_bench.comparisons.registry import COMPETITORS, Competitor

TOY = """
def answers(camera, trial):
    import oracle
    while camera.grab():
        assert camera.bgr().shape == (240, 320, 3)
        yield camera.index, oracle.sees(camera.index)
"""


def test_the_command_measures_a_competitor_that_was_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "toy.py").write_text(TOY)
    environment = tmp_path / "environment"
    environment.mkdir()
    (environment / "oracle.py").write_text("def sees(index):\n    return index % 2 == 0\n")
    monkeypatch.setenv("PYTHONPATH", str(environment))
    monkeypatch.delitem(COMPETITORS, "ours")
    toy = Competitor("An oracle", tmp_path / "toy.py", needs_python=True)
    monkeypatch.setitem(COMPETITORS, "toy", toy)
    clip = write_clip(tmp_path / "clip.avi", 60, fps=25)
    arguments = [str(clip), "--frames", "10", "--rounds", "1", "--python", f"toy={sys.executable}"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    [row] = [line for line in lines if line.startswith("| An oracle |")]
    assert row.endswith("| 50% |")
    runs = json.loads(lines[-1])["runs"]
    assert [(run["contender"], run["is_paced"]) for run in runs] == [("toy", False), ("toy", True)]
    assert runs[0]["frames"] == 10
    assert runs[1]["delay_ms"] > 0
