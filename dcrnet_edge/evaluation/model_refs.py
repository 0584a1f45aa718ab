"""Models and files of predictions that are to be judged, by names that tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.sample import Split
from dcrnet_edge.evaluation.answers import CHECKPOINT_SUFFIX, evaluate
from dcrnet_edge.evaluation.predictions import PREDICTIONS_SUFFIX, Predictions, read_predictions
from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.weights import shipped_checkpoint
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import Shipped, shipped_model


@dataclass(frozen=True, slots=True)
class Images:
    """What models are asked about.

    Attributes:
        data: the data set.
        split: which part of it.
        root: folder that the images' names are relative to.
        shared_labels: keep only the labels that model and data both know.
    """

    data: FaceData
    split: Split
    root: Path
    shared_labels: bool = False

    def provenance(self) -> dict[str, Any]:
        """What tells these images from others, as JSON values."""
        dataset = self.data.dataset
        return {
            "protocol": dataset.protocol,
            "data_sha256": dataset.digest,
            "landmarks_sha256": self.data.landmarks_sha256,
        }


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A checkpoint, an exported model or a file of predictions.

    Attributes:
        path: of the file.
        size_px: input side for a checkpoint, in place of its own.
    """

    path: Path
    size_px: int | None = None

    @property
    def has_answers(self) -> bool:
        """Whether it needs no images any more."""
        return self.path.suffix == PREDICTIONS_SUFFIX

    @property
    def size_mb(self) -> float:
        """The file's size in 10^6 bytes."""
        return self.path.stat().st_size / 1e6

    @property
    def sha256(self) -> str:
        """The file's hash, in hexadecimal."""
        return sha256(self.path.read_bytes()).hexdigest()

    def answers(self, images: Images | None) -> Predictions:
        """Its predictions.

        Raises:
            DcrnetError: the file cannot be read, its labels are others, or it needs images.
        """
        if self.has_answers:
            return read_predictions(self.path)
        if images is None:
            raise DcrnetError("a model needs images to be asked about: name them with `data`")
        return evaluate(
            self.path,
            images.data,
            images.split,
            images.root,
            size_px=self.size_px,
            shared_labels=images.shared_labels,
        )


def shipped(sizes_px: Sequence[int]) -> list[ModelRef]:
    """Each shipped checkpoint and the int8 model made of it.

    Args:
        sizes_px: input sides of the checkpoints; when empty, those that each was trained at.
    """
    refs = []
    for name in Shipped:
        path = shipped_checkpoint(name)
        sizes = sizes_px or load_checkpoint(path).trained_px
        refs += [ModelRef(path, size_px) for size_px in sizes] + [ModelRef(shipped_model(name))]
    return refs


def asked(paths: Sequence[Path], sizes_px: Sequence[int]) -> list[ModelRef]:
    """Every checkpoint at every size asked for, and every other file as it is.

    A single size is asked of exported models, too, so that one made for another is refused.
    """
    found = []
    for path in paths:
        is_asked = path.suffix == CHECKPOINT_SUFFIX or len(sizes_px) == 1
        is_model = path.suffix != PREDICTIONS_SUFFIX
        sizes = sizes_px if is_model and is_asked else ()
        found += [ModelRef(path, size_px) for size_px in sizes or (None,)]
    return found


def names_of(refs: Sequence[ModelRef]) -> list[str]:
    """File names, or whole paths where two files are called alike, and sizes."""
    paths = {ref.path for ref in refs}
    are_unlike = len({path.name for path in paths}) == len(paths)
    return [
        (ref.path.name if are_unlike else str(ref.path))
        + (f" at {ref.size_px} px" if ref.size_px else "")
        for ref in refs
    ]
