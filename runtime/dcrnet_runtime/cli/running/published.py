"""The outputs of a run, from their opening to an orderly end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from threading import Event

import typer

from dcrnet_runtime.cli.console import complain, note
from dcrnet_runtime.outputs.plan import OutputPlan
from dcrnet_runtime.outputs.publisher import OutputFailedError, Publisher, open_publisher


@contextmanager
def published(
    plan: OutputPlan, positions: Mapping[str, int] | None = None
) -> Generator[tuple[Publisher, Callable[[], bool]]]:
    """The outputs, and whether one of them, SIGINT or SIGTERM wants the run stopped.

    They are finished at the end, which a signal hurries; a second one ends the run at once. What
    was logged of an output when it ended is not told again.

    Args:
        plan: the outputs.
        positions: where they go on of a run that can be resumed; None where they are replaced.
    """
    stopping = Event()

    def stop(number: int, _: object) -> None:
        note("Stopping.")
        stopping.set()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        publisher = open_publisher(plan, stopping.is_set, positions)
        try:
            yield publisher, lambda: stopping.is_set() or publisher.wants_stop
        except BaseException:
            try:
                publisher.close()
            except OutputFailedError as error:  # the loop's own end counts more
                if not error.is_told:
                    complain(str(error))
            raise
        try:
            publisher.close()
        except OutputFailedError as error:
            if error.is_told:
                raise typer.Exit(error.exit_code) from error
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
