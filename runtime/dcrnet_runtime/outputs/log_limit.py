"""Log lines of one kind, at most one in a while."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

INTERVAL_S = 10.0
"""Between two lines of one kind."""

_MOST_KINDS = 256


class OncePerInterval(logging.Filter):
    """Lets one record of a kind pass in a while, with the number of those that were held back.

    Records of the same text are of one kind.

    Args:
        interval_s: between two of a kind.
        clock: seconds that never go back.
    """

    def __init__(
        self, interval_s: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._interval_s = interval_s
        self._clock = clock
        self._passed_s: dict[str, float] = {}
        self._held: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may pass."""
        kind, now_s = record.getMessage(), self._clock()
        if now_s - self._passed_s.get(kind, float("-inf")) < self._interval_s:
            self._held[kind] += 1
            return False
        if len(self._passed_s) == _MOST_KINDS:
            self._passed_s.clear()
        self._passed_s[kind] = now_s
        held = self._held.pop(kind, 0)
        if held:
            record.msg, record.args = f"{kind} (and {held} more like it)", ()
        return True
