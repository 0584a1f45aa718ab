"""A board that is reached by ssh, and one by adb."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from board_stand_ins import Board, adb_board, ssh_board


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    """A real sshd on loopback."""
    with ssh_board(tmp_path, monkeypatch) as board:
        yield board


@pytest.fixture
def adb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    """A stand-in's device."""
    return adb_board(tmp_path, monkeypatch)


@pytest.fixture(params=["ssh", "adb"])
def board(request: pytest.FixtureRequest) -> Board:
    """Both in turn."""
    found: Board = request.getfixturevalue(request.param)
    return found
