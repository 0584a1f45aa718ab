"""Another machine, by ssh or adb."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.boards.connection import Connection
from dcrnet_bench.boards.environment import prepare_python
from dcrnet_bench.boards.job import run_job
from dcrnet_bench.boards.patience import PatientConnection
from dcrnet_bench.boards.probe import Board, probe
from dcrnet_bench.boards.registry import connect
from dcrnet_bench.boards.workspace import Workspace, workspace
from dcrnet_bench.host.device import Device
from dcrnet_bench.report.report import Report
from dcrnet_bench.targets.elsewhere import (
    check_files,
    images_of,
    report_from,
    tell_all,
    with_portrait,
)
from dcrnet_bench.targets.local import is_arm
from dcrnet_bench.targets.place import OnBoard
from dcrnet_bench.targets.target import Plan, Target
from dcrnet_bench.targets.worker import write_order
from dcrnet_runtime.errors import DcrnetError

_BASE_LIMIT_S = 1800.0
_LIMIT_S_A_MODEL = 1800.0


@dataclass(frozen=True, slots=True)
class BoardTarget:
    """A board with Python.

    Attributes:
        device: as which it is measured.
        place: how it is reached.
        connection: to it.
        board: what it is.
    """

    device: Device
    place: OnBoard
    connection: Connection
    board: Board

    @classmethod
    def open(cls, device: Device, place: OnBoard) -> Target:
        """The board of ``place``, asked what it is.

        Raises:
            DcrnetError: it cannot be reached, or cannot measure ``device``; says what to do.
        """
        connection = connect(place.host)
        board = probe(connection, place.python)
        if device is Device.ARM and not is_arm(board.machine):
            raise DcrnetError(
                f"`device` arm: {connection.name} is {board.machine}, not ARM: name an ARM board,"
                " or use `device` cpu"
            )
        if place.benchmark_model is not None:
            from dcrnet_bench.targets.phone import PhoneTarget

            return PhoneTarget(device, place.benchmark_model, connection, board)
        if not board.python:
            raise DcrnetError(
                f"`host` {connection.name} has no Python: install Python 3.11 or later there and"
                " name it with `python`; on Android name LiteRT's program with `benchmark_model`"
            )
        return cls(device, place, connection, board)

    def measure(self, plan: Plan, warn: Callable[[str], None]) -> Report:
        """Send, measure there, fetch, clear up.

        Args:
            plan: what.
            warn: told of lost connections, and what the board warns of.

        Raises:
            DcrnetError: a model or the source cannot be used, or the board fails or is lost.
        """
        check_files(plan)
        patient = PatientConnection(self.connection, warn)
        with tempfile.TemporaryDirectory(prefix="dcrnet-bench-") as name:
            whole = with_portrait(plan, Path(name))
            with workspace(patient) as there:
                return self._measure(there, whole, Path(name), warn)

    def _measure(
        self, there: Workspace, plan: Plan, folder: Path, warn: Callable[[str], None]
    ) -> Report:
        python = prepare_python(there, self.board, self.place.python, warn)
        models = {path: f"models/{i}/{path.name}" for i, path in enumerate(plan.models)}
        for path, name in models.items():
            there.push(path, name)
        source = send_source(there, plan.source)
        order = folder / "order"
        # The worker starts in the workspace: it needs no path of the board's.
        write_order(self.device, plan, order, models, source)
        there.push(order, "order")
        command = f"{python.command} -m dcrnet_bench.targets.worker order report"
        limit_s = _BASE_LIMIT_S + len(models) * (_LIMIT_S_A_MODEL + plan.sustained_s)
        what = f"measuring on {self.connection.name}"
        tell_all(warn, run_job(there, "measure", command, what=what, limit_s=limit_s))
        here = {name: path for path, name in models.items()}
        return report_from(there.read("report"), here, self.connection.name)


def send_source(there: Workspace, source: Path | None) -> str:
    """Push the images that ``source`` stands for; its name in the workspace, empty for none."""
    for each in images_of(source):
        there.push(each, f"source/{each.name}")
    if source is None:
        return ""
    return "source" if source.is_dir() else f"source/{source.name}"
