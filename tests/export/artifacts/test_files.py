"""Artifacts on disk: what a kill at any moment leaves, and what the next export makes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from dcrnet_export.artifacts.files import rejected, sidecar_of, write_artifact
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import remove_abandoned
from dcrnet_runtime.preprocess.spec import PreprocessSpec

CARD = ModelCard(("calm", "cross"), PreprocessSpec(size_px=64))
KILLED = """
import os, signal, sys
from pathlib import Path
from dcrnet_export.artifacts.files import write_artifact
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.preprocess.spec import PreprocessSpec

out, moment = Path(sys.argv[1]), int(sys.argv[2])
done = 0

def counted(event, arguments):
    global done
    if event in ("open", "os.rename", "os.remove") and str(out.parent) in str(arguments[0]):
        done += 1
        if done == moment:
            os.kill(os.getpid(), signal.SIGKILL)

card = ModelCard(("calm", "cross"), PreprocessSpec(size_px=64))
sys.addaudithook(counted)
write_artifact(out, b"new" * 1000, card)
"""


def is_consistent(path: Path) -> bool:
    """Whether the file's sidecar, if there is one, is its own."""
    sidecar = sidecar_of(path)
    if not sidecar.exists():
        return True
    stated = json.loads(sidecar.read_text())["sha256"]
    return bool(stated == sha256(path.read_bytes()).hexdigest())


def test_a_kill_at_any_moment_leaves_a_whole_file_and_no_foreign_sidecar(tmp_path: Path) -> None:
    outcomes, moment = set(), 0
    while True:
        moment += 1
        path = tmp_path / str(moment) / "m.onnx"
        write_artifact(path, b"old" * 1000, CARD)
        words = [sys.executable, "-c", KILLED, str(path), str(moment)]
        ended = subprocess.run(words, check=False)
        content = path.read_bytes()
        assert content in (b"old" * 1000, b"new" * 1000)
        assert is_consistent(path)
        outcomes.add((content[:3], sidecar_of(path).exists()))
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
    assert moment > 4  # each change of the folder was a moment
    assert outcomes == {(b"old", True), (b"old", False), (b"new", False), (b"new", True)}


def test_leftovers_of_killed_processes_go_and_others_stay(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    gone = [f".m.{ended.pid}.tmp.onnx", f".m.onnx.{ended.pid}.tmp.json", f".m.{os.getpid()}.tmp"]
    kept = [f".m.{os.getppid()}.tmp.onnx", "m.onnx", ".m.tmp.onnx", ".hidden"]
    for name in (*gone, *kept):
        (tmp_path / name).write_bytes(b"")
    remove_abandoned(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_a_file_that_cannot_be_written_leaves_the_pair_before(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    write_artifact(path, b"old", CARD)
    before = sidecar_of(path).read_bytes()
    sidecar_of(path).unlink()
    sidecar_of(path).mkdir()
    with pytest.raises(DcrnetError):
        write_artifact(path, b"new", CARD)
    sidecar_of(path).rmdir()
    sidecar_of(path).write_bytes(before)
    assert path.read_bytes() == b"old"
    assert is_consistent(path)


def test_a_rejected_file_goes_when_a_good_one_is_written(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    write_artifact(rejected(path), b"bad", CARD)
    write_artifact(path, b"good", CARD)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["m.onnx", "m.onnx.json"]
