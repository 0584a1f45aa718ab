"""How much is done, on standard error where that is a terminal."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable


def progress_bar(title: str) -> Callable[[int, int], None]:
    """Shows a bar when called with what is done and all there is."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    progress = Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    atexit.register(progress.stop)  # an error may come first, and the cursor is hidden
    task = progress.add_task(title)

    def show(done: int, total: int) -> None:
        if done == 0:
            progress.reset(task)
            progress.start()
        progress.update(task, completed=done, total=total)
        if done >= total:
            progress.stop()

    return show
