"""The bar that long runs show on a terminal, and nowhere else."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from dcrnet_runtime.cli.console import complain
from dcrnet_runtime.cli.progress import progress_bar
from dcrnet_runtime.cli.running import bar
from dcrnet_runtime.outputs import FrameFacts, OutputPlan
from dcrnet_runtime.video.feed import Feed


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard error as a terminal; not a fixture, whose change pytest's capture undoes."""
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    return shown


def test_a_bar_has_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    show = progress_bar("photos")
    for done in range(1, 41):
        show(done, 50, f"{done} with a face")
    complain("a line above")
    show(50, 50, "50 with a face")
    shown = terminal.getvalue()
    assert "photos" in shown
    assert "/50" in shown
    assert " with a face" in shown
    assert "/s" in shown
    assert "0:00:0" in shown
    assert "error: a line above\n" in shown
    assert sys.stderr is terminal  # given back at the end


def test_what_is_short_shows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    show = progress_bar("photos", after_s=5)
    for done in range(1, 4):
        show(done, 3)
    assert terminal.getvalue() == ""


def test_a_length_that_is_not_known_has_a_bar_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    show = progress_bar("frames")
    show(1, 0)
    show(2, 0)
    assert "frames" in terminal.getvalue()


def plan(feed: Feed, **options: Any) -> OutputPlan:
    return OutputPlan.of(FrameFacts(("a",), feed), **options)


def test_nothing_is_shown_where_it_would_be_in_the_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    terminal = on_terminal(monkeypatch)
    monkeypatch.setattr(bar, "SHORT_S", 0.0)
    to_file = {"jsonl": None, "csv": tmp_path / "a.csv"}

    def shows(of: OutputPlan) -> bool:
        terminal.seek(0)
        terminal.truncate()
        show = bar.run_bar("frames", of)
        show(1, 9)
        has_shown = terminal.getvalue() != ""
        show(9, 9)  # which gives standard error back
        return has_shown

    monkeypatch.setattr(sys, "stdout", Terminal())
    assert shows(plan(Feed.RECORDING, **to_file))
    assert not shows(plan(Feed.RECORDING))  # whose lines are on the same terminal
    assert not shows(plan(Feed.LIVE, **to_file))  # which has no end
    monkeypatch.setattr(sys, "stdout", io.StringIO())  # a pipe
    assert shows(plan(Feed.PHOTOS))
    piped = io.StringIO()
    monkeypatch.setattr(sys, "stderr", piped)
    bar.run_bar("frames", plan(Feed.PHOTOS))(1, 9)
    assert piped.getvalue() == ""
