"""A data set with its faces found and prepared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.data.crop_cache import CropCache, Crops
from dcrnet_edge.data.face_cache import FaceCache
from dcrnet_edge.datasets.sample import Alteration, FaceDataset, Sample, Split, class_counts
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face
from dcrnet_runtime.preprocess.spec import PreprocessSpec


class FaceData:
    """Samples, faces and crops of a data set, found or computed when they are asked for.

    Args:
        dataset: as an adapter reads it.
        cache: finds the faces.
        crops: keeps them prepared.
        is_box_only: withhold the landmarks that are found.
    """

    def __init__(
        self,
        dataset: FaceDataset,
        cache: FaceCache,
        crops: CropCache,
        *,
        is_box_only: bool = False,
    ) -> None:
        self.dataset = dataset
        self._is_box_only = is_box_only
        self.landmarks_sha256 = cache.landmarks_sha256
        self._cache = cache
        self._crops = crops
        self._faces: dict[Split, list[Face]] = {}
        self._prepared: dict[tuple[Split, PreprocessSpec], Crops] = {}

    def altered(self, alteration: Alteration) -> FaceData:
        """The same images with something done to each before its face is found."""
        splits = {
            split: [replace(sample, alteration=alteration) for sample in samples]
            for split, samples in self.dataset.splits.items()
        }
        # Without all the other images: only those of a split that is asked for are searched.
        dataset = replace(self.dataset, splits=splits, images=())
        return FaceData(dataset, self._cache, self._crops, is_box_only=self._is_box_only)

    def with_split(
        self, split: Split, samples: Sequence[Sample], crops: CropCache | None = None
    ) -> FaceData:
        """Other images in place of a split's, such as some of them, or corrupted ones.

        Args:
            split: the only one that is left.
            samples: its images.
            crops: keeps them prepared; by default where the data set's are.
        """
        are_altered = any(sample.alteration is not None for sample in samples)
        dataset = replace(
            self.dataset,
            splits={split: list(samples)},
            images=() if are_altered else self.dataset.images,
        )
        crops = crops or self._crops
        return FaceData(dataset, self._cache, crops, is_box_only=self._is_box_only)

    def with_samples(
        self, samples: Sequence[Sample], faces: Sequence[Face], split: Split = Split.TRAIN
    ) -> FaceData:
        """The same data set with other samples in one split.

        Args:
            samples: in place of the split's.
            faces: one a sample.
            split: which.
        """
        dataset = replace(self.dataset, splits={**self.dataset.splits, split: list(samples)})
        made = FaceData(dataset, self._cache, self._crops, is_box_only=self._is_box_only)
        made._faces = {**self._faces, split: list(faces)}
        return made

    def find(self, samples: Sequence[Sample]) -> list[Face]:
        """One face for each of other samples than the data set's."""
        return self._cache.faces(samples, is_extra=True)

    def samples(self, split: Split) -> list[Sample]:
        """The samples of a split."""
        return self.dataset.splits[split]

    def faces(self, split: Split) -> list[Face]:
        """One face a sample."""
        if split not in self._faces:
            found = self._cache.faces(self.samples(split), self.dataset.images)
            self._faces[split] = [Face(f.box) for f in found] if self._is_box_only else found
        return self._faces[split]

    def box_only_share(self, split: Split) -> float:
        """The share of a split's faces without landmarks."""
        faces = self.faces(split)
        return sum(face.landmarks is None for face in faces) / len(faces)

    def crops(self, split: Split, spec: PreprocessSpec) -> Crops:
        """A split's faces without augmentation."""
        if (split, spec) not in self._prepared:
            crops = self._crops.crops(self.samples(split), self.faces(split), spec)
            self._prepared[split, spec] = crops
        return self._prepared[split, spec]

    def crops_of(
        self, samples: Sequence[Sample], faces: Sequence[Face], spec: PreprocessSpec
    ) -> Crops:
        """Any faces without augmentation."""
        return self._crops.crops(samples, faces, spec)

    def some_crops(
        self, split: Split, indices: Sequence[int], spec: PreprocessSpec
    ) -> tuple[list[Sample], Crops]:
        """Some of a split's samples and their faces without augmentation."""
        samples, faces = self.samples(split), self.faces(split)
        picked = [samples[index] for index in indices]
        return picked, self._crops.crops(picked, [faces[index] for index in indices], spec)

    def class_counts(self) -> NDArray[np.int64]:
        """Training images of each label.

        Raises:
            DcrnetError: a label has none.
        """
        labels = self.dataset.labels
        counts = class_counts(self.samples(Split.TRAIN), len(labels))
        empty = [label for label, count in zip(labels, counts, strict=True) if count == 0]
        if empty:
            raise DcrnetError(
                f"the training split of {self.dataset.name} has no image of {', '.join(empty)}: a"
                " network cannot learn what it never sees; add images, or take another `fold`"
            )
        return counts
