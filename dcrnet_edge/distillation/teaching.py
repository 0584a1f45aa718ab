"""A training split with what the teachers say of it, and of pictures that nobody labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.sample import Sample, Split, one_hot
from dcrnet_edge.distillation.sources import Source, joined, sources_of
from dcrnet_edge.distillation.teachers import Teacher, TeacherAnswers, tempered
from dcrnet_edge.distillation.unlabelled import (
    UnlabelledCounts,
    UnlabelledFolder,
    chosen,
    counts_of,
    read_unlabelled,
)
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Face


@dataclass(frozen=True, slots=True)
class DistillationSpec:
    """How answers become targets.

    Attributes:
        temperature: that the teachers' logits are divided by.
        share: of the teachers in a labelled face's target; the rest is votes or label.
        soft_labels: the rest is the annotators' votes where there are any, not the label alone.
        confidence: least mean probability of the answer to an unlabelled face.
        per_class: unlabelled faces of one answer at most; 0 takes all.
        seed: of the draw where there are more.
    """

    temperature: float = 1.0
    share: float = 0.7
    soft_labels: bool = True
    confidence: float = 0.6
    per_class: int = 5000
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """A data set to learn from, whose training targets are the teachers', too.

    Attributes:
        data: the labelled data set with other targets, and with the unlabelled faces in Train.
        provenance: teachers and numbers as JSON values.
        sources: what the teachers were made from, and the unlabelled pictures.
        counts: what became of the unlabelled pictures; None where there were none.
    """

    data: FaceData
    provenance: dict[str, Any]
    sources: tuple[Source, ...] = ()
    counts: UnlabelledCounts | None = None


def teach(
    data: FaceData,
    teachers: Sequence[Teacher],
    answers: TeacherAnswers,
    spec: DistillationSpec,
    folder: UnlabelledFolder | None = None,
) -> Taught:
    """Ask the teachers about the training split, and about a folder of unlabelled faces.

    Targets are the mean of the teachers' probabilities. Label and weight of a face stay: a
    labelled one keeps its label, an unlabelled one gets the most probable.

    Args:
        data: the labelled data set.
        teachers: at least one.
        answers: asks them, or remembers.
        spec: how answers become targets.
        folder: of unlabelled faces.

    Raises:
        DcrnetError: the folder is missing, or the teachers are sure of none of its faces.
    """
    labels = data.dataset.labels
    samples, faces = data.samples(Split.TRAIN), data.faces(Split.TRAIN)
    said = _mean_answers(data, teachers, answers, samples, faces, spec.temperature)
    taught = [
        replace(sample, target=_mixed(sample, row, spec, len(labels)))
        for sample, row in zip(samples, said, strict=True)
    ]
    provenance = {
        "teachers": [teacher.provenance() for teacher in teachers],
        "temperature": spec.temperature,
        "share": spec.share,
    }
    sources = [
        source
        for teacher in teachers
        for source in sources_of(teacher.checkpoint.card, teacher.name)
    ]
    if folder is None:
        return Taught(data.with_samples(taught, faces), provenance, joined(sources))
    more, their_faces, counts, digest = _unlabelled(data, teachers, answers, spec, folder)
    provenance["unlabelled"] = {
        **{"folder": folder.root.name, "sha256": digest},
        **{"confidence": spec.confidence, "per_class": spec.per_class},
        **counts.to_json(),
    }
    both = data.with_samples([*taught, *more], [*faces, *their_faces])
    pictures = Source(folder.root.name, folder.license)
    return Taught(both, provenance, joined([*sources, pictures]), counts)


def _unlabelled(
    data: FaceData,
    teachers: Sequence[Teacher],
    answers: TeacherAnswers,
    spec: DistillationSpec,
    folder: UnlabelledFolder,
) -> tuple[list[Sample], list[Face], UnlabelledCounts, str]:
    """Samples with the teachers' answers, their faces, counts and hash."""
    found = read_unlabelled(folder, data)
    said = _mean_answers(data, teachers, answers, found.samples, found.faces, 1.0)
    guesses = said.argmax(axis=1)
    kept, unsure = chosen(
        said.max(axis=1),
        guesses,
        floor=spec.confidence,
        per_class=spec.per_class,
        seed=spec.seed,
    )
    counts = counts_of(found, guesses[kept].tolist(), unsure, data.dataset.labels)
    if not len(kept):
        raise DcrnetError(
            f"the teachers are less than {spec.confidence} sure of each of the"
            f" {len(found.samples)} faces in {folder.root}: lower recipe.unlabelled_confidence, or"
            " leave `unlabelled` out"
        )
    if spec.temperature != 1.0:
        said = _mean_answers(data, teachers, answers, found.samples, found.faces, spec.temperature)
    samples = [
        replace(found.samples[i], label=int(guesses[i]), target=tuple(map(float, said[i])))
        for i in kept
    ]
    return samples, [found.faces[i] for i in kept], counts, found.digest


def _mean_answers(
    data: FaceData,
    teachers: Sequence[Teacher],
    answers: TeacherAnswers,
    samples: Sequence[Sample],
    faces: Sequence[Face],
    temperature: float,
) -> NDArray[np.float32]:
    rows = [
        tempered(answers.probabilities(teacher, data, samples, faces), temperature)
        for teacher in teachers
    ]
    return np.mean(rows, axis=0)


def _mixed(
    sample: Sample, said: NDArray[np.float32], spec: DistillationSpec, labels: int
) -> tuple[float, ...]:
    own = sample.target if spec.soft_labels else one_hot(sample.label, labels)
    mixed = spec.share * said + (1 - spec.share) * np.array(own)
    return tuple(map(float, mixed))
