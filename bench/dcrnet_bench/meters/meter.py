"""What every energy meter offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dcrnet_bench.host.device import Device


class NoMeterError(Exception):
    """A meter is not at hand, or no longer; the text says why, and what to do where that helps."""


class EnergyMeter(Protocol):
    """Tells the energy that a machine took over a span of time.

    A counter is read at both ends of the span; a meter of power integrates its samples over it;
    the file of an external one is read when the span has ended.

    Attributes:
        name: for people.
        rails: what it covers, in the maker's words; the energy is of all of them together.
        uncertainty: of a span's energy, and where that is known from; for people.
        rate_hz: how often it has a new value; spans are long enough for many of them.
    """

    name: str
    rails: tuple[str, ...]
    uncertainty: str
    rate_hz: float

    def start(self) -> None:
        """Begin a span; one that was not stopped is forgotten.

        Raises:
            NoMeterError: the meter is gone.
        """
        ...

    def stop(self) -> float:
        """End the span: its energy in J, gross.

        Raises:
            NoMeterError: the meter is gone, or does not tell the energy of this span.
        """
        ...


@dataclass(frozen=True, slots=True)
class MeterKind:
    """A kind of meter.

    Attributes:
        devices: whose energy it tells.
        open: the meter, ready; raises :class:`NoMeterError` where it is not at hand.
    """

    devices: frozenset[Device]
    open: Callable[[], EnergyMeter]
