"""The whole training loop on a generated tree, in seconds."""

from __future__ import annotations

import errno
import json
import math
import multiprocessing
import os
import resource
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from edge import runs
from edge.runs import (
    EIGHT,
    FERPLUS,
    MIXED,
    SMALL,
    changes,
    face_data,
    no_statistics,
    small_run,
)
from edge.toy import TOY
from generated_trees import write_folders
from lightning.pytorch.callbacks.progress import rich_progress
from lightning.pytorch.utilities.exceptions import SIGTERMException
from safetensors.torch import load_file

from dcrnet_edge.data import items
from dcrnet_edge.data.data_module import FaceDataModule
from dcrnet_edge.datasets.sample import Split
from dcrnet_edge.evaluation.answers import evaluate
from dcrnet_edge.evaluation.metrics import compute_metrics
from dcrnet_edge.models.batch_norm import norms_of
from dcrnet_edge.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_edge.models.registry import create_model
from dcrnet_edge.training import module as training
from dcrnet_edge.training.callbacks import kept_weights, resume_point
from dcrnet_edge.training.callbacks.jsonl_logger import read_log
from dcrnet_edge.training.callbacks.resume_point import ResumePoint
from dcrnet_edge.training.failures import explained
from dcrnet_edge.training.initialization import Initialization, InitializationKind
from dcrnet_edge.training.interruption import EndRequest, RunEndedError, stoppable
from dcrnet_edge.training.recipe import Recipe
from dcrnet_edge.training.run import Run
from dcrnet_edge.training.run_config import RunConfig
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.spec import PreprocessSpec

LEVELS = ("train", "valid", "test")
pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folders(tmp_path_factory.mktemp("tree"), 8, LEVELS)


@pytest.fixture(scope="module")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("caches")


@pytest.fixture
def one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def run_of(tree: Path, caches: Path, folder: Path, *more: dict[str, Any]) -> Run:
    return small_run(face_data(tree, caches), folder, FERPLUS, TOY, *more)


def test_a_run_learns_and_describes_itself(tree: Path, caches: Path, tmp_path: Path) -> None:
    """Two kinds of image that differ by brightness are told apart after a few epochs."""
    data = face_data(tree, caches)
    recipe = {"epochs": 3, "ema_decay": 0.5, "dropout_scale": 0.1, "batch_size": 8}
    folder = tmp_path / "run"
    path = small_run(data, folder, FERPLUS, {"recipe": recipe}).train()
    checkpoint = load_checkpoint(path)
    card = checkpoint.card
    assert card.labels == ("happiness", "neutral")
    assert card.license == "generated"
    assert card.preprocess.landmarks_sha256 == "ee" * 32
    assert card.provenance["config"]["recipe"]["epochs"] == 3
    assert card.provenance["start"] == {"kind": "scratch"}
    assert card.provenance["data_sha256"] == data.dataset.digest
    assert card.provenance["hours"] > 0
    assert 0 < card.metrics["valid_accuracy"] <= 1
    assert set(checkpoint.ranges) == {64}
    norms = checkpoint.network.pre_activation_norms()
    assert min(norm.weight.min() for norm in norms) >= 1e-3
    found = compute_metrics(evaluate(path, data, Split.TEST, tree))
    assert found.images == 16
    assert found.accuracy_box_only is None
    settings = json.loads((folder / "settings.json").read_text())
    # The package index's CUDA build adds +cu126 to the one, not to the other.
    assert torch.__version__.startswith(settings["versions"]["torch"])
    logged = read_log(folder / "log.jsonl")[0]
    assert {"loss", "auxiliary_loss", "learning_rate"} < logged.keys()
    assert (folder / "curves.png").stat().st_size > 5000
    assert any((folder / "tensorboard").iterdir())
    assert {"best.safetensors", "last.safetensors", "config.toml"} <= {
        p.name for p in folder.iterdir()
    }


def test_a_signal_while_the_file_is_finished_is_not_lost(
    tree: Path, caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the last epoch nobody asks any more what was heard."""
    run, finish = run_of(tree, caches, tmp_path), Run._finish

    def signalled(*_: Any) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Run, "_finish", signalled)
    with stoppable(), pytest.raises(RunEndedError, match=f"--out {tmp_path} goes on from"):
        run.train()
    monkeypatch.setattr(Run, "_finish", finish)
    assert run_of(tree, caches, tmp_path).train(resume=True).is_file()


def test_a_signal_behind_the_last_resume_point_ends_the_run(
    tree: Path, caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(
        ResumePoint, "on_fit_end", lambda *_: signal.raise_signal(signal.SIGTERM), raising=False
    )
    with pytest.raises(RunEndedError, match=r"SIGTERM.*goes on"):
        run_of(tree, caches, tmp_path).train()
    assert signal.getsignal(signal.SIGTERM) is before
    assert not (tmp_path / "model.safetensors").exists()


@pytest.mark.parametrize("settings", ["FERPLUS+EIGHT", "PAPER+TOY", "FERPLUS+MIXED+TOY"])
def test_a_killed_run_resumes_to_the_same_bits(
    settings: str, tree: Path, caches: Path, tmp_path: Path, one_thread: None
) -> None:
    """Killed in the second epoch, between two resume points."""

    apart = multiprocessing.get_context("forkserver")
    apart.set_forkserver_preload([runs.__name__])

    def run_apart(what: str) -> int | None:
        folder = str(tmp_path / "killed")
        process = apart.Process(target=runs.main, args=(tree, caches, folder, settings, what))
        process.start()
        process.join()
        return process.exitcode

    data = face_data(tree, caches)
    whole = small_run(data, tmp_path / "whole", *changes(settings)).train()
    assert run_apart("killed") == -signal.SIGKILL
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    assert run_apart("resumed") == 0
    one, other = load_file(whole), load_file(tmp_path / "killed" / "model.safetensors")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    steps = [line["step"] for line in read_log(tmp_path / "killed" / "log.jsonl")]
    assert steps == sorted(steps)


def test_sizes_grow_as_the_recipe_says(tree: Path, caches: Path, tmp_path: Path) -> None:
    grows = {
        "preprocess": {"size_px": 128},
        "recipe": {"progressive": [[64, 1]], "batch_size": 8},
    }
    run = run_of(tree, caches, tmp_path, grows)
    loaders = run._loaders()
    assert [loaders.spec_at(epoch).size_px for epoch in range(2)] == [64, 128]
    path = run.train()
    assert load_checkpoint(path).card.preprocess.size_px == 128
    assert set(load_checkpoint(path).ranges) == {128}


def test_mixed_sizes_take_turns(
    tree: Path, caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batch by batch in the last epochs; each size gets statistics and ranges of its own."""
    seen: list[int] = []
    step = training.TrainingModule.training_step

    def watched(self: training.TrainingModule, batch: training.Batch, index: int) -> torch.Tensor:
        seen.append(batch[0].shape[-1])
        return step(self, batch, index)

    monkeypatch.setattr(training.TrainingModule, "training_step", watched)
    recipe = {"epochs": 2, "progressive": [[64, 1]], "mixed_sizes": [64], "batch_size": 8}
    data = face_data(tree, caches)
    mixed = {"preprocess": {"size_px": 128}, "recipe": recipe}
    path = small_run(data, tmp_path, FERPLUS, TOY, mixed).train()
    steps = len(seen) // 2
    assert seen == [64] * steps + [(128, 64)[i % 2] for i in range(steps)]
    checkpoint = load_checkpoint(path)
    assert checkpoint.trained_px == (128, 64)
    assert set(checkpoint.ranges) == {128, 64}
    at_64 = checkpoint.at(64)
    assert at_64.card.preprocess.size_px == 64
    assert torch.equal(norms_of(at_64.network)["norm"], checkpoint.norms[64]["norm"])
    assert not torch.equal(norms_of(checkpoint.network)["norm"], checkpoint.norms[64]["norm"])
    expected = compute_metrics(evaluate(path, data, Split.VALID, tree, size_px=64))
    save_checkpoint(tmp_path / "64.safetensors", at_64)
    assert (
        compute_metrics(evaluate(tmp_path / "64.safetensors", data, Split.VALID, tree)) == expected
    )


def test_the_best_weights_are_of_the_largest_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of smaller ones can be right more often there, and serve the run's end worse."""
    accuracies, sizes_px = (0.9, 0.5, 0.4, 0.6), (64, 128, 128, 128)
    network = create_model("toy", labels=("a", "b"))
    module = training.TrainingModule(network, Recipe(), 4, [1, 1], no_statistics)

    def write(path: Path, _network: FaceNetwork, epoch: int) -> None:
        path.write_text(str(epoch))

    best = []
    state = {"best": -1.0, "size_px": 0}
    for epoch, accuracy in enumerate(accuracies):
        kept = kept_weights.KeptWeights(tmp_path, write, sizes_px.__getitem__)
        kept.load_state_dict(state)  # as if each epoch were resumed
        trainer: Any = SimpleNamespace(is_global_zero=True, current_epoch=epoch)
        monkeypatch.setattr(module.accuracy, "compute", lambda value=accuracy: value)
        kept.on_validation_epoch_end(trainer, module)
        best.append((tmp_path / kept_weights.BEST_WEIGHTS).read_text())
        state = kept.state_dict()
    assert best == ["0", "1", "1", "3"]


def test_an_older_runs_best_weights_say_their_size(tmp_path: Path) -> None:
    network = create_model("toy", labels=("a", "b"))
    best = tmp_path / kept_weights.BEST_WEIGHTS
    card = ModelCard(network.config.labels, PreprocessSpec(size_px=128))
    save_checkpoint(best, Checkpoint(network, card))
    kept = kept_weights.KeptWeights(tmp_path, lambda *_: None, lambda _: 128)
    kept.load_state_dict({"best": 0.95})
    assert kept.state_dict() == {"best": 0.95, "size_px": 128}


def test_without_an_average_each_size_has_statistics_of_its_own(
    tree: Path, caches: Path, tmp_path: Path
) -> None:
    """Those that a training pass leaves behind are of all sizes together, and fit none."""
    recipe = {"epochs": 1, "batch_size": 4, "ema_decay": 0.0}
    path = run_of(tree, caches, tmp_path, MIXED, {"recipe": recipe}).train()
    last = load_checkpoint(tmp_path / "last.safetensors")
    wanted = load_checkpoint(path).norms[128]["norm"]
    assert torch.allclose(norms_of(last.network)["norm"], wanted, rtol=0.01, atol=1e-3)


def test_a_run_of_an_older_version_goes_on(tree: Path, caches: Path, tmp_path: Path) -> None:
    """A setting that it did not have yet counts as by default."""
    run_of(tree, caches, tmp_path).train()
    settings = json.loads((tmp_path / "settings.json").read_text())
    del settings["config"]["recipe"]["mixed_sizes"]
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    assert run_of(tree, caches, tmp_path).finished()


def test_an_older_run_is_neither_overwritten_nor_mixed_up(
    tree: Path, caches: Path, tmp_path: Path
) -> None:
    with pytest.raises(DcrnetError, match="holds no run to resume"):
        run_of(tree, caches, tmp_path).train(resume=True)
    one_epoch = {"recipe": {"epochs": 1, "batch_size": 8}}
    run_of(tree, caches, tmp_path, one_epoch).train()
    with pytest.raises(DcrnetError, match="holds a run: `resume` goes on with it"):
        run_of(tree, caches, tmp_path, one_epoch).train()
    other = {"recipe": {"epochs": 1, "batch_size": 8, "seed": 9}}
    with pytest.raises(DcrnetError, match=r"another config\.recipe\.seed \(0, now 9\)"):
        run_of(tree, caches, tmp_path, other).train(resume=True)
    (tmp_path / "resume.ckpt").write_bytes(b"cut off")
    with pytest.raises(DcrnetError, match=r"cannot be read .*`start_from` .*last\.safetensors"):
        run_of(tree, caches, tmp_path, one_epoch).train(resume=True)


def test_data_that_cannot_be_learned(tree: Path, caches: Path, tmp_path: Path) -> None:
    too_large = {"recipe": {"batch_size": 64}}
    with pytest.raises(DcrnetError, match="16 training images do not fill one batch of 64"):
        run_of(tree, caches, tmp_path, too_large).train()
    data = face_data(tree, caches)
    train = data.dataset.splits[Split.TRAIN]
    data.dataset.splits[Split.TRAIN] = [sample for sample in train if sample.label == 0]
    with pytest.raises(DcrnetError, match="has no image of neutral"):
        small_run(data, tmp_path, FERPLUS, TOY).train()
    data = face_data(tree, caches)
    data.dataset.splits[Split.VALID] = data.samples(Split.VALID)[:3]
    with pytest.raises(DcrnetError, match="3 validation images do not occupy 4 devices"):
        FaceDataModule(data, PreprocessSpec(), Recipe(batch_size=2).loading(224), 4, 0)


def test_scales_are_kept_above_their_floor(tree: Path, caches: Path, tmp_path: Path) -> None:
    """Also one that the first weights have below it."""
    network = create_model("toy", labels=("happiness", "neutral"))
    (norm,) = network.pre_activation_norms()
    with torch.no_grad():
        norm.weight[0] = -0.1
    card = ModelCard(network.config.labels, PreprocessSpec(size_px=64))
    save_checkpoint(tmp_path / "first.safetensors", Checkpoint(network, card))
    for floor in (1e-3, 0.0):
        one_epoch = {"recipe": {"epochs": 1, "batch_size": 8, "min_bn_gamma": floor}}
        config = RunConfig.of(FERPLUS, SMALL, TOY, one_epoch)
        start = Initialization(InitializationKind.CHECKPOINT, tmp_path / "first.safetensors")
        path = Run(face_data(tree, caches), config, start, tmp_path / f"{floor}").train()
        (trained,) = load_checkpoint(path).network.pre_activation_norms()
        assert (trained.weight[0] >= 1e-3) == (floor > 0)


def test_a_loss_that_is_no_number_ends_the_run(
    tree: Path, caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nan = torch.tensor(math.nan)
    monkeypatch.setattr(training.TrainingModule, "_cross_entropy", lambda *_: nan)
    with pytest.raises(DcrnetError, match=r"became nan at step 0; .*: lower"):
        run_of(tree, caches, tmp_path).train()


def test_a_gradient_that_is_no_number_reaches_no_weights(
    tree: Path, caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finite loss with a gradient that is not: at step 2, behind the first epoch."""
    step = training.TrainingModule.training_step

    def poisoned(self: training.TrainingModule, *args: Any) -> torch.Tensor:
        loss = step(self, *args)
        if self.global_step == 2:
            loss = loss + (self.auxiliary.bias.sum() * 0).sqrt()
        return loss

    monkeypatch.setattr(training.TrainingModule, "training_step", poisoned)
    with pytest.raises(DcrnetError, match=r"a gradient is not finite at step 2; .*`start_from`"):
        run_of(tree, caches, tmp_path, EIGHT).train()
    network = load_checkpoint(tmp_path / "last.safetensors").network
    assert all(weight.isfinite().all() for weight in network.parameters())


def test_a_full_disk_keeps_the_older_resume_point(
    tree: Path, caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system refuses what is longer than a picture once the first epoch is written."""
    write, limits = resume_point.ResumePoint._write, resource.getrlimit(resource.RLIMIT_FSIZE)

    def last_that_fits(self: resume_point.ResumePoint, trainer: Any) -> None:
        write(self, trainer)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))

    monkeypatch.setattr(resume_point.ResumePoint, "_write", last_that_fits)
    try:
        with pytest.raises(DcrnetError, match=r"resume\.ckpt could not be written \(File too"):
            run_of(tree, caches, tmp_path, EIGHT, {"network": {"width": 4_000}}).train()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert resume_point.step_of(tmp_path / "resume.ckpt") == 2
    assert not list(tmp_path.glob(".resume*"))
    assert (tmp_path / "curves.png").is_file()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), "for want of memory: .*smaller `batch_size`.*--resume"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), "want of memory"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), "make room, then .*--resume"),
        (OSError(errno.ENOENT, "No such file or directory", "x"), "mend that, then .*--resume"),
        (SIGTERMException(), r"told to end \(SIGTERM\): dcrnet-train --resume"),
    ],
)
def test_what_a_machine_lacks_is_named(
    error: BaseException, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "resume.ckpt").touch()
    with pytest.raises(DcrnetError, match=expected), explained(tmp_path, EndRequest()):
        raise error


def test_a_run_without_a_resume_point_is_not_told_to_resume(tmp_path: Path) -> None:
    with pytest.raises(DcrnetError) as told, explained(tmp_path, EndRequest()):
        raise MemoryError
    assert str(told.value).endswith("since it had not reached its first resume point")


def test_what_a_killed_run_had_begun_to_write_is_removed(
    tree: Path, caches: Path, tmp_path: Path
) -> None:
    leftover, other = tmp_path / ".resume.123.tmp.ckpt", tmp_path / ".notes.tmp"
    leftover.write_bytes(b"half")
    other.write_bytes(b"mine")
    run_of(tree, caches, tmp_path)._begin(resume=False)
    assert not leftover.exists()
    assert other.exists()


def test_a_killed_loader_is_named(
    tree: Path, caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(items.AugmentedFaces, "__getitem__", killed)
    with pytest.raises(DcrnetError, match="fewer `workers`, then start it again"):
        small_run(face_data(tree, caches), tmp_path, FERPLUS, TOY, workers=1).train()


def test_what_ends_a_run_while_its_bar_starts_is_named(
    tree: Path, caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bar's own thread cannot be joined then, which is no reason for anything."""

    def killed(*_: Any) -> None:
        raise RuntimeError("DataLoader worker (pid 1) is killed by signal: Killed.")

    monkeypatch.setattr(rich_progress._RefreshThread, "start", killed)
    with pytest.raises(DcrnetError, match="fewer `workers`, then start it again"):
        run_of(tree, caches, tmp_path).train()


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_goes_bad_during_a_run_is_named_in_one_line(
    workers: int, caches: Path, tmp_path: Path
) -> None:
    data = face_data(write_folders(tmp_path / "tree", 8, LEVELS), caches)
    data.faces(Split.TRAIN)
    for sample in data.samples(Split.TRAIN):
        sample.path.write_bytes(b"damaged")
    with pytest.raises(DcrnetError, match=r"^training stopped: .*png is no image.*then start it"):
        small_run(data, tmp_path / "run", FERPLUS, TOY, workers=workers).train()


def test_half_precision(caches: Path, tmp_path: Path) -> None:
    """bf16 trains everywhere; fp16 on a CPU is refused rather than replaced."""
    tree = write_folders(tmp_path / "tree", 2, LEVELS)
    one_epoch = {"epochs": 1, "batch_size": 4}
    bf16 = {"recipe": {**one_epoch, "precision": "bf16-mixed"}}
    path = small_run(face_data(tree, caches), tmp_path / "bf16", FERPLUS, bf16).train()
    checkpoint = load_checkpoint(path)
    assert checkpoint.card.provenance["config"]["recipe"]["precision"] == "bf16-mixed"
    assert all(weight.isfinite().all() for weight in checkpoint.network.parameters())
    fp16 = {"recipe": {**one_epoch, "precision": "16-mixed"}}
    run = small_run(face_data(tree, caches), tmp_path / "fp16", FERPLUS, fp16, accelerator="cpu")
    with pytest.raises(DcrnetError, match=r"16-mixed is not possible on a CPU: .*bf16-mixed"):
        run.train()


def test_a_run_that_had_stopped_early_ends_without_another_epoch(
    tree: Path, caches: Path, tmp_path: Path
) -> None:
    """Cut off between its last epoch and its checkpoint."""
    stands_still = {
        "recipe": {
            **{"epochs": 5, "batch_size": 8, "early_stop_patience": 1},
            **{"learning_rate": 1e-8, "ema_decay": 0.99999},
        }
    }
    path = run_of(tree, caches, tmp_path, stands_still).train()
    whole = load_checkpoint(path).network.state_dict()
    assert load_checkpoint(path).card.provenance["epochs_run"] < 5
    path.unlink()
    run_of(tree, caches, tmp_path, stands_still).train(resume=True)
    again = load_checkpoint(path).network.state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)
