"""The options that say where ``dcrnet-bench`` measures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_bench.emulation.core import Core
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_bench.targets.place import Place


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Where else than on this machine."""

    host: Annotated[
        str | None,
        typer.Option(metavar="BOARD", help="Measure on a board: user@board, or adb:SERIAL."),
    ] = None
    python: Annotated[
        str | None,
        typer.Option(help="With --host: an interpreter there; default: a new environment."),
    ] = None
    benchmark_model: Annotated[
        Path | None,
        typer.Option(help="With --host: LiteRT's program, for a board without Python."),
    ] = None
    emulate: Annotated[
        bool,
        typer.Option("--emulate", help="Emulate an ARM core: answers and instructions, no times."),
    ] = False
    cpu: Annotated[
        Core | None, typer.Option(help="With --emulate: the core; default cortex-a76.")
    ] = None

    def place(self) -> Place | None:
        """Where; None for this machine.

        Raises:
            DcrnetError: an option is of no use beside the others.
        """
        from dcrnet_bench.targets.place import Emulated, OnBoard

        of_host = {"python": self.python, "benchmark_model": self.benchmark_model}
        given = [name for name, value in of_host.items() if value is not None]
        if self.host is None and given:
            raise DcrnetError(f"`{given[0]}` says how a board measures: name one with `host`")
        if self.cpu is not None and not self.emulate:
            raise DcrnetError("`cpu` names an emulated core: add `emulate`")
        if self.emulate and self.host is not None:
            raise DcrnetError("`emulate` and `host` are two places: use one of them")
        if self.emulate:
            return Emulated(self.cpu or Core.CORTEX_A76)
        if self.host is None:
            return None
        return OnBoard(self.host, self.python or "", self.benchmark_model)
