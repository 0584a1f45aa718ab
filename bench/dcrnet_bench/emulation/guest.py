"""The aarch64 Python of an ARM root, run on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dcrnet_runtime
from dcrnet_bench.emulation.core import Core
from dcrnet_bench.emulation.programs import Ended, run_program
from dcrnet_bench.emulation.root import ArmRoot
from dcrnet_bench.profiling.instruction_counter import CORE_VARIABLE, COUNTS_VARIABLE

_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "XDG_CACHE_HOME")
_OURS = (str(Path(dcrnet_runtime.__path__[0]).parent), str(Path(__file__).parents[2]))


@dataclass(frozen=True, slots=True)
class Guest:
    """An emulated core with this checkout's runtime and bench.

    Attributes:
        root: of its files.
        core: that is played.
        plugin: that counts instructions; None for none.
    """

    root: ArmRoot
    core: Core
    plugin: Path | None = None

    def command(self, arguments: Sequence[str], counts: Path | None = None) -> list[str]:
        """What runs Python with ``arguments``; ``counts`` is the plug-in's file."""
        plugin: list[str] = []
        if self.plugin is not None and counts is not None:
            plugin = ["-plugin", f"{_quoted(self.plugin)},out={_quoted(counts)}"]
        return ["qemu-aarch64", *plugin, str(self.root.python), *arguments]

    def environment(self, counts: Path | None = None) -> dict[str, str]:
        """All variables of the emulated program.

        Threads are one and hashes are the same each time, so that counts repeat.
        """
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        found = {
            **kept,
            "QEMU_LD_PREFIX": str(self.root.prefix(self.core)),
            "QEMU_CPU": self.core.value,
            "PYTHONHOME": str(self.root.home),
            "PYTHONPATH": os.pathsep.join((*_OURS, str(self.root.packages))),
            "PYTHONHASHSEED": "0",
            "PYTHONPYCACHEPREFIX": str(self.root.bytecode),
            "OMP_NUM_THREADS": "1",
            CORE_VARIABLE: self.core.value,
        }
        return found if counts is None else {**found, COUNTS_VARIABLE: str(counts)}

    def run(
        self, arguments: Sequence[str], *, what: str, limit_s: float, counts: Path | None = None
    ) -> Ended:
        """Run Python with ``arguments`` to its end.

        Raises:
            DcrnetError: it failed, has the last line that it said; or it does not end.
        """
        return run_program(
            self.command(arguments, counts),
            what=f"{what} on an emulated {self.core}",
            limit_s=limit_s,
            environment=self.environment(counts),
        )


def _quoted(path: Path) -> str:
    """A path as an argument of QEMU's, in which commas part."""
    return str(path).replace(",", ",,")
