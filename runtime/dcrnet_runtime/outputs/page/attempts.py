"""Wrong tokens, a few at once and then one in a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_AT_ONCE = 5
AGAIN_S = 10
"""Until another wrong token is looked at."""
_MOST_ADDRESSES = 1024


class Attempts:
    """Counts wrong tokens by who has sent them.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free_s: OrderedDict[str, float] = OrderedDict()

    def may_try(self, group: str) -> bool:
        """Whether a token from there is looked at."""
        ahead_s = self._free_s.get(group, 0.0) - self._clock()
        return ahead_s <= (_AT_ONCE - 1) * AGAIN_S

    def fail(self, group: str) -> None:
        """A wrong one has come from there."""
        self._free_s[group] = max(self._free_s.get(group, 0.0), self._clock()) + AGAIN_S
        self._free_s.move_to_end(group)
        if len(self._free_s) > _MOST_ADDRESSES:
            self._free_s.popitem(last=False)
