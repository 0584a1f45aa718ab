"""How near a model comes to what the machine can do at most.

After S. Williams, A. Waterman, D. Patterson: Roofline, CACM 52(4), 2009.
"""

from __future__ import annotations

from collections.abc import Sequence

from dcrnet_bench.profiling.macs import MacCount
from dcrnet_bench.profiling.peak import MachinePeak

_GIGA_A_SECOND_IN_MS = 1e6


def arithmetic_ms(counts: Sequence[MacCount], peak: MachinePeak) -> float:
    """The least time that the products need, each at its precision's peak."""
    rates = {True: peak.int8_gmacs, False: peak.float_gmacs}
    return sum(count.macs / rates[count.is_int8] for count in counts) / _GIGA_A_SECOND_IN_MS


def traffic_ms(moved_bytes: int, peak: MachinePeak) -> float:
    """The time of a copy that moves as many bytes."""
    return moved_bytes / peak.copy_gb_s / _GIGA_A_SECOND_IN_MS
