"""The outputs of a run, from their opening to an orderly end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import Event

from dcrnet_runtime.cli.console import note
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.plan import OutputPlan
from dcrnet_runtime.outputs.publisher import Publisher, open_publisher


@contextmanager
def published(plan: OutputPlan) -> Generator[tuple[Publisher, Callable[[], bool]]]:
    """The outputs, and whether one of them, SIGINT or SIGTERM wants the run stopped.

    They are finished at the end, which a signal hurries; a second one ends the run at once.
    """
    stopping = Event()

    def stop(number: int, _: object) -> None:
        note("Stopping.")
        stopping.set()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        publisher = open_publisher(plan, stopping.is_set)
        try:
            yield publisher, lambda: stopping.is_set() or publisher.wants_stop
        except BaseException:
            with suppress(DcrnetError):  # named when it occurred; the loop's own end counts more
                publisher.close()
            raise
        publisher.close()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
