"""When the picture of a run's curves is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dcrnet_edge.training.callbacks import jsonl_logger
from dcrnet_edge.training.callbacks.jsonl_logger import CURVES_NAME, LOG_NAME, Curves

UNREAD: Any = None


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    folders: list[Path] = []
    monkeypatch.setattr(jsonl_logger, "draw_curves", folders.append)
    return folders


def test_it_is_drawn_twice_a_minute_and_at_the_end(
    drawn: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epochs of 12 s, from 100 s on."""
    clock = iter([100.0, 112.0, 124.0, 136.0, 148.0, 160.0, 172.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    curves = Curves(tmp_path)
    curves.on_train_start()
    counts = []
    for _ in range(6):
        curves.on_train_epoch_end()
        counts.append(len(drawn))
    assert counts == [0, 0, 1, 1, 1, 2]
    curves.on_train_end()
    assert drawn == [tmp_path] * 3


def test_a_run_that_fails_has_one_and_keeps_its_error(
    drawn: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curves = Curves(tmp_path)
    curves.on_exception(UNREAD, UNREAD, RuntimeError("before its first step"))
    assert drawn == []
    curves.on_train_start()
    curves.on_exception(UNREAD, UNREAD, RuntimeError("later"))
    assert drawn == [tmp_path]
    monkeypatch.undo()
    (tmp_path / CURVES_NAME).mkdir()
    curves.on_exception(UNREAD, UNREAD, OSError("disk full"))


def test_it_shows_what_was_logged(tmp_path: Path) -> None:
    (tmp_path / LOG_NAME).write_text('{"step": 0, "loss": 2}\n{"step": 9, "loss": 1}\n')
    jsonl_logger.draw_curves(tmp_path)
    assert (tmp_path / CURVES_NAME).stat().st_size > 5000
