"""How much is done, on standard error where that is a terminal."""

from __future__ import annotations

import atexit
import sys
import time
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
)
from rich.text import Text


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed else "")


class ShowsProgress(Protocol):
    """Is told what is done, all there is (0 where that is not known), and counts in words."""

    def __call__(self, done: int, total: int, counts: str = "") -> None: ...


def progress_bar(title: str, *, after_s: float = 0.0) -> ShowsProgress:
    """Shows a bar with rate and time left when called with what is done and all there is.

    Nothing is shown where standard error is no terminal. What else is written to standard error
    meanwhile stands above the bar.

    Args:
        title: what is done.
        after_s: from the first call until the bar is shown, so that what is short has none.
    """
    progress = Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        "{task.fields[counts]}",
        console=Console(file=sys.stderr),
        transient=True,
        redirect_stdout=False,  # results stay where they are
        disable=not sys.stderr.isatty(),
    )
    atexit.register(progress.stop)  # an error may come first, and the cursor is hidden
    task = progress.add_task(title, counts="")
    started_s = 0.0

    def show(done: int, total: int, counts: str = "") -> None:
        nonlocal started_s
        if done == 0 or not started_s:
            started_s = time.monotonic()
            progress.reset(task)
        if (done < total or not total) and time.monotonic() - started_s >= after_s:
            progress.start()
        progress.update(task, completed=done, total=total or None, counts=counts)
        if done >= total > 0:
            progress.stop()

    return show
