"""Steps of an export: shown while they run, and timed."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager, nullcontext


class Steps:
    """Shows the running step on standard error, where that is a terminal.

    Attributes:
        seconds: what each step took, by name; a repeated one adds up.
    """

    def __init__(self) -> None:
        from rich.console import Console

        self.seconds: dict[str, float] = {}
        self._console = Console(stderr=True)

    @contextmanager
    def __call__(self, name: str, subject: str = "") -> Generator[None, None, None]:
        """Time a block under ``name``; ``subject`` is shown with it."""
        title = f"{subject}: {name}" if subject else name
        start = time.perf_counter()
        with self._console.status(title) if self._console.is_terminal else nullcontext():
            yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def summary(self) -> str:
        """The steps so far with their times, which are then forgotten."""
        text = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.seconds.items())
        self.seconds.clear()
        return text
