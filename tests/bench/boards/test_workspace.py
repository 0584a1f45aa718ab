"""A folder on a board: what is sent is what is there, and nothing of it stays."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from board_stand_ins import Board

from dcrnet_bench.boards import job
from dcrnet_bench.boards import workspace as module
from dcrnet_bench.boards.connection import LostConnectionError
from dcrnet_bench.boards.job import run_job
from dcrnet_bench.boards.patience import RECONNECT_S, PatientConnection
from dcrnet_bench.boards.registry import connect
from dcrnet_bench.boards.workspace import Workspace, workspace
from dcrnet_runtime.errors import DcrnetError


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    path = tmp_path / "my model's.onnx"
    path.write_bytes(bytes(range(256)) * 2000)
    return path


def calls(board: Board) -> int:
    return len(board.calls.read_text().splitlines())


def running(folder: str) -> bool:
    """Whether a process of this machine names the folder."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return folder in listed.stdout


def test_nothing_stays(board: Board, sent: Path) -> None:
    with workspace(connect(board.host)) as there:
        path = there.push(sent, f"models/0/{sent.name}")
        assert there.read(f"models/0/{sent.name}")[:4] == sent.read_bytes().decode("latin-1")[:4]
        assert there.run(f'stat -c %a "{there.folder}"') == "700"
        assert path.endswith(sent.name)
        assert len(board.leftovers) == 1
    assert board.leftovers == []
    assert not running(there.folder)


def test_nothing_stays_of_what_failed(board: Board) -> None:
    def interrupted() -> None:
        with workspace(connect(board.host)) as there:
            there.run("touch something")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert board.leftovers == []


def test_what_is_there_is_not_sent_again(board: Board, sent: Path) -> None:
    with workspace(connect(board.host)) as there:
        there.push(sent, "model")
        before = calls(board)
        there.push(sent, "model")
        assert calls(board) - before == 2  # the folder, the hash


def test_what_arrived_wrongly_is_sent_again(ssh: Board, sent: Path) -> None:
    with workspace(connect(ssh.host)) as there:
        ssh.fail(f"{calls(ssh) + 3} spoiled")
        there.push(sent, "model")
        [found] = ssh.root.rglob("model")
        assert found.read_bytes() == sent.read_bytes()


def test_what_never_arrives_rightly_is_told(ssh: Board, sent: Path) -> None:
    with workspace(connect(ssh.host)) as there:
        ssh.fail(*(f"{calls(ssh) + n} spoiled" for n in (3, 5, 7)))
        with pytest.raises(DcrnetError, match=r"did not take .*its hash is another"):
            there.push(sent, "model")


def test_a_full_disk_is_told(adb: Board, sent: Path) -> None:
    with workspace(connect(adb.host)) as there:
        adb.fail(f"{calls(adb) + 3} full")
        with pytest.raises(DcrnetError, match=r"no room for my model's.onnx \(1 MB\) in /data"):
            there.push(sent, "model")
    assert adb.leftovers == []


def test_a_full_disk_of_a_server_is_told(ssh: Board, sent: Path) -> None:
    with workspace(connect(ssh.host)) as there:
        ssh.program("cat", "echo 'cat: write error: No space left on device' >&2; exit 1")
        with pytest.raises(DcrnetError, match=r"no room for my model's.onnx \(1 MB\)"):
            there.push(sent, "model")


def patient(board: Board, told: list[str]) -> PatientConnection:
    return PatientConnection(connect(board.host), told.append, sleep=lambda seconds: None)


def test_a_lost_connection_is_taken_up_again(board: Board, sent: Path) -> None:
    told: list[str] = []
    with workspace(patient(board, told)) as there:
        board.fail(*(f"{calls(board) + n} lost" for n in (1, 2, 4, 6)))
        there.push(sent, "model")
        [found] = board.root.rglob("model")
        assert found.read_bytes() == sent.read_bytes()
    assert board.leftovers == []
    assert all(line.endswith(f"trying again for {RECONNECT_S:.0f} s") for line in told)
    assert len(told) == 3  # outages: the first took two calls


def test_a_job_is_started_once_though_the_answer_was_lost(ssh: Board) -> None:
    with workspace(patient(ssh, [])) as there:
        ssh.fail(f"{calls(ssh) + 1} late")
        run_job(there, "work", "echo x >>runs", what="work", limit_s=60)
        assert there.read("runs") == "x"


def test_a_board_that_stays_lost_is_told_with_what_is_left_there(ssh: Board) -> None:
    times = iter(range(0, 10000, 100))
    found = PatientConnection(
        connect(ssh.host),
        lambda text: None,
        clock=lambda: float(next(times)),
        sleep=lambda s: None,
    )

    def unplugged() -> None:
        with workspace(found) as there:
            left.append(there)
            ssh.fail(*(f"{calls(ssh) + n} lost" for n in range(1, 30)))
            there.run("true")

    left: list[Workspace] = []
    with pytest.raises(LostConnectionError, match="it removes by itself after 30") as caught:
        unplugged()
    assert left[0].folder in str(caught.value)
    ssh.fail()
    left[0].remove()


def test_a_job_that_fails_tells_its_own_error(board: Board) -> None:
    with workspace(connect(board.host)) as there:
        with pytest.raises(DcrnetError, match=r"^work failed: it broke$"):
            run_job(there, "a", "echo it broke >&2; exit 4", what="work", limit_s=60)
        said = "echo 'error: no such `model`: name one' >&2; echo noise >&2; exit 2"
        with pytest.raises(DcrnetError, match=r"^no such `model`: name one$"):
            run_job(there, "b", said, what="work", limit_s=60)


def test_a_job_that_does_not_end_is_ended(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 1)
    with workspace(connect(board.host)) as there:
        there.run("mkdir seen && echo 0 >limit")
        started = time.monotonic()

        def end_soon() -> None:
            there.run("touch -d '2 hours ago' job.pid")

        monkeypatch.setattr(job, "_wait", _after(end_soon, job._wait))
        with pytest.raises(DcrnetError, match="work did not end in 1 minutes"):
            run_job(there, "work", "sleep 500", what="work", limit_s=60)
        assert time.monotonic() - started < 200  # of the 500 that it would take
        assert not running("sleep 500")


def test_a_board_that_nobody_asks_clears_up(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 1)
    with workspace(connect(board.host)) as there:
        there.run(f"echo 'sleep 501' >job.sh; {module.detached('job', 'job')}")
        there.run("sleep 1; touch -d '2 hours ago' alive")
        _await(lambda: board.leftovers == [])
        assert not running("sleep 501")


def _after(action: object, then: object) -> object:
    def both(place: Workspace, *arguments: object) -> object:
        time.sleep(1)
        action()  # type: ignore[operator]
        return then(place, *arguments)  # type: ignore[operator]

    return both


def _await(is_so: object) -> None:
    for _ in range(150):
        if is_so():  # type: ignore[operator]
            return
        time.sleep(0.1)
    pytest.fail("it did not come to that")
