"""Steps of an export, shown while they run."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from rich.console import Console

from dcrnet_export.progress import Steps


class ShownSteps(Steps):
    """Shows the running step on standard error, where that is a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._console = Console(stderr=True)

    def shown(self, title: str) -> AbstractContextManager[object]:
        return self._console.status(title) if self._console.is_terminal else nullcontext()
