"""What is said to a board, and what a board that cannot be reached says."""

from __future__ import annotations

from pathlib import Path

import pytest
from board_stand_ins import SERIAL, Board, adb_board, write_program

from dcrnet_bench.boards.connection import LostConnectionError
from dcrnet_bench.boards.registry import connect
from dcrnet_runtime.errors import DcrnetError


def test_a_script_is_read_by_the_boards_shell(board: Board) -> None:
    connection = connect(board.host)
    answer = connection.run("printf 'a b\\n'; echo \"it's\" >&2; exit 3")
    assert (answer.code, answer.text) == (3, "a b")
    assert "it's" in answer.complaint
    assert connection.run("cat /etc/none").reason.startswith("cat: /etc/none")


def test_what_is_pushed_arrives(board: Board, tmp_path: Path) -> None:
    connection = connect(board.host)
    sent = tmp_path / "a file"
    sent.write_bytes(bytes(range(256)) * 300)
    there = f"{connection.temporary}/it's here"
    assert connection.push(sent, there, 30).code == 0
    [found] = board.root.rglob("it's here")
    assert found.read_bytes() == sent.read_bytes()


def test_a_connection_that_ends_early_is_lost(board: Board) -> None:
    connection = connect(board.host)
    calls = len(board.calls.read_text().splitlines())
    board.fail(f"{calls + 1} lost")
    with pytest.raises(LostConnectionError, match="cannot be reached"):
        connection.run("true")
    assert connection.run("echo again").text == "again"


def test_a_board_that_hangs_is_given_up(board: Board) -> None:
    connection = connect(board.host)
    with pytest.raises(LostConnectionError, match="has not answered in 1 s"):
        connection.run("sleep 20", limit_s=1.0)


def test_a_server_that_is_not_there(ssh: Board, tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text(config.read_text().replace("Port ", "Port 1\n#"))
    with pytest.raises(LostConnectionError, match=r"`host` board cannot be reached \(.*refused"):
        connect(ssh.host)


def test_a_key_that_the_board_does_not_know(ssh: Board, tmp_path: Path) -> None:
    (tmp_path / "user_key.pub").write_text("")
    with pytest.raises(DcrnetError, match=r"Permission denied.*: let it in.*ssh-copy-id board"):
        connect(ssh.host)


def test_a_board_that_nobody_met(ssh: Board, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text("")
    with pytest.raises(DcrnetError, match=r"Host key verification failed.*: meet it once"):
        connect(ssh.host)


@pytest.mark.parametrize("name", ["-oProxyCommand=touch x", "", "two words"])
def test_a_host_that_is_an_option_is_none(name: str) -> None:
    with pytest.raises(DcrnetError, match="names no machine"):
        connect(name)


@pytest.mark.parametrize("name", ["board", "adb:"])
def test_a_program_that_is_not_installed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    package = {"board": "openssh-client", "adb:": "adb"}[name]
    with pytest.raises(DcrnetError, match=f"there is no .* here: .*apt-get install {package}"):
        connect(name)


@pytest.mark.parametrize(
    ("devices", "name", "text"),
    [
        ("", "adb:", "shows none: plug one in"),
        ("", f"adb:{SERIAL}", f"adb:{SERIAL} is not there: adb devices shows none"),
        ("A\tdevice\nB\tdevice\n", "adb:", r"shows A \(device\), B \(device\): name one as"),
        ("A\tdevice\n", "adb:B", r"adb:B is not there: adb devices shows A \(device\)"),
        ("A\toffline\n", "adb:A", "adb:A is offline: .*adb reconnect"),
        ("A\tunauthorized\n", "adb:", "is unauthorized: confirm this machine's key"),
        (
            "A\tno permissions (user in plugdev group; are your udev rules wrong?)\n",
            "adb:A",
            "is no permissions: let this user reach USB",
        ),
    ],
)
def test_a_device_that_is_not_ready(
    devices: str, name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adb_board(tmp_path, monkeypatch, devices or "\n")
    with pytest.raises(DcrnetError, match=text):
        connect(name)


def test_the_only_device_needs_no_name(adb: Board) -> None:
    assert connect("adb:").name == f"adb:{SERIAL}"


def test_an_adb_that_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adb_board(tmp_path, monkeypatch)
    write_program(tmp_path / "bin/adb", "echo 'cannot connect to daemon' >&2; exit 1")
    with pytest.raises(DcrnetError, match="cannot connect to daemon: mend adb first"):
        connect("adb:")
