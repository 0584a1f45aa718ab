"""Python on a board with this very code and what it needs."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dcrnet_bench.boards.job import run_job
from dcrnet_bench.boards.probe import Board
from dcrnet_bench.boards.wheel import write_wheel
from dcrnet_bench.boards.workspace import Workspace
from dcrnet_runtime.errors import DcrnetError

_INSTALL_LIMIT_S = 3600.0
_NEEDED = ("cv2", "numpy", "platformdirs", "psutil", "rich", "typer")
_EITHER = ("onnxruntime", "ai_edge_litert", "tflite_runtime")
_MISSING = (
    "from importlib.util import find_spec as f; import sys;"
    f" gone = [m for m in {_NEEDED} if f(m) is None];"
    f" gone += [] if any(map(f, {_EITHER})) else ['onnxruntime'];"
    " print(*gone)"
)


@dataclass(frozen=True, slots=True)
class BoardPython:
    """An interpreter of a board.

    Attributes:
        command: the shell's words that run it with this code.
    """

    command: str


def prepare_python(
    place: Workspace, board: Board, wanted: str, tell: Callable[[str], None]
) -> BoardPython:
    """Python in a workspace.

    Args:
        place: the workspace.
        board: whose it is.
        wanted: interpreter of an environment that is there; empty for a new one, into which the
            board installs what is needed from its own index.
        tell: told what takes minutes.

    Raises:
        DcrnetError: packages are missing or cannot be installed, or the board is lost.
    """
    with tempfile.TemporaryDirectory(prefix="dcrnet-bench-") as name:
        wheel = write_wheel(Path(name))
        remote = place.push(wheel, wheel.name)
    if wanted:
        return _existing(place, wanted, remote)
    tell(
        f"{place.connection.name} installs what is needed from its own index, which takes minutes;"
        " name an environment that has it with --python"
    )
    return _new(place, board, remote)


def _existing(place: Workspace, wanted: str, wheel: str) -> BoardPython:
    python, site = shlex.quote(wanted), place.path("site")
    missing = place.run(f"{python} -c {shlex.quote(_MISSING)}").strip()
    if missing:
        raise DcrnetError(
            f"`python` {wanted} on {place.connection.name} lacks {', '.join(missing.split())}:"
            " install them there, as dcrnet-edge itself does when it is installed"
        )
    place.run(f"{python} -m zipfile -e {shlex.quote(wheel)} {site}", limit_s=300.0)
    path = f"PYTHONPATH={site}${{PYTHONPATH:+:$PYTHONPATH}}"
    return BoardPython(f"{path} {python}")


def _new(place: Workspace, board: Board, wheel: str) -> BoardPython:
    environment = place.path("env")
    python = f"{environment}/bin/python"
    script = (
        f"{board.python} -m venv {environment}"
        f" && {python} -m pip install --quiet --no-input --no-cache-dir"
        f" --disable-pip-version-check {shlex.quote(wheel)}"
    )
    what = f"installing on {place.connection.name}"
    run_job(place, "install", script, what=what, limit_s=_INSTALL_LIMIT_S)
    return BoardPython(python)
