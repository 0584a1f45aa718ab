"""Steps of an export, timed."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext


class Steps:
    """Times what is done.

    Attributes:
        seconds: what each step took, by name; a repeated one adds up.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str, subject: str = "") -> Generator[None, None, None]:
        """Time a block under ``name``; ``subject`` is what it is done to."""
        start = time.perf_counter()
        with self.shown(f"{subject}: {name}" if subject else name):
            yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def shown(self, title: str) -> AbstractContextManager[object]:
        """Tell the user of a running step; here nobody is told."""
        return nullcontext()

    def summary(self) -> str:
        """The steps so far with their times, which are then forgotten."""
        text = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.seconds.items())
        self.seconds.clear()
        return text
