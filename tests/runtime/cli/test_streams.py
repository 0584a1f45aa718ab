"""Standard streams that are closed, full or abandoned: no traceback, and no false success."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_COMMAND = """
import sys
import typer
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import note, reported
from dcrnet_runtime.errors import DcrnetError
app = command_app()

@app.command()
@reported
def answer(lines: int = 1, fails: bool = False) -> None:
    note("about to answer")
    if fails:
        raise DcrnetError("it is bad")
    for _ in range(lines):
        typer.echo("an answer")

app()
"""


def run(redirection: str, *options: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command, in a shell."""
    line = f'"$0" -c "$1" {" ".join(options)} {redirection}'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable, _COMMAND], capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_messages_that_nobody_takes_change_nothing_else(redirection: str) -> None:
    assert run(redirection) == (0, "an answer\n", "")
    assert run(redirection, "--fails") == (2, "", "")


@pytest.mark.parametrize(
    ("redirection", "why"),
    [(">&-", "standard output took no answer"), (">/dev/full", "No space left on device")],
)
@pytest.mark.parametrize("options", [[], ["--help"], ["--lines", "5000"]])
def test_answers_that_nobody_takes_are_an_error(
    redirection: str, why: str, options: list[str]
) -> None:
    code, out, err = run(redirection, *options)
    assert (code, out) == (2, "")
    assert why in err.splitlines()[-1]
    assert "Traceback" not in err


def test_a_reader_may_leave_once_it_has_something() -> None:
    code, _, err = run('| head -n 1 >/dev/null; exit "${PIPESTATUS[0]}"', "--lines", "20000")
    assert (code, err) == (0, "about to answer\n")


def test_a_reader_that_had_nothing_is_an_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert done.returncode == 2
    assert done.stderr.splitlines()[1:] == [
        "error: standard output took no answer: its reader had left"
    ]


def test_a_file_does_not_get_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    script = """
import os, sys
from dcrnet_runtime.cli.streams import standard_streams
with standard_streams():
    with open(sys.argv[1], "w") as file:
        os.write(2, b"a library complains")
        file.write("kept")
"""
    line = '"$0" -c "$1" "$2" <&- >&- 2>&-'
    path = tmp_path / "file"
    subprocess.run(["bash", "-c", line, sys.executable, script, str(path)], check=True)
    assert path.read_text() == "kept"
