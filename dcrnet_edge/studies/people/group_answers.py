"""A model's answers with what is known of who is shown, and the CSV file that keeps them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from dcrnet_edge.evaluation.model_refs import Images, ModelRef
from dcrnet_runtime.outfile import written_beside

_ATTRIBUTE = "is_"


def people_of(
    images: Images, by_image: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Attributes by the name of the image, as :class:`Predictions` has it.

    Args:
        images: whose data set says some.
        by_image: more of them, or others in their place.
    """
    found = {}
    for sample in images.data.samples(images.split):
        name = str(sample.name).removeprefix(f"{images.root}/")
        found[name] = {**dict(sample.groups), **by_image.get(name, {})}
    return found


def write_group_answers(
    ref: ModelRef,
    images: Images,
    people: Mapping[str, Mapping[str, str]],
    names: Sequence[str],
    has_labels: bool,
    path: Path,
) -> None:
    """Ask a model, and write one row an image that it answers.

    Args:
        ref: the model.
        images: what it is asked about; those of labels that it does not know are left out.
        people: see :func:`people_of`.
        names: of the attributes that are written, empty where they are not known.
        has_labels: whether the images' labels are written.
        path: of the CSV file.

    Raises:
        DcrnetError: see :meth:`ModelRef.answers`.
    """
    found = ref.answers(images)
    header = ["image", "subject", *(f"{_ATTRIBUTE}{name}" for name in names)]
    header += ["aligned", "label", "predicted", *(f"p_{label}" for label in found.labels)]
    with written_beside(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for i, image in enumerate(found.images):
            writer.writerow(
                [
                    *(image, found.subjects[i]),
                    *(people[image].get(name, "") for name in names),
                    int(found.aligned[i]),
                    found.labels[found.truth[i]] if has_labels else "",
                    found.labels[found.predicted[i]],
                    *(f"{p:.4f}" for p in found.probabilities[i]),
                ]
            )


def read_group_answers(path: Path) -> list[dict[str, str]]:
    """What :func:`write_group_answers` wrote; files of before have no ``subject``."""
    with path.open(newline="") as file:
        return [
            {name.removeprefix(_ATTRIBUTE): value for name, value in row.items()}
            for row in csv.DictReader(file)
        ]
