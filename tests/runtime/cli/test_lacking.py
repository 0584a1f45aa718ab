"""What a machine has too little of is named, by its right cause."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import typer

from dcrnet_runtime.backends import interpreter
from dcrnet_runtime.backends.interpreter import InterpreterPackage, load_interpreter
from dcrnet_runtime.cli import extra
from dcrnet_runtime.cli.console import reported
from dcrnet_runtime.cli.extra import require_extra
from dcrnet_runtime.errors import DcrnetError

NO_ROOM = "libx.so: failed to map segment from shared object: Cannot allocate memory"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), "error: there is not enough memory: end other programs"),
        (RuntimeError("can't start new thread"), "error: no more threads can be started"),
    ],
)
def test_a_command_says_it_in_one_line(
    error: Exception, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise error

    with pytest.raises(typer.Exit) as left:
        reported(fails)()
    assert left.value.exit_code == 2
    assert capsys.readouterr().err.startswith(expected)


def test_a_defect_stays_one() -> None:
    def fails() -> None:
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        reported(fails)()


@pytest.mark.parametrize("error", [ImportError(NO_ROOM), OSError(NO_ROOM), MemoryError()])
def test_a_package_without_room_is_not_called_absent(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: str) -> None:
        raise error

    monkeypatch.setattr(interpreter, "import_module", fails)
    monkeypatch.setattr(extra, "import_module", fails)
    with pytest.raises(DcrnetError, match=r"ai-edge-litert cannot be loaded \(.+\): free some"):
        load_interpreter(b"", 1, InterpreterPackage.LITERT)
    with pytest.raises(DcrnetError, match=r"torch cannot be loaded \(.+\): free some memory"):
        require_extra("train", ["torch"])


def test_a_package_that_is_absent_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(interpreter._MODULES, InterpreterPackage.LITERT, "no_such_module")
    with pytest.raises(DcrnetError, match="no TFLite interpreter is installed"):
        load_interpreter(b"", 1, InterpreterPackage.LITERT)


def test_help_where_standard_output_is_ascii() -> None:
    code = "import sys; sys.argv = ['x', '--help']; from dcrnet_runtime.cli.run import app; app()"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert b"--source" in ended.stdout
    assert ended.stderr == b""
