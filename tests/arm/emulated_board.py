"""An emulated Cortex-A76 that is reached as a board is, for ``dcrnet-bench --host``.

    python -m tests.arm.emulated_board [MODEL... and options of dcrnet-bench]

runs ``dcrnet-bench --device arm --host`` on it, behind a real sshd of this machine. Nothing of it
stays.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(TESTS))

from board_stand_ins import Board, ssh_board  # noqa: E402

from dcrnet_bench.emulation.core import Core  # noqa: E402
from dcrnet_bench.emulation.guest import Guest  # noqa: E402
from dcrnet_bench.emulation.plugin import build_plugin  # noqa: E402
from dcrnet_bench.emulation.root import ArmRoot, build_root  # noqa: E402
from dcrnet_bench.profiling.instruction_counter import COUNTS_VARIABLE  # noqa: E402
from dcrnet_runtime.cli.console import note  # noqa: E402


@dataclass(frozen=True, slots=True)
class EmulatedBoard:
    """A board whose Python is aarch64's, and counts.

    Attributes:
        board: how it is reached, and what is on it.
        python: its interpreter.
    """

    board: Board
    python: Path

    @property
    def options(self) -> list[str]:
        """Of ``dcrnet-bench``."""
        return ["--device", "arm", "--host", self.board.host, "--python", str(self.python)]


@contextmanager
def emulated_board(
    root: ArmRoot,
    counter: Path,
    folder: Path,
    reach: Callable[[Path, pytest.MonkeyPatch], AbstractContextManager[Board]] = ssh_board,
) -> Generator[EmulatedBoard, None, None]:
    """One in a folder; its ``ssh`` or ``adb`` is the first on PATH as long.

    Args:
        root: of its files.
        counter: the plug-in.
        folder: for its keys, its settings and what is on it.
        reach: makes a board there, and the way to it.
    """
    guest = Guest(root, Core.CORTEX_A76, counter)
    counts = folder / "counts"
    # What the bench unpacks there is gone at the end: its bytecode would stay in the root's cache.
    variables = guest.environment(counts) | {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": f'"${{PYTHONPATH:+$PYTHONPATH:}}{root.packages}"',
    }
    assert COUNTS_VARIABLE in variables
    exports = "\n".join(f"export {name}={value}" for name, value in variables.items())
    with pytest.MonkeyPatch.context() as patch, reach(folder, patch) as board:
        board.program("python3", f'{exports}\nexec {" ".join(guest.command([], counts))} "$@"')
        board.program("uname", 'if [ "$1" = -m ]; then echo aarch64; else /bin/uname "$@"; fi')
        yield EmulatedBoard(board, board.bin / "python3")


def main() -> None:
    """Measure what is named, or the shipped model, over ssh."""
    from dcrnet_bench.cli.bench import app

    root, counter = build_root(note), build_plugin()
    with (
        tempfile.TemporaryDirectory(prefix="dcrnet-board-") as folder,
        emulated_board(root, counter, Path(folder)) as there,
    ):
        arguments = [*there.options, *sys.argv[1:]]
        note(f"dcrnet-bench {' '.join(arguments)}")
        app(arguments, prog_name="dcrnet-bench")


if __name__ == "__main__":
    main()
