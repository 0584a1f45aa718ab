"""Programs that stand in for a board: a real sshd on loopback, and an adb that is a script."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SERIAL = "R58N123ABC"

BENCHMARK_MODEL_OUTPUT = """\
INFO: STARTING!
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if \
exceeding 150 seconds.
INFO: count=33 first=27110 curr=14510 min=14377 max=27110 avg=15072.2 std=2201 p5=14400 \
median=14520 p95=16000

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if \
exceeding 150 seconds.
INFO: count=70 first=14618 curr=14483 min=14377 max=15072 avg=14575.2 std=141 p5=14410 \
median=14550 p95=14900

INFO: Inference timings in us: Init: 5685, First inference: 27110, Warmup (avg): 15072.2, \
Inference (avg): 14575.2
INFO: Note: as the benchmark tool itself affects memory footprint, the following is only \
APPROXIMATE to the actual memory footprint of the model at runtime.
INFO: Memory footprint delta from the start of the tool (MB): init=6.14844 overall=9.5
"""
"""What LiteRT's program of that name prints."""


@dataclass(frozen=True, slots=True)
class Board:
    """A board that is a folder of this machine.

    Attributes:
        root: what is on it.
        bin: its programs that differ from this machine's.
        host: what ``--host`` calls it.
        failures: a file with the numbers of the calls that are to fail, and how.
        calls: a file with one line for each call.
    """

    root: Path
    bin: Path
    host: str
    failures: Path
    calls: Path

    @property
    def leftovers(self) -> list[Path]:
        """What measurements left on it."""
        return list(self.root.rglob("dcrnet-bench-*"))

    def program(self, name: str, script: str) -> None:
        """Put a program on it."""
        write_program(self.bin / name, script)

    def fail(self, *lines: str) -> None:
        """Let calls fail: ``NUMBER KIND``; kinds are those of the stand-in."""
        self.failures.write_text("".join(f"{line}\n" for line in lines))


def write_program(path: Path, script: str) -> Path:
    """An executable shell script."""
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)
    return path


def make_board(folder: Path, host: str) -> Board:
    """An empty one."""
    board = Board(folder / "root", folder / "bin", host, folder / "failures", folder / "calls")
    for each in (board.root / "tmp", board.root / "data/local/tmp", board.bin):
        each.mkdir(parents=True)
    for each in (board.failures, board.calls):
        each.touch()
    return board


# How many calls there were, and what of FAILURES is this one's.
_COUNTED = """
echo call >>{calls}
number=$(wc -l <{calls})
kind=$(sed -n "s/^$number //p" {failures})
"""

_SSH = (
    _COUNTED
    + """
case $kind in
  lost) echo "client_loop: send disconnect: Broken pipe" >&2; exit 255 ;;
  late) {ssh} -F {config} "$@" >/dev/null; echo "Connection to board closed." >&2; exit 255 ;;
  spoiled) head -c 100 | {ssh} -F {config} "$@"; exit ;;
esac
exec {ssh} -F {config} "$@"
"""
)

_ADB = (
    _COUNTED
    + """
devices={devices}
board() {{ printf '%s' "${{1//\\/data\\/local\\/tmp/{root}/data/local/tmp}}"; }}
if [ "$1" = devices ]; then
  echo "List of devices attached"; cat $devices; echo; exit 0
fi
[ "$1" = -s ] || exit 1
state=$(sed -n "s/^$2\\t//p" $devices)
[ -n "$state" ] || {{ echo "adb: device '$2' not found" >&2; exit 1; }}
[ "$state" = device ] || {{ echo "adb: device $state" >&2; exit 1; }}
case $kind in
  lost) echo "adb: device offline" >&2; exit 1 ;;
  full)
    reason="remote write failed: No space left on device"
    echo "adb: error: failed to copy '$4' to '$5': $reason" >&2
    exit 1 ;;
esac
case $3 in
  shell) PATH={bin}:$PATH sh -c "$(board "$4")"; exit $? ;;
  push) cp "$4" "$(board "$5")" && echo "$4: 1 file pushed, 0 skipped." ;;
esac
"""
)


@contextmanager
def ssh_board(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Board, None, None]:
    """A real sshd on an unprivileged port of loopback, with keys made for it."""
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("needs sshd and ssh (Debian: apt-get install openssh-server)")
    board = make_board(folder / "board", "board")
    # As a board logs somebody in: its own programs, its own temporary folder.
    command = write_program(
        folder / "session",
        f"export PATH={board.bin}:$PATH TMPDIR={board.root}/tmp\n"
        'exec sh -c "$SSH_ORIGINAL_COMMAND"',
    )
    port, config = _free_port(), folder / "ssh_config"
    for name in ("host_key", "user_key"):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    public = (folder / "host_key.pub").read_text().rsplit(" ", 1)[0]
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/user_key.pub\nStrictModes no\nUsePAM no\n"
        f"PasswordAuthentication no\nForceCommand {command}\n"
    )
    config.write_text(
        f"Host board\nHostName 127.0.0.1\nPort {port}\nUser {getpass.getuser()}\n"
        f"IdentityFile {folder}/user_key\nIdentitiesOnly yes\nKexAlgorithms curve25519-sha256\n"
        f"UserKnownHostsFile {folder}/known_hosts\n"
    )
    ssh = _SSH.format(
        calls=board.calls, failures=board.failures, ssh=shutil.which("ssh"), config=config
    )
    _first_on_path(write_program(_bin(folder) / "ssh", ssh), monkeypatch)
    with _serving(folder, port):
        yield board


@contextmanager
def _serving(folder: Path, port: int) -> Generator[None, None, None]:
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where a root's sshd confines its children
    assert SSHD is not None
    with (folder / "sshd.log").open("wb") as log:
        server = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log
        )
        try:
            _await_port(port, server, folder / "sshd.log")
            yield
        finally:
            server.terminate()
            server.wait(10)


def adb_board(folder: Path, monkeypatch: pytest.MonkeyPatch, devices: str = "") -> Board:
    """A device of an adb that carries out shell and push in a folder, and fails as a real one."""
    board = make_board(folder / "phone", f"adb:{SERIAL}")
    listed = folder / "devices"
    listed.write_text(devices or f"{SERIAL}\tdevice\n")
    adb = _ADB.format(
        calls=board.calls,
        failures=board.failures,
        devices=listed,
        root=board.root,
        bin=board.bin,
    )
    _first_on_path(write_program(_bin(folder) / "adb", adb), monkeypatch)
    return board


def this_python() -> str:
    """An interpreter that has what a measurement needs."""
    return sys.executable


def _bin(folder: Path) -> Path:
    path = folder / "bin"
    path.mkdir(exist_ok=True)
    return path


def _first_on_path(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def _await_port(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        if server.poll() is not None:
            pytest.fail(f"sshd ended: {log.read_text()}")
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("sshd does not listen")
