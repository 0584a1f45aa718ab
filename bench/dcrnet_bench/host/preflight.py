"""The state of a machine before and after a run, and what of it makes figures doubtful."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dcrnet_bench.host.facts import Host
from dcrnet_bench.host.load import busy_warning
from dcrnet_bench.host.power import PowerState
from dcrnet_bench.host.throttling import Throttling


class Flag(StrEnum):
    """A circumstance in which figures are not the machine's own."""

    BUSY = "busy"
    THROTTLED = "throttled"
    CHARGING = "charging"
    BATTERY = "battery"
    EMULATED = "emulated"


_DISQUIETING = frozenset({Flag.BUSY, Flag.THROTTLED, Flag.CHARGING, Flag.EMULATED})


@dataclass(frozen=True, slots=True)
class Doubt:
    """A flag with its words.

    Attributes:
        flag: which circumstance.
        text: what was seen, and what to do.
    """

    flag: Flag
    text: str

    @property
    def is_disquieting(self) -> bool:
        """Whether a host in this state is refused where a quiet one is required."""
        return self.flag in _DISQUIETING


@dataclass(frozen=True, slots=True)
class HostState:
    """What changes during a run.

    Attributes:
        load: programs that wanted to run, mean of the last minute.
        mhz: clock of each core that this process may use, in their order; empty where it cannot
            be read.
        temperatures_c: by sensor; empty where none can be read.
        throttling: what holds the clock down.
        power: where the power comes from.
    """

    load: float
    mhz: tuple[float, ...]
    temperatures_c: dict[str, float]
    throttling: Throttling
    power: PowerState


@dataclass(frozen=True, slots=True)
class Preflight:
    """The record of a run.

    Attributes:
        before: the first timed round.
        after: the last one.
        doubts: what makes the figures doubtful, of both.
    """

    before: HostState
    after: HostState
    doubts: tuple[Doubt, ...]


def preflight_of(host: Host, before: HostState, after: HostState) -> Preflight:
    """The record, in which the load afterwards counts for nothing: it is the bench's own."""
    found = doubts_of(host, before)
    known = {doubt.flag for doubt in found}
    events = before.throttling.events, after.throttling.events
    if None not in events and events[0] != events[1] and Flag.THROTTLED not in known:
        found.append(Doubt(Flag.THROTTLED, "the processor throttled during the run: cool it"))
        known.add(Flag.THROTTLED)
    found += [
        doubt
        for doubt in doubts_of(host, after)
        if doubt.flag is not Flag.BUSY and doubt.flag not in known
    ]
    return Preflight(before, after, tuple(found))


def doubts_of(host: Host, state: HostState) -> list[Doubt]:
    """What of a state makes figures doubtful."""
    found = []
    busy = busy_warning(state.load, host.cores)
    if busy and not host.emulator:
        found.append(Doubt(Flag.BUSY, busy))
    if state.throttling.reasons:
        reasons = "; ".join(state.throttling.reasons)
        found.append(
            Doubt(Flag.THROTTLED, f"the clock is held down ({reasons}): cool it and measure again")
        )
    if state.power.is_charging:
        found.append(Doubt(Flag.CHARGING, "the battery is charging, which heats: charge it first"))
    elif state.power.source == "battery":
        found.append(
            Doubt(Flag.BATTERY, "it runs on its battery, on which many machines clock lower")
        )
    if host.emulator:
        found.append(
            Doubt(
                Flag.EMULATED,
                f"this {host.machine} is emulated by {host.emulator}: nothing is timed, for that"
                " would be no latency of any machine; measure on the board itself",
            )
        )
    return found
