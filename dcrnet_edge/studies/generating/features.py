"""Faces as an expression network's features, and the file that keeps them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dcrnet_edge.data.crop_cache import Crops
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

COMPONENTS = 64
"""Principal components of Train's features that are kept: of fewer faces than features no
covariance can be told."""

_BATCH = 64
_COLUMNS = ("kind", "label", "image", "answer", "hash")


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """Faces of one kind.

    Attributes:
        kind: ``train``, ``valid`` or ``generated``.
        labels: (N) names of their labels.
        images: (N) names.
        answers: (N) what the network calls them.
        hashes: (N, 256) bool, see :func:`dcrnet_edge.distillation.near_copies.difference_hash`.
        features: (N, K) float64.
    """

    kind: str
    labels: NDArray[np.str_]
    images: NDArray[np.str_]
    answers: NDArray[np.str_]
    hashes: NDArray[np.bool_]
    features: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, label: str) -> Described:
        """Those of one label."""
        own = self.labels == label
        return Described(
            self.kind,
            *(self.labels[own], self.images[own], self.answers[own]),
            *(self.hashes[own], self.features[own]),
        )


def pooled(network: FaceNetwork, crops: Crops) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features averaged over the map, (N, C) float32, and the labels answered, (N,).

    Args:
        network: is put into eval mode.
        crops: prepared faces.
    """
    network = network.eval()
    features, answers = [], []
    with torch.inference_mode():
        for batch in crops.batches(_BATCH):
            codes = torch.from_numpy(batch).permute(0, 3, 1, 2).expand(-1, 3, -1, -1)
            embedded = network.embed(codes).float()
            features.append(embedded.mean(dim=(2, 3)))
            answers.append(network.classify(embedded).argmax(dim=1))
    return torch.cat(features).numpy(), torch.cat(answers).numpy()


def projected(
    train: NDArray[np.float32], others: Sequence[NDArray[np.float32]]
) -> list[NDArray[np.float64]]:
    """Train's features and others' on the principal components of Train's."""
    from sklearn.decomposition import PCA

    kept = min(COMPONENTS, *train.shape)
    components = PCA(kept, svd_solver="covariance_eigh").fit(train.astype(np.float64))
    return [components.transform(rows.astype(np.float64)) for rows in (train, *others)]


def save_described(path: Path, described: Sequence[Described]) -> None:
    """One row a face, features to six digits."""
    with written_beside(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        count = described[0].features.shape[1]
        writer.writerow([*_COLUMNS, *(f"f{i}" for i in range(count))])
        for each in described:
            for i in range(len(each)):
                told = (each.kind, each.labels[i], each.images[i], each.answers[i])
                bits = np.packbits(each.hashes[i]).tobytes().hex()
                writer.writerow([*told, bits, *(f"{value:.6g}" for value in each.features[i])])


def read_described(path: Path) -> dict[str, Described]:
    """What :func:`save_described` wrote, by kind.

    Raises:
        DcrnetError: the file is damaged.
    """
    try:
        with path.open(newline="") as file:
            header, *rows = csv.reader(file)
        start = len(_COLUMNS)
        told = np.array([row[:start] for row in rows])
        features = np.array([[float(cell) for cell in row[start:]] for row in rows])
        bits = [np.unpackbits(np.frombuffer(bytes.fromhex(h), np.uint8)) for h in told[:, 4]]
        hashes = np.array(bits, np.bool_)
        if tuple(header[:start]) != _COLUMNS:
            raise ValueError("other columns")
    except (OSError, ValueError, IndexError) as error:
        raise DcrnetError(
            f"{path} holds no features ({error}): remove it, and start the study again"
        ) from error
    found = {}
    for kind in dict.fromkeys(told[:, 0].tolist()):
        own = told[:, 0] == kind
        labels, images, answers = (told[own, i] for i in (1, 2, 3))
        found[kind] = Described(kind, labels, images, answers, hashes[own], features[own])
    return found
