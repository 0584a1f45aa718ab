"""The processor's own energy counter (Intel and AMD: RAPL, Running Average Power Limit).

It covers the whole package: cores, caches and whatever else runs. Format and units of the files:
https://docs.kernel.org/power/powercap/powercap.html. How often the counter moves: Intel 64 and
IA-32 Architectures Software Developer's Manual, volume 3B, on RAPL.
"""

from __future__ import annotations

from pathlib import Path

from dcrnet_bench.meters.meter import NoMeterError

RAPL = Path("/sys/class/powercap/intel-rapl:0")
_J_PER_UJ = 1e-6


class RaplMeter:
    """RAPL's counter of the first package, which starts again from 0 at its range.

    Attributes:
        name: for people.
        rails: the package's name, as the kernel has it.
        uncertainty: for people.
    """

    name = "RAPL"
    uncertainty = "the counter moves about once a millisecond; its maker states no accuracy"

    def __init__(self, folder: Path, range_uj: int) -> None:
        """Of the ``folder`` where the kernel shows it, with ``range_uj`` counts in microjoules."""
        self.rails: tuple[str, ...] = (_name(folder),)
        self._folder = folder
        self._range_uj = range_uj
        self._started_uj = self._read_uj()

    @classmethod
    def open(cls, folder: Path = RAPL) -> RaplMeter:
        """The counter of the first package.

        Raises:
            NoMeterError: there is none, or this user may not read it.
        """
        try:
            return cls(folder, int((folder / "max_energy_range_uj").read_text()))
        except PermissionError as error:
            raise NoMeterError(f"{folder}/energy_uj is readable by root only") from error
        except (OSError, ValueError) as error:
            raise NoMeterError("this machine shows no RAPL energy counter") from error

    def start(self) -> None:
        self._started_uj = self._read_uj()

    def stop(self) -> float:
        """Energy since the start, in J; right as long as the counter went round at most once."""
        return (self._read_uj() - self._started_uj) % self._range_uj * _J_PER_UJ

    def _read_uj(self) -> int:
        return int((self._folder / "energy_uj").read_text())


def _name(folder: Path) -> str:
    try:
        return (folder / "name").read_text().strip()
    except OSError:
        return folder.name
