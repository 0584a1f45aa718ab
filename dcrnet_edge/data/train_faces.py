"""Training faces for statistics of activations: their ranges, and those of batch norms."""

from __future__ import annotations

from torch import Tensor
from torch.utils.data import DataLoader

from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.data.items import PreparedFaces
from dcrnet_edge.datasets.sample import Split
from dcrnet_runtime.preprocess.spec import PreprocessSpec

EVAL_BATCH = 128
STATISTICS_FACES = 2048


def train_batches(data: FaceData, spec: PreprocessSpec) -> list[Tensor]:
    """Batches (N, 3, S, S) uint8 of prepared faces spread evenly over Train."""
    count = len(data.samples(Split.TRAIN))
    chosen = range(0, count, max(1, count // STATISTICS_FACES))
    samples, crops = data.some_crops(Split.TRAIN, chosen, spec)
    return [codes for codes, _, _ in DataLoader(PreparedFaces(samples, crops), EVAL_BATCH)]
