"""The fuzz command, on few inputs: what it draws, counts and saves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from fuzz.seeds import SEEDS, drawn

ROOT = Path(__file__).parents[1]


def test_an_input_is_the_same_each_time_and_others_differ() -> None:
    for kind in (*SEEDS, "name"):
        if kind in ("model-onnx", "checkpoint"):
            continue  # need extras
        inputs = [drawn(kind, 1, number) for number in range(8)]
        assert inputs == [drawn(kind, 1, number) for number in range(8)]
        assert len(set(inputs)) > 1, kind
        assert inputs != [drawn(kind, 2, number) for number in range(8)]


def fuzz(saved: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", "--saved", str(saved), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_short_run_finds_nothing(tmp_path: Path) -> None:
    kinds = ["picture-jpg", "card", "settings", "name", "bundle"]
    words = [word for kind in kinds for word in ("--kind", kind)]
    done = fuzz(tmp_path / "saved", *words, "--inputs", "500")
    saved = {path.name: path.read_text(errors="replace") for path in tmp_path.rglob("*.txt")}
    assert done.returncode == 0, (done.stdout, done.stderr, saved)
    for kind in kinds:
        assert f"| {kind} | 100 | 0 | 0 | 0 | 0 |" in done.stdout
