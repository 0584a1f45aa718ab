"""Imports that take so long that people interrupt them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Generator[None, None, None]:
    """Let SIGINT end the process at once in the block, by the signal itself.

    As an exception in the middle of an import it would be a traceback of other people's modules,
    or be lost in one of them that catches everything.
    """
    is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not is_usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
