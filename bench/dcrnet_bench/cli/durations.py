"""Spans of time as they are written on a command line."""

from __future__ import annotations

import re

from dcrnet_runtime.errors import DcrnetError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


def seconds_of(text: str, parameter: str) -> float:
    """``90``, ``90s``, ``10m`` or ``1h`` in seconds, more than 0.

    Args:
        text: as it was given.
        parameter: whose value it is, for the error.

    Raises:
        DcrnetError: it is none of these.
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not 0 < seconds <= 24 * 3600:
        raise DcrnetError(f"`{parameter}` {text} is no time: write 90s, 10m or 1h")
    return seconds
