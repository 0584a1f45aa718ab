"""Checkpoints that teach, and their answers, which are computed once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.data.crop_cache import Crops, crops_key
from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.sample import FaceDataset, Sample
from dcrnet_edge.evaluation.inference import predict
from dcrnet_edge.models.checkpoint import Checkpoint, load_checkpoint
from dcrnet_runtime.cache import DAMAGED_ARRAYS, keep
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face

_log = logging.getLogger(__name__)
_OFFICIAL = "official"


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """A checkpoint that teaches, by its own contract.

    Attributes:
        name: of its file.
        sha256: of its file, in hexadecimal.
        checkpoint: network and card.
    """

    name: str
    sha256: str
    checkpoint: Checkpoint

    @classmethod
    def read(cls, path: Path, labels: Sequence[str], size_px: int | None = None) -> Teacher:
        """The teacher in a file.

        Args:
            path: of a checkpoint.
            labels: that the student is to learn.
            size_px: input side, in place of the checkpoint's own.

        Raises:
            DcrnetError: the file is no checkpoint, its labels are others, or its network takes
                no such side.
        """
        checkpoint = load_checkpoint(path)
        if size_px is not None:
            checkpoint = checkpoint.at(size_px)
        known = checkpoint.card.labels
        if set(known) != set(labels):
            raise DcrnetError(
                f"teacher {path} knows {', '.join(known)}; the data set has {', '.join(labels)}:"
                " name a teacher that was trained on these labels with `teacher`"
            )
        return cls(path.name, sha256(path.read_bytes()).hexdigest(), checkpoint)

    def leak(self, dataset: FaceDataset) -> str | None:
        """One line where the teacher learned from another split of the student's data.

        What is Valid or Test to the student may then have been Train to its teacher, whose answers
        tell of it. The checkpoints that the teacher itself began with count as well. Not known of
        a teacher whose card does not say what it was trained on.

        Args:
            dataset: the student's.
        """
        for trained in _trainings(self.checkpoint.card.provenance):
            protocol = trained.get("protocol")
            if trained.get("dataset") != dataset.name or not isinstance(protocol, str):
                continue
            # The digest is of images and splits; an official split needs none to be the same.
            is_same = protocol == dataset.protocol and (
                protocol == _OFFICIAL or trained.get("data_sha256") == dataset.digest
            )
            if not is_same:
                return (
                    f"teacher {self.name} was trained on another split of {dataset.name}"
                    f" ({protocol}; here {dataset.protocol}): it may have seen this run's Valid"
                    " and Test, whose figures then flatter; name a teacher of the same split"
                )
        return None

    def provenance(self) -> dict[str, Any]:
        """Name, hash, network and input side, as JSON values."""
        return {
            "file": self.name,
            "sha256": self.sha256,
            "network": self.checkpoint.network.architecture,
            "size_px": self.checkpoint.card.preprocess.size_px,
        }


def _trainings(provenance: Any) -> Iterator[Mapping[str, Any]]:
    """A checkpoint's training, and those of the checkpoints that it began with."""
    while isinstance(provenance, Mapping):
        yield provenance
        start = provenance.get("start")
        provenance = start.get("provenance") if isinstance(start, Mapping) else None


class TeacherAnswers:
    """Answers to faces without augmentation, kept on disk.

    Args:
        folder: where they lie, made when missing. A file's name stands for the teacher's file,
            its contract, the images and the landmarks, so that a change of any makes a new one.
        progress: called with the images done and all images, where there is something to do.
    """

    def __init__(self, folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
        self._folder = folder
        self._progress = progress or (lambda _done, _total: None)

    def probabilities(
        self,
        teacher: Teacher,
        data: FaceData,
        samples: Sequence[Sample],
        faces: Sequence[Face],
    ) -> NDArray[np.float32]:
        """One teacher's probabilities, (N, labels) float32 in the order of the data's labels.

        Args:
            teacher: who is asked.
            data: prepares the faces, and says the order of the labels.
            samples: the images.
            faces: one a sample.
        """
        card = teacher.checkpoint.card
        contract = crops_key(samples, faces, card.preprocess)
        key = sha256(f"{teacher.sha256} {contract}".encode()).hexdigest()[:32]
        path = self._folder / f"{key}.npz"
        found = _read(path, (len(samples), len(card.labels)))
        if found is None:
            crops = data.crops_of(samples, faces, card.preprocess)
            found = self._ask(teacher, crops)
            answers = found
            keep(path, lambda beside: np.savez(beside, probabilities=answers))
        return found[:, [card.labels.index(label) for label in data.dataset.labels]]

    def _ask(self, teacher: Teacher, crops: Crops) -> NDArray[np.float32]:
        rows, done = [], 0
        self._progress(done, len(crops))
        for shard in crops.shards:
            rows.append(predict(teacher.checkpoint.network, Crops((shard,))))
            done += len(shard)
            self._progress(done, len(crops))
        return np.concatenate(rows)


def _read(path: Path, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """The answers on disk; None where there are none, or not whole."""
    try:
        with np.load(path) as file:
            found: NDArray[np.float32] = file["probabilities"]
        if found.shape != shape or not np.isfinite(found).all():
            raise ValueError("of another shape")
    except FileNotFoundError:
        return None
    except DAMAGED_ARRAYS as error:
        _log.warning("%s is damaged (%s): the teacher is asked again.", path, error)
        return None
    return found


def tempered(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """What the softmax gives where the logits are divided by ``temperature``.

    Hinton et al., "Distilling the knowledge in a neural network" (2015), section 2.

    Args:
        probabilities: (N, labels), rows sum to 1.
        temperature: above 1 it evens the rows, below 1 it sharpens them.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-30)) / temperature
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
