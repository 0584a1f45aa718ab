"""SIGINT and SIGTERM of a training command, in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from edge.runs import environment
from generated_trees import write_folders
from torch.utils.data import Dataset

from dcrnet_edge.data.data_module import SigtermProofLoader, stand_sigterm
from dcrnet_edge.training.callbacks.resume_point import step_of
from dcrnet_edge.training.failures import explained, told_by_signal
from dcrnet_edge.training.interruption import EndRequest, RunEndedError
from dcrnet_runtime.errors import DcrnetError

COMMAND = """
import sys
from edge.runs import open_fixed_detector
import dcrnet_runtime.detectors.detector as detector
detector.open_detector = lambda *_, **__: open_fixed_detector()
from dcrnet_edge.cli.entry import train
sys.argv = ["dcrnet-train", *sys.argv[1:]]
train()
"""


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_folders(tmp_path / "tree", 12, ("train", "valid", "test"))


@pytest.fixture
def start() -> Generator[Start, None, None]:
    """Starts runs, of which none outlives its test."""
    runs: list[subprocess.Popen[str]] = []

    def begin(tree: Path, out: Path, *options: str) -> subprocess.Popen[str]:
        runs.append(started(tree, out, *options))
        return runs[-1]

    yield begin
    for run in runs:
        with run, suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)


def started(tree: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    words = ["--data", str(tree), "--out", str(out), "--dataset", "folders", "--from-scratch"]
    words += ["--size", "64", "--epochs", "3000", "--set", "recipe.mixed_sizes=[]"]
    words += [
        "--batch-size",
        "4",
        "--workers",
        "1",
        "--network",
        "tf_efficientnet_lite0",
        *options,
    ]
    env = {**environment(), "XDG_CACHE_HOME": str(out.parent / "cache")}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 300
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("send", "number"),
    [(os.killpg, signal.SIGINT), (os.kill, signal.SIGTERM), (os.killpg, signal.SIGTERM)],
)
def test_a_run_ends_behind_a_step_and_can_be_gone_on_with(
    send: Callable[[int, int], None],
    number: signal.Signals,
    start: Start,
    tree: Path,
    tmp_path: Path,
) -> None:
    """Loading processes stand a signal to the whole group, as terminals and services send it."""
    out = tmp_path / "run"
    process = start(tree, out)
    log = out / "log.jsonl"
    wait_for(lambda: log.exists() and log.stat().st_size > 0, process)
    send(process.pid, number)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 128 + number, told
    assert "Traceback" not in told
    last = told.splitlines()[-1]
    assert f"({number.name}) after step" in last
    assert f"dcrnet-train --resume --out {out} goes on" in last
    assert step_of(out / "resume.ckpt") > 0


def test_before_a_resume_point_nothing_is_promised(
    start: Start, tree: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    process = start(tree, out)
    assert process.stderr is not None
    assert any(line.startswith("Reading") for line in process.stderr)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=120)[1]
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert ("goes on" in told) == (out / "resume.ckpt").exists()


@pytest.mark.parametrize("delay_s", [0.1, 0.2, 0.4, 0.8])
def test_an_interrupt_among_the_imports_is_not_swallowed(
    delay_s: float, tree: Path, tmp_path: Path
) -> None:
    """From the command's entry on: what Python says before is its own."""
    words = ["--data", str(tree), "--out", str(tmp_path / "run"), "--epochs", "3000"]
    code = (
        "import os, signal, threading\n"
        "from dcrnet_edge.cli.entry import train\n"
        f"threading.Timer({delay_s}, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "import sys; sys.argv[0] = 'dcrnet-train'\n"
        "train()\n"
    )
    env = {**environment(), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    ended = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=env,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode in (-signal.SIGINT, 130), ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("has_point", [True, False])
def test_what_is_promised_is_there(has_point: bool, tmp_path: Path) -> None:
    if has_point:
        (tmp_path / "resume.ckpt").touch()
    for context in (explained(tmp_path, EndRequest()), told_by_signal(tmp_path)):
        with pytest.raises(RunEndedError) as told, context:
            raise KeyboardInterrupt
        assert told.value.exit_code == 130
        assert ("--resume" in str(told.value)) == has_point


def test_other_exits_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as left, told_by_signal(tmp_path):
        raise SystemExit(1)
    assert left.value.code == 1


@pytest.mark.parametrize("told_by", [None, signal.SIGTERM])
def test_a_lost_loading_process_is_told_by_what_this_one_heard(
    told_by: signal.Signals | None, tmp_path: Path
) -> None:
    request = EndRequest()
    request.by = told_by
    with pytest.raises(DcrnetError) as told, explained(tmp_path, request):
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Terminated. ")
    assert told.value.exit_code == (2 if told_by is None else 143)
    assert ("loading process was killed" in str(told.value)) == (told_by is None)


def test_signals_raise_in_the_block_alone_and_ignored_ones_stay_ignored() -> None:
    code = (
        "import signal\n"
        "from dcrnet_edge.training.interruption import stoppable\n"
        "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "with stoppable():\n"
        "    for number in (signal.SIGINT, signal.SIGTERM):\n"
        "        try:\n            signal.raise_signal(number)\n"
        "        except (KeyboardInterrupt, SystemExit) as error:\n"
        "            print(type(error).__name__)\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "with stoppable():\n    signal.raise_signal(signal.SIGTERM)\n"
        "print('ignored', flush=True)\n"
        "signal.raise_signal(signal.SIGINT)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True)
    assert ended.stdout.split() == [b"KeyboardInterrupt", b"SystemExit", b"ignored"]
    assert ended.returncode == -signal.SIGINT


class Numbers(Dataset[int]):
    """As many as there are; each says in which process it was loaded."""

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, index: int) -> int:
        return os.getpid()


def loading(first: Callable[[int], None] = stand_sigterm) -> Any:
    return iter(SigtermProofLoader(Numbers(), 1, num_workers=1, worker_init_fn=first))


def stand_late(worker: int) -> None:
    time.sleep(0.5)
    stand_sigterm(worker)


def test_a_loading_process_stands_sigterm_before_it_has_begun() -> None:
    batches = loading(stand_late)
    (process,) = batches._workers
    subprocess.run(["kill", "-TERM", str(process.pid)], check=True)
    assert int(next(batches)) == process.pid
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    process.terminate()
    process.join(30)
    assert process.exitcode == 0


def test_a_loading_process_stands_sigterm_of_others_and_obeys_the_training_one() -> None:
    batches = loading()
    worker = int(next(batches))
    subprocess.run(["kill", "-TERM", str(worker)], check=True)
    time.sleep(0.5)
    assert [int(next(batches)) for _ in range(20)] == [worker] * 20
    (process,) = batches._workers
    process.terminate()
    process.join(30)
    assert process.exitcode == 0


def test_a_loading_process_ends_with_the_training_one() -> None:
    code = (
        "import os, signal\n"
        "from edge.training.test_interruption import loading\n"
        "batches = loading()\n"
        "print(int(next(batches)), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=environment(), stdout=subprocess.PIPE)
    worker = int(ended.stdout)
    until = time.monotonic() + 120  # it looks every five seconds
    while Path(f"/proc/{worker}").exists():
        if "\nState:\tZ" in Path(f"/proc/{worker}/status").read_text():
            break
        assert time.monotonic() < until
        time.sleep(0.1)
