"""Where else than on this machine itself models are measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.emulation.core import Core


@dataclass(frozen=True, slots=True)
class OnBoard:
    """Another machine.

    Attributes:
        host: ``user@board`` by ssh, ``adb:SERIAL`` by adb.
        python: interpreter there whose packages are used; empty for a new environment, into which
            the board installs them from its own index.
        benchmark_model: LiteRT's program of that name, built for the board, which measures in
            place of Python; None for Python.
    """

    host: str
    python: str = ""
    benchmark_model: Path | None = None


@dataclass(frozen=True, slots=True)
class Emulated:
    """An ARM core that this machine emulates: answers and counts, no times.

    Attributes:
        core: that is played.
    """

    core: Core


Place = OnBoard | Emulated
