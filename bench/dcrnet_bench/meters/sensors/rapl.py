"""The processor's own energy counters (Intel and AMD: RAPL, Running Average Power Limit).

They cover the whole package: cores, caches and whatever else runs, and the memory where it has a
counter of its own. Format and units of the files, and the tree of zones:
https://docs.kernel.org/power/powercap/powercap.html; AMD's counters stand in the same tree
(drivers/powercap/intel_rapl_msr.c). How often a counter moves: Intel 64 and IA-32 Architectures
Software Developer's Manual, volume 3B, on RAPL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.meters.meter import NoMeterError

POWERCAP = Path("/sys/class/powercap")
_PACKAGE, _MEMORY = "package", "dram"
_J_PER_UJ = 1e-6
_RATE_HZ = 1000.0


@dataclass(frozen=True, slots=True)
class _Zone:
    """A counter, which starts again from 0 at its range."""

    name: str
    counter: Path
    range_uj: int

    def read_uj(self) -> int:
        return int(self.counter.read_text())


class RaplMeter:
    """RAPL's counters of all packages and of their memory.

    Attributes:
        name: for people.
        rails: the zones' names, as the kernel has them.
        uncertainty: for people.
        rate_hz: how often the counters move.
    """

    name = "RAPL"
    uncertainty = "the counter moves about once a millisecond; its maker states no accuracy"
    rate_hz = _RATE_HZ

    def __init__(self, zones: tuple[_Zone, ...]) -> None:
        self.rails: tuple[str, ...] = tuple(zone.name for zone in zones)
        self._zones = zones
        self._started_uj = self._read_uj()

    @classmethod
    def open(cls, powercap: Path = POWERCAP) -> RaplMeter:
        """The counters that stand below ``powercap``.

        Raises:
            NoMeterError: there is none, or this user may not read it.
        """
        try:
            zones = tuple(_zones(powercap))
            if zones:
                return cls(zones)
        except PermissionError as error:
            raise NoMeterError(
                "RAPL's energy_uj is readable by root only: sudo chmod a+r"
                f" {powercap}/intel-rapl:*/energy_uj"
            ) from error
        except (OSError, ValueError):
            pass
        raise NoMeterError("this machine shows no RAPL energy counter")

    def start(self) -> None:
        self._started_uj = self._read_uj()

    def stop(self) -> float:
        """Energy since the start, in J; right where no counter went round more than once."""
        try:
            ended_uj = self._read_uj()
        except (OSError, ValueError) as error:
            raise NoMeterError("RAPL's counter can no longer be read") from error
        spans = zip(self._zones, self._started_uj, ended_uj, strict=True)
        return sum((end - start) % zone.range_uj for zone, start, end in spans) * _J_PER_UJ

    def _read_uj(self) -> list[int]:
        return [zone.read_uj() for zone in self._zones]


def _zones(powercap: Path) -> Iterator[_Zone]:
    """Packages, each with its memory; cores and graphics are parts of a package, psys is more."""
    for folder in sorted(powercap.glob("intel-rapl:*")):
        name = (folder / "name").read_text().strip()
        if name.startswith((_PACKAGE, _MEMORY)):
            range_uj = int((folder / "max_energy_range_uj").read_text())
            yield _Zone(name, folder / "energy_uj", range_uj)
