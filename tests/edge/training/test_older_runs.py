"""Run folders of an older version go on: its names of settings, its state of callbacks.

tests/data/older-run-*.tar.xz were cut off in their second of three epochs by commit bc2bc59, and
made small: all large tensors have one value each. Their hours and best accuracy are edited to
values that a resumed run cannot come by itself.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from edge.runs import open_fixed_detector
from generated_trees import write_fer2013, write_votes
from typer.testing import CliRunner

from dcrnet_edge.cli import train as train_cli
from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.training.callbacks.jsonl_logger import read_log

DATA = Path(__file__).parents[2] / "data"
ROWS = 63
HOURS, BEST, STEPS = 12.5, 0.75, 15
OPTIONS = {
    "one-cycle": [
        *("--dataset=ferplus", "--from-scratch", "--size=64", "--epochs=3", "--batch-size=4"),
        *("--preset=ferplus", "--accelerator=cpu"),
        *(
            f"--set=recipe.{setting}"
            for setting in (
                *("progressive=[]", "mixed_sizes=[]", "optimiser=adamw", "learning_rate=0.002"),
                *("schedule=one-cycle", "early_stop_patience=0", "class_weights=false"),
                *("balance=0.15", "soft_labels=true", "auxiliary_weight=0.5"),
                *("least_scale=0.001", "ema_decay=0.9", "gradient_clip=2.0", "keep=best"),
            )
        ),
    ],
    "plateau": ["--from-scratch", "--accelerator=cpu"],  # the rest by its config.toml
}
LAST_RATE = {"one-cycle": 8e-9, "plateau": 5e-5}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("schedule", list(OPTIONS))
def test_it_goes_on_to_its_end(
    schedule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: open_fixed_detector()
    )
    monkeypatch.setattr("dcrnet_runtime.cache.cache_folder", lambda: tmp_path / "cache")
    with tarfile.open(DATA / f"older-run-{schedule}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    run, tree = tmp_path / "run", write_votes(write_fer2013(tmp_path / "tree", ROWS), ROWS)
    options = OPTIONS[schedule]
    if schedule == "plateau":
        options = [*options, f"--config={run / 'config.toml'}"]
    arguments = ["--data", str(tree), "--out", str(run), "--resume", *options]
    result = CliRunner().invoke(train_cli.app, arguments)
    assert result.exit_code == 0, result.output
    assert "is now" not in result.stderr

    provenance = load_checkpoint(run / "model.safetensors").card.provenance
    assert provenance["epochs_run"] == 3
    assert HOURS < provenance["hours"] < HOURS + 1
    state = torch.load(run / "resume.ckpt", weights_only=True)
    assert state["global_step"] == STEPS
    assert state["callbacks"]["KeptWeights"] == {"best": BEST, "size_px": 64}
    assert load_checkpoint(run / "best.safetensors").card.provenance["epoch"] == 0
    assert load_checkpoint(run / "last.safetensors").card.provenance["epoch"] == 2
    lines = read_log(run / "log.jsonl")
    assert [line["step"] for line in lines] == sorted(line["step"] for line in lines)
    rates = [line["learning_rate"] for line in lines if "learning_rate" in line]
    assert rates[-1] == pytest.approx(LAST_RATE[schedule], rel=1e-3)
