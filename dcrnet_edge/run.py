"""A training run on disk: from a data set to a checkpoint, resumable at any step."""

from __future__ import annotations

import json
import platform
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback, EarlyStopping, EMAWeightAveraging
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from dcrnet_edge.calibration import activation_ranges, renew_batch_norms
from dcrnet_edge.callbacks import (
    BEST_WEIGHTS,
    RESUME_NAME,
    KeptWeights,
    ResumePoint,
    WholeCheckpoints,
    step_of,
)
from dcrnet_edge.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dcrnet_edge.datasets.sample import Split
from dcrnet_edge.facedata import FaceData, FaceDataModule
from dcrnet_edge.journal import Journal, draw_curves
from dcrnet_edge.network import DCRNet
from dcrnet_edge.prediction import predict
from dcrnet_edge.recipe import Keep, Recipe
from dcrnet_edge.runconfig import RunConfig
from dcrnet_edge.start import Start
from dcrnet_edge.training import ACCURACY, LAST_WEIGHTS, DCRNetTraining
from dcrnet_runtime.card import ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.spec import PreprocessSpec

CHECKPOINT_NAME = "model.safetensors"
SETTINGS_NAME = "settings.json"
CONFIG_NAME = "config.toml"
_MAY_CHANGE = ("versions", "start")


@dataclass(frozen=True, slots=True)
class Machine:
    """What carries a run out.

    Attributes:
        accelerator: Lightning's name: ``auto``, ``cpu``, ``cuda``, ``mps``.
        devices: processes a node; each takes its share of an epoch in batches of the recipe's
            size.
        nodes: hosts.
        strategy: Lightning's name, such as ``ddp``.
        workers: loading processes a device.
        checkpoint_minutes: between two resume points inside an epoch.
    """

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    strategy: str = "auto"
    workers: int = 0
    checkpoint_minutes: float = 10.0


class Run:
    """One run in its folder.

    Args:
        data: what to learn.
        config: how.
        start: the first weights.
        folder: where everything is written.
        terms: of the data, for the card.
        machine: what carries it out.
    """

    def __init__(
        self,
        data: FaceData,
        config: RunConfig,
        start: Start,
        folder: Path,
        *,
        terms: str = "",
        machine: Machine | None = None,
    ) -> None:
        self.folder = folder
        self._data = data
        self._config = config
        self._start = start
        self._terms = terms
        self._machine = machine or Machine()
        self._spec = replace(config.preprocess, landmarks_sha256=data.landmarks_sha256)
        self._resume_path = folder / RESUME_NAME

    def train(self, *, resume: bool = False) -> Path:
        """Train to the end and write the checkpoint.

        Args:
            resume: go on where the run folder's last resume point was written.

        Returns:
            the checkpoint's path.

        Raises:
            DcrnetError: the folder holds another run, or none to resume; the data cannot be
                learned; the run was ended from outside. Every message names the next command.
        """
        lightning.seed_everything(self._config.recipe.seed, verbose=False)
        counts = self._data.class_counts().tolist()
        loaders = self._loaders()
        network, settings = self._begin(resume)
        module = DCRNetTraining(
            network,
            self._config.recipe,
            loaders.steps * self._config.recipe.epochs,
            counts,
        )
        point = ResumePoint(self._resume_path, self._machine.checkpoint_minutes)
        trainer = self._trainer(point, loaders, settings)
        with self._explained(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*your dataloader is not resumable.*")
            trainer.fit(
                module,
                datamodule=loaders,
                ckpt_path=str(self._resume_path) if resume else None,
                weights_only=True,
            )
        if trainer.interrupted:
            raise DcrnetError(f"interrupted: dcrnet-train --resume --out {self.folder} goes on")
        settings |= {"hours": round(point.hours, 3), "epochs_run": trainer.current_epoch}
        if trainer.is_global_zero:
            self._finish(loaders, settings)
        trainer.strategy.barrier()
        return self.folder / CHECKPOINT_NAME

    def _loaders(self) -> FaceDataModule:
        machine = self._machine
        return FaceDataModule(
            self._data,
            self._spec,
            self._config.recipe,
            self._config.focus,
            machine.devices * machine.nodes,
            machine.workers,
        )

    def _begin(self, resume: bool) -> tuple[DCRNet, dict[str, Any]]:
        """The network and the settings, which are written down or compared."""
        network_config = self._config.network_config(self._data.dataset.labels)
        settings = self._settings()
        if resume:
            settings["start"] = self._check_settings(settings)
            self._write_settings(settings)
            return DCRNet(network_config), settings
        if self._resume_path.exists():
            raise DcrnetError(
                f"{self.folder} holds a run: --resume goes on with it, or name another folder"
                " with --out"
            )
        network, settings["start"] = self._start.network(network_config)
        self._write_settings(settings)
        return network, settings

    def _settings(self) -> dict[str, Any]:
        dataset = self._data.dataset
        packages = ("dcrnet-edge", "torch", "lightning", "numpy", "opencv-python-headless")
        return {
            "dataset": dataset.name,
            "protocol": dataset.protocol,
            "images": {split.value: len(s) for split, s in dataset.splits.items()},
            "repeats_dropped": dataset.repeats,
            "unreadable": dataset.unreadable,
            "data_sha256": dataset.digest,
            "landmarks_sha256": self._spec.landmarks_sha256,
            "config": self._config.to_values(),
            "devices": self._machine.devices * self._machine.nodes,
            "versions": {
                **{name: metadata.version(name) for name in packages},
                "python": platform.python_version(),
            },
        }

    @rank_zero_only
    def _write_settings(self, settings: dict[str, Any]) -> None:
        with written_beside(self.folder / SETTINGS_NAME) as beside:
            beside.write_text(json.dumps(settings, indent=2))
        with written_beside(self.folder / CONFIG_NAME) as beside:
            beside.write_text(self._config.to_toml())

    def _check_settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Refuse to resume a run that was started with other settings; gives its first weights.

        Raises:
            DcrnetError: naming the first setting that differs.
        """
        path = self.folder / SETTINGS_NAME
        if not self._resume_path.is_file():
            raise DcrnetError(
                f"{self.folder} holds no run to resume: leave --resume out, or name the run's"
                " folder with --out"
            )
        try:
            before = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise DcrnetError(
                f"{path} cannot be read, so it is unknown what {self.folder} was trained with:"
                " name another run folder with --out"
            ) from error
        for key, value in settings.items():
            if key not in _MAY_CHANGE and before.get(key) != json.loads(json.dumps(value)):
                name, old, new = _first_difference(key, before.get(key), value)
                raise DcrnetError(
                    f"{self.folder} holds a run with another {name} ({old}, now {new}): give the"
                    " same options to go on with it, or name another folder with --out"
                )
        start: dict[str, Any] = before["start"]
        return start

    def _trainer(
        self, point: ResumePoint, loaders: FaceDataModule, settings: dict[str, Any]
    ) -> lightning.Trainer:
        recipe, machine = self._config.recipe, self._machine
        journal = Journal(self.folder)
        step = 0
        if self._resume_path.is_file():
            step = step_of(self._resume_path)
            loaders.start_at(step)
            journal.forget_after(step)
        board = TensorBoardLogger(self.folder, name="", version="tensorboard")

        def write(path: Path, network: DCRNet, epoch: int) -> None:
            self._save(path, network, loaders.spec_at(epoch), {**settings, "epoch": epoch})

        return lightning.Trainer(
            accelerator=machine.accelerator,
            devices=machine.devices,
            num_nodes=machine.nodes,
            strategy=machine.strategy,
            precision=recipe.precision.value,
            max_epochs=recipe.epochs,
            gradient_clip_val=recipe.gradient_clip or None,
            callbacks=[KeptWeights(self.folder, write), *_averaging(recipe), point],
            plugins=[WholeCheckpoints()],
            logger=[journal, board],
            log_every_n_steps=min(20, loaders.steps),
            num_sanity_val_steps=0,
            reload_dataloaders_every_n_epochs=1,
            enable_checkpointing=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )

    def _finish(self, loaders: FaceDataModule, settings: dict[str, Any]) -> None:
        """Renew the batch norms of the kept weights, record ranges, measure, write."""
        name = BEST_WEIGHTS if self._config.recipe.keep is Keep.BEST else LAST_WEIGHTS
        network = load_checkpoint(self.folder / name).network
        renew_batch_norms(network, loaders.statistics(self._config.recipe.epochs - 1))
        ranges = {}
        for size_px in (self._spec.size_px, *self._config.range_sizes):
            seen = self._data.calibration(replace(self._spec, size_px=size_px))
            ranges[size_px] = activation_ranges(network, seen)
        predicted = predict(network, self._data.crops(Split.VALID, self._spec))
        truth = [sample.label for sample in self._data.samples(Split.VALID)]
        figures = {ACCURACY: float((predicted.argmax(axis=1) == truth).mean())}
        card = ModelCard(self._data.dataset.labels, self._spec, settings, figures, self._terms)
        save_checkpoint(self.folder / CHECKPOINT_NAME, Checkpoint(network, card, ranges))
        draw_curves(self.folder)

    def _save(
        self, path: Path, network: DCRNet, spec: PreprocessSpec, settings: dict[str, Any]
    ) -> None:
        card = ModelCard(self._data.dataset.labels, spec, settings, {}, self._terms)
        save_checkpoint(path, Checkpoint(network, card))

    @contextmanager
    def _explained(self) -> Generator[None, None, None]:
        """Turn what can happen to a long run into one line that says how to go on."""
        remedy = f"dcrnet-train --resume --out {self.folder} goes on from the last resume point"
        try:
            yield
        except OSError as error:
            raise DcrnetError(
                f"training stopped: {error.strerror or error} ({error.filename}): make room, then"
                f" {remedy}"
            ) from error
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise DcrnetError(
                "training stopped: a loading process was killed, mostly for want of memory: give"
                f" fewer --workers, then {remedy}"
            ) from error


def _averaging(recipe: Recipe) -> list[Callback]:
    callbacks: list[Callback] = []
    if recipe.ema_decay > 0:
        # An average of running variances lags behind the weights' own, so the current ones
        # are kept and renewed for each validation.
        callbacks.append(EMAWeightAveraging(decay=recipe.ema_decay, use_buffers=False))
    if recipe.early_stop_patience > 0:
        stop = EarlyStopping(ACCURACY, mode="max", patience=recipe.early_stop_patience)
        callbacks.append(stop)
    return callbacks


def _first_difference(name: str, before: Any, now: Any) -> tuple[str, Any, Any]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key, value in now.items():
            if before.get(key) != json.loads(json.dumps(value)):
                return _first_difference(f"{name}.{key}", before.get(key), value)
    return name, before, now
