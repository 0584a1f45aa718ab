"""Answers of a checkpoint or an exported model to the images of a split."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.sample import Split
from dcrnet_edge.evaluation.inference import predict
from dcrnet_edge.evaluation.predictions import Predictions
from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.runners.answers import checked_answers
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.spec import PreprocessSpec

CHECKPOINT_SUFFIX = ".safetensors"
_log = logging.getLogger(__name__)


def evaluate(
    path: Path,
    data: FaceData,
    split: Split,
    root: Path,
    *,
    size_px: int | None = None,
    shared_labels: bool = False,
) -> Predictions:
    """Run a checkpoint (torch) or an exported model (the runtime's back end).

    Args:
        path: of the model.
        data: the data set.
        split: which part of it.
        root: folder that the images' names are relative to.
        size_px: input side for a checkpoint, in place of its own.
        shared_labels: keep only the labels that both know, when they differ.

    Raises:
        DcrnetError: the file is no model, its labels are not the data set's, or what it answers
            is no probabilities.
    """
    if path.suffix == CHECKPOINT_SUFFIX:
        checkpoint = load_checkpoint(path)
        if size_px is not None:
            checkpoint = checkpoint.at(size_px)
        spec, labels = checkpoint.card.preprocess, checkpoint.card.labels
        _check_labels(path, labels, data.dataset.labels, shared_labels)
        probabilities = predict(checkpoint.network, data.crops(split, spec))
    else:
        model = load_model(path)
        spec, labels = model.card.preprocess, model.card.labels
        if size_px not in (None, spec.size_px):
            raise DcrnetError(
                f"{path} takes {spec.size_px} px and nothing else: `size_px` is for checkpoints"
            )
        _check_labels(path, labels, data.dataset.labels, shared_labels)
        crops = data.crops(split, spec)
        rows = [model.probabilities(np.repeat(row, 3 // row.shape[-1], 2)[None]) for row in crops]
        probabilities = np.concatenate(rows)
    if spec.landmarks_sha256 not in ("", data.landmarks_sha256):
        _log.warning(
            "%s was trained with landmark network %s..., these faces were found by %s...: figures"
            " can differ slightly",
            path.name,
            spec.landmarks_sha256[:8],
            data.landmarks_sha256[:8],
        )
    checked_answers(probabilities, len(probabilities), len(labels))
    return _predictions(probabilities, labels, data, split, root)


def of_network(
    network: FaceNetwork, spec: PreprocessSpec, data: FaceData, part: str, root: Path
) -> Predictions:
    """A network's answers to the Test split, filed under ``part``."""
    found = _predictions(
        predict(network, data.crops(Split.TEST, spec)),
        network.config.labels,
        data,
        Split.TEST,
        root,
    )
    return replace(found, parts=(part,) * len(found.parts))


def _predictions(
    probabilities: NDArray[np.float32],
    labels: tuple[str, ...],
    data: FaceData,
    split: Split,
    root: Path,
) -> Predictions:
    samples = data.samples(split)
    names = data.dataset.labels
    every = labels + tuple(name for name in names if name not in labels)
    unknown = np.zeros((len(samples), len(every) - len(labels)), np.float32)
    predictions = Predictions(
        every,
        tuple(str(sample.name).removeprefix(f"{root}/") for sample in samples),
        (split.value,) * len(samples),
        tuple(sample.subject for sample in samples),
        np.array([face.landmarks is not None for face in data.faces(split)]),
        np.array([every.index(names[sample.label]) for sample in samples]),
        np.hstack([probabilities, unknown]),
    )
    if set(labels) == set(names):
        return predictions
    return predictions.among(tuple(label for label in labels if label in names))


def _check_labels(
    path: Path, labels: tuple[str, ...], wanted: tuple[str, ...], shared: bool
) -> None:
    common = [label for label in labels if label in wanted]
    if set(labels) != set(wanted) and not (shared and len(common) > 1):
        raise DcrnetError(
            f"{path} knows {', '.join(labels)}; the data set has {', '.join(wanted)}: choose a"
            " model trained on these labels, or give `shared_labels` to leave out the others"
        )
