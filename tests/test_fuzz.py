"""The fuzz command, on few inputs: what it draws, counts and saves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.entries import ENTRIES
from fuzz.media import PICTURES
from fuzz.seeds import JSON, KINDS, SEEDS, drawn, shares

ROOT = Path(__file__).parents[1]
LIGHT = (*(f"picture-{each}" for each in PICTURES), *JSON, "cache-faces", "power", "name")
"""Kinds whose good ones are made in no time."""
REFUSED = ("picture-jp2", "playlist-m3u8")
"""Kinds that are not read."""


def test_an_input_is_the_same_each_time_and_others_differ() -> None:
    for kind in LIGHT:
        inputs = [drawn(kind, 1, number) for number in range(8)]
        assert inputs == [drawn(kind, 1, number) for number in range(8)]
        assert len(set(inputs)) > 1, kind
        assert inputs != [drawn(kind, 2, number) for number in range(8)]


@pytest.mark.parametrize("kind", sorted({*SEEDS} - {*REFUSED}))
def test_a_good_one_is_taken(kind: str, tmp_path: Path) -> None:
    """Else what is drawn from it would never get beyond the door."""
    path = tmp_path / ("input.safetensors" if kind == "checkpoint" else "input")
    path.write_bytes(SEEDS[kind]())
    ENTRIES[kind if kind in ENTRIES else kind.partition("-")[0]](path)


def test_slow_kinds_get_fewer_and_together_they_are_as_many_as_asked_for() -> None:
    shared = shares(KINDS, 100_000)
    assert shared["picture-png"] == pytest.approx(8 * shared["stream-hls"], abs=8)
    assert 100_000 <= sum(shared.values()) < 100_000 + len(KINDS)


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
        assert f"| {kind} | {shares(kinds, 500)[kind]} | 0 | 0 | 0 | 0 |" in done.stdout
