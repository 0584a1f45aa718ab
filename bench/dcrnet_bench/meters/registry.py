"""The meters there are."""

from __future__ import annotations

from collections.abc import Callable

from dcrnet_bench.meters.meter import EnergyMeter, NoMeterError
from dcrnet_bench.meters.rapl import RaplMeter

METERS: dict[str, Callable[[], EnergyMeter]] = {
    "rapl": RaplMeter.open,
}
"""What opens each, by name; raises :class:`NoMeterError` where it is not at hand."""


def open_meter() -> EnergyMeter:
    """The first meter that is at hand.

    Raises:
        NoMeterError: none is; has the reason of each.
    """
    reasons = []
    for open_one in METERS.values():
        try:
            return open_one()
        except NoMeterError as error:
            reasons.append(str(error))
    raise NoMeterError("; ".join(reasons))
