"""What a board is, before anything is sent to it."""

from __future__ import annotations

import sys

import pytest
from board_stand_ins import Board

from dcrnet_bench.boards.probe import probe
from dcrnet_bench.boards.registry import connect
from dcrnet_bench.host.word_size import require_64_bits
from dcrnet_runtime.errors import DcrnetError


@pytest.mark.parametrize("machine", ["armv6l", "armv7l", "armv8l", "i686"])
def test_a_32_bit_system_is_refused_by_name(adb: Board, machine: str) -> None:
    adb.program("uname", f"echo {machine}")
    text = (
        rf"adb:\w+ has a 32-bit system \({machine}\), .*: install a 64-bit one .*Raspberry Pi OS"
    )
    with pytest.raises(DcrnetError, match=text):
        probe(connect(adb.host), "")


def test_32_bit_programs_on_a_64_bit_kernel_are_refused(adb: Board) -> None:
    adb.program("uname", "echo aarch64")
    adb.program("getconf", "echo 32")
    with pytest.raises(DcrnetError, match=r"32-bit system \(aarch64 with 32-bit programs\)"):
        probe(connect(adb.host), "")


def test_a_32_bit_python_is_refused(adb: Board) -> None:
    adb.program("python3", "echo '[[3, 11], \"aarch64\", 32]'")
    with pytest.raises(DcrnetError, match=r"aarch64 with 32-bit programs"):
        probe(connect(adb.host), "")


def test_a_64_bit_one_is_not() -> None:
    for machine in ("aarch64", "arm64", "x86_64", "AMD64", "riscv64"):
        require_64_bits("here", machine, 64)


def test_an_old_python_is_refused(adb: Board) -> None:
    adb.program("python3", "echo '[[3, 9], \"aarch64\", 64]'")
    with pytest.raises(DcrnetError, match=r"has Python 3\.9: dcrnet-edge needs 3\.11 or later"):
        probe(connect(adb.host), "")


def test_a_board_without_python(adb: Board) -> None:
    adb.program("uname", "echo aarch64")
    adb.program("python3", "echo 'python3: inaccessible or not found' >&2; exit 127")
    board = probe(connect(adb.host), "")
    assert (board.machine, board.python) == ("aarch64", "")


def test_a_python_that_is_named_must_be_one(adb: Board) -> None:
    with pytest.raises(DcrnetError, match=r"`python` /no/python is no interpreter on adb:"):
        probe(connect(adb.host), "/no/python")
    assert probe(connect(adb.host), sys.executable).python == sys.executable
