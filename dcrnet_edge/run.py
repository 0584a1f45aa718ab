"""A training run on disk: from a data set to a checkpoint, resumable at every epoch."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EMAWeightAveraging,
    LearningRateMonitor,
    ModelCheckpoint,
)
from lightning.pytorch.loggers import CSVLogger
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from dcrnet_edge.backbone_weights import load_backbone
from dcrnet_edge.calibration import activation_ranges, renew_batch_norms
from dcrnet_edge.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from dcrnet_edge.config import NetworkConfig
from dcrnet_edge.datasets.facecache import FaceCache, Finder
from dcrnet_edge.datasets.sample import FaceDataset, Sample, Split
from dcrnet_edge.loader import AugmentedFaces, BalancedOrder, PreparedFaces
from dcrnet_edge.network import DCRNet, check_size
from dcrnet_edge.training import DCRNetTraining, TrainConfig
from dcrnet_runtime.card import ModelCard
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.spec import PreprocessSpec

CHECKPOINT_NAME = "model.safetensors"
_LAST = "last"
_SETTINGS_NAME = "config.json"
_MAY_CHANGE = ("torch", "python")
_EVAL_BATCH = 128
_CALIBRATION_FACES = 2048


@dataclass(frozen=True, slots=True)
class RunPaths:
    """Where a run reads and writes.

    Attributes:
        run: the run's folder.
        faces: folder of the face cache.
    """

    run: Path
    faces: Path


def train(
    dataset: FaceDataset,
    finder: Finder,
    spec: PreprocessSpec,
    config: TrainConfig,
    paths: RunPaths,
    *,
    focus: Sequence[float] = (),
    start_from: Path | None = None,
    backbone_weights: Path | None = None,
    terms: str = "",
) -> Path:
    """Train, or go on where the run folder's last epoch ended, and write the checkpoint.

    Args:
        dataset: read by an adapter.
        finder: finds the faces.
        spec: the contract to train for.
        config: the recipe.
        paths: where to read and write.
        focus: focus strengths to draw from instead of the contract's one.
        start_from: a checkpoint whose weights the network starts with.
        backbone_weights: ImageNet weights of DenseNet121 to start the backbone with.
        terms: of the data, for the card.

    Returns:
        the checkpoint's path.
    """
    check_size(spec.size_px)
    lightning.seed_everything(config.seed, verbose=False)
    spec = replace(spec, landmarks_sha256=finder.landmarks_sha256)
    cache = FaceCache(paths.faces, finder)
    faces = {split: cache.faces(dataset.splits[split]) for split in (Split.TRAIN, Split.VALID)}
    settings: dict[str, Any] = {
        "dataset": dataset.name,
        "train_images": len(dataset.splits[Split.TRAIN]),
        "repeats_dropped": dataset.repeats,
        "recipe": asdict(config),
        "focus_strengths": list(focus) or [spec.focus_strength],
        "start_from": start_from.name if start_from else "random initialisation",
        "backbone_weights": backbone_weights.name if backbone_weights else None,
        "preprocess": json.loads(spec.to_json()),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    last = paths.run / f"{_LAST}.ckpt"
    if last.is_file():
        _check_settings(paths.run, settings)
    with written_beside(paths.run / _SETTINGS_NAME) as beside:
        beside.write_text(json.dumps(settings, indent=2))
    network = _network(dataset.labels, start_from, backbone_weights)
    module, loaders = _module(dataset, faces, spec, config, network, focus)
    started = time.monotonic()
    trainer = _trainer(config, paths.run)
    trainer.fit(module, *loaders, ckpt_path=str(last) if last.is_file() else None)
    settings["hours_of_last_start"] = round((time.monotonic() - started) / 3600, 2)
    seen = calibration_faces(dataset.splits[Split.TRAIN], faces[Split.TRAIN], spec)
    renew_batch_norms(module.network, seen)
    ranges = activation_ranges(module.network, seen)
    predicted = predict(module.network, dataset.splits[Split.VALID], faces[Split.VALID], spec)
    truth = [sample.label for sample in dataset.splits[Split.VALID]]
    figures = {"valid_accuracy": float((predicted.argmax(axis=1) == truth).mean())}
    card = ModelCard(dataset.labels, spec, settings, figures, terms)
    checkpoint = Checkpoint(module.network, card, {spec.size_px: ranges})
    save_checkpoint(paths.run / CHECKPOINT_NAME, checkpoint)
    return paths.run / CHECKPOINT_NAME


def predict(
    network: DCRNet, samples: Sequence[Sample], faces: Sequence[Face], spec: PreprocessSpec
) -> NDArray[np.float32]:
    """Probabilities (N, labels) float32 of a torch network on prepared faces."""
    loader = DataLoader(PreparedFaces(samples, faces, spec), _EVAL_BATCH)
    network = network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with torch.inference_mode():
        return torch.cat([network(codes).softmax(dim=1) for codes, _, _ in loader]).numpy()


def _check_settings(run: Path, settings: dict[str, Any]) -> None:
    """Refuse to go on with a run that was started with other settings.

    Raises:
        DcrnetError: naming the first that differs.
    """
    path = run / _SETTINGS_NAME
    try:
        before = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DcrnetError(
            f"{path} cannot be read, so it is unknown what {run} was trained with: name another"
            " run folder with --out"
        ) from error
    for key, value in json.loads(json.dumps(settings)).items():
        if key not in _MAY_CHANGE and before.get(key) != value:
            raise DcrnetError(
                f"{run} holds a run with another {key} ({before.get(key)}): give the same options"
                " to go on with it, or name another folder with --out"
            )


def calibration_faces(
    samples: Sequence[Sample], faces: Sequence[Face], spec: PreprocessSpec
) -> list[Tensor]:
    """Batches of prepared faces spread evenly over ``samples``, (N, 3, S, S) uint8 codes.

    Whole batches where there is one, since each counts alike in the batch norms' statistics.
    """
    chosen = range(0, len(samples), max(1, len(samples) // _CALIBRATION_FACES))
    chosen = chosen[: len(chosen) // _EVAL_BATCH * _EVAL_BATCH] or chosen
    prepared = PreparedFaces([samples[i] for i in chosen], [faces[i] for i in chosen], spec)
    return [codes for codes, _, _ in DataLoader(prepared, _EVAL_BATCH)]


def _network(
    labels: tuple[str, ...], start_from: Path | None, backbone_weights: Path | None
) -> DCRNet:
    if start_from is not None:
        network = load_checkpoint(start_from).network
        if network.config.labels != labels:
            raise DcrnetError(
                f"{start_from} knows {', '.join(network.config.labels)}; the data set has"
                f" {', '.join(labels)}: start from a checkpoint with these labels"
            )
        return network.train()
    network = DCRNet(NetworkConfig(labels=labels))
    if backbone_weights is not None:
        load_backbone(network, backbone_weights)
    return network


def _module(
    dataset: FaceDataset,
    faces: dict[Split, list[Face]],
    spec: PreprocessSpec,
    config: TrainConfig,
    network: DCRNet,
    focus: Sequence[float],
) -> tuple[DCRNetTraining, tuple[DataLoader, DataLoader]]:  # type: ignore[type-arg]
    train, valid = dataset.splits[Split.TRAIN], dataset.splits[Split.VALID]
    strengths = focus or (spec.focus_strength,)
    augmented = AugmentedFaces(
        train, faces[Split.TRAIN], spec, config.augment, config.seed, strengths
    )
    order = BalancedOrder(train, len(dataset.labels), config.balance, config.seed)
    if len(train) < max(2, config.batch_size):
        raise DcrnetError(
            f"{len(train)} training images do not fill one batch of {config.batch_size}: give"
            " more images or a smaller --batch-size"
        )
    loader = DataLoader(augmented, config.batch_size, sampler=order, drop_last=True)
    prepared = DataLoader(PreparedFaces(valid, faces[Split.VALID], spec), _EVAL_BATCH)
    module = DCRNetTraining(network, config, total_steps=len(loader) * config.epochs)
    return module, (loader, prepared)


def _trainer(config: TrainConfig, folder: Path) -> lightning.Trainer:
    callbacks: list[Callback] = [
        # An average of running variances lags behind the weights' own; the current ones serve
        # for validation, and the last ones are renewed.
        EMAWeightAveraging(decay=config.ema_decay, use_buffers=False),
        ModelCheckpoint(folder, filename=_LAST, enable_version_counter=False),
        LearningRateMonitor("step"),
    ]
    return lightning.Trainer(
        accelerator="auto",
        devices=1,
        max_epochs=config.epochs,
        gradient_clip_val=config.gradient_clip,
        callbacks=callbacks,
        logger=CSVLogger(folder, name="", version="log"),
        log_every_n_steps=20,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
