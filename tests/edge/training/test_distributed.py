"""Two processes on the CPU that share a run (DDP over gloo)."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from edge import runs
from edge.runs import FERPLUS, environment, face_data, small_run
from generated_trees import write_folders

from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.training.callbacks.jsonl_logger import read_log
from dcrnet_runtime.errors import DcrnetError


def train_apart(tree: Path, folder: Path, settings: str, what: str) -> tuple[int, list[str]]:
    """The exit code, and the digests of the weights that each process ended with."""
    script = Path(runs.__file__)
    arguments = [str(tree), str(tree.parent / "caches"), str(folder), settings, what, "2"]
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=600,
    )
    lines = done.stdout.split()
    return done.returncode, [line for line in lines if line.startswith("weights:")]


@pytest.mark.usefixtures("toy")
def test_the_processes_stay_in_step(tmp_path: Path) -> None:
    """The paper's preset has no auxiliary loss, so that a part of the module gets no gradient."""
    tree = write_folders(tmp_path / "tree", 8, ("train", "valid", "test"))
    next((tree / "valid").rglob("*.png")).unlink()  # so that the two have unequal shares
    code, digests = train_apart(tree, tmp_path / "run", "PAPER+TOY", "new")
    assert code == 0
    assert len(digests) == 2
    assert len(set(digests)) == 1
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"model.safetensors", "resume.ckpt", "best.safetensors"} <= names
    provenance = load_checkpoint(tmp_path / "run" / "model.safetensors").card.provenance
    assert provenance["devices"] == 2
    lines = read_log(tmp_path / "run" / "log.jsonl")
    accuracies = [line["valid_accuracy"] for line in lines if "valid_accuracy" in line]
    assert len(accuracies) == 2  # not of each process
    right = [15 * accuracy for accuracy in accuracies]
    assert right == pytest.approx([round(count) for count in right], abs=1e-4)


@pytest.mark.slow
def test_a_killed_process_ends_all_and_the_run_resumes(tmp_path: Path) -> None:
    tree = write_folders(tmp_path / "tree", 8, ("train", "valid", "test"))
    code, whole = train_apart(tree, tmp_path / "whole", "FERPLUS", "new")
    assert code == 0
    code, _ = train_apart(tree, tmp_path / "run", "FERPLUS", "killed")
    assert code == -signal.SIGKILL
    assert not (tmp_path / "run" / "model.safetensors").exists()
    code, resumed = train_apart(tree, tmp_path / "run", "FERPLUS", "resumed")
    assert code == 0
    assert set(resumed) == set(whole)
    assert len(set(whole)) == 1


def test_strategies_that_copy_the_process_are_refused(tmp_path: Path) -> None:
    tree = write_folders(tmp_path / "tree", 8, ("train", "valid", "test"))
    data = face_data(tree, tmp_path / "caches")
    with pytest.raises(DcrnetError, match="ddp_spawn trains in copies of this process"):
        small_run(data, tmp_path / "run", FERPLUS, strategy="ddp_spawn", devices=2).train()
    with pytest.raises(DcrnetError, match=r"cannot train with `accelerator` tpu.*leave these"):
        small_run(data, tmp_path / "run", FERPLUS, accelerator="tpu").train()
