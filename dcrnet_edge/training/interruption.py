"""SIGINT and SIGTERM of a run: a resume point first, and then its end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from dcrnet_edge.training.module import TrainingStopError

_SHELL_BASE = 128
_WORDS = {signal.SIGINT: "interrupted (SIGINT)", signal.SIGTERM: "told to end (SIGTERM)"}


class RunEndedError(TrainingStopError):
    """A run that a signal ended.

    Args:
        by: the signal; the exit code is a shell's for it.
        what_next: the command that goes on, or what else there is to do.
        when: in which state it was.
    """

    def __init__(self, by: signal.Signals, what_next: str, when: str = "") -> None:
        super().__init__(f"training was {_WORDS[by]}{when}: {what_next}")
        self.by = by
        self.exit_code = _SHELL_BASE + by


class EndRequest:
    """Remembers the first of these signals; a second SIGINT interrupts wherever the run is."""

    def __init__(self) -> None:
        self.by: signal.Signals | None = None

    def listen(self) -> None:
        """Take the signals from now on, but those that the process was started to ignore."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _WORDS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._heard)

    @contextmanager
    def listening(self) -> Generator[None]:
        """Take the signals in the block, and leave their handlers as they were."""
        before = {number: signal.getsignal(number) for number in _WORDS}
        self.listen()
        try:
            yield
        finally:
            if threading.current_thread() is threading.main_thread():
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        if self.by is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.by = self.by or signal.Signals(number)


@contextmanager
def stoppable() -> Generator[None, None, None]:
    """Let SIGINT and SIGTERM raise in the block, in place of an end without a word.

    Those that the process was started to ignore stay ignored.
    """
    raising = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: _exit}
    ending = [number for number in raising if signal.getsignal(number) is signal.SIG_DFL]
    for number in ending:
        signal.signal(number, raising[number])
    try:
        yield
    finally:
        for number in ending:
            signal.signal(number, signal.SIG_DFL)


def signal_behind(error: BaseException) -> signal.Signals | None:
    """Which of the signals an exception comes from; None for any other."""
    if isinstance(error, KeyboardInterrupt):
        return signal.SIGINT
    if not isinstance(error, SystemExit):
        return None
    if error.code == _SHELL_BASE + signal.SIGTERM:
        return signal.SIGTERM
    # Lightning leaves with 1 where it was interrupted.
    return signal.SIGINT if isinstance(error.__context__, KeyboardInterrupt) else None


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(_SHELL_BASE + number)
