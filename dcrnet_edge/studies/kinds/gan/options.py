"""Options that the studies of a trained generator share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.cli.face_data import (
    FaceWorkersOption,
    LandmarksCacheOption,
    LandmarksOption,
    open_data,
)
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_edge.datasets.sample import Sample, Split
    from dcrnet_edge.studies.generating.generator_file import GeneratorCard


@dataclass(frozen=True, slots=True)
class GeneratorOptions:
    """A generator, and the data that it was trained on."""

    generator: Annotated[
        Path,
        typer.Argument(metavar="GENERATOR", help="generator.safetensors of gan train."),
    ]
    data: Annotated[Path, typer.Option(help="The folder of the data that it was trained on.")]
    label: Annotated[
        list[str] | None,
        typer.Option(help="A label to draw; repeatable; default: all that it was made for."),
    ] = None
    landmarks: LandmarksOption = None
    landmarks_cache: LandmarksCacheOption = None
    workers: FaceWorkersOption = 0

    def open(self, least: dict[Split, int]) -> OpenedGenerator:
        """The generator's card and its data.

        Args:
            least: images of each drawn label that splits must have.

        Raises:
            DcrnetError: the file is no generator, the data are others, a label is not its own, or
                a split has too few images of one.
        """
        from hashlib import sha256

        from dcrnet_edge.datasets.sample import class_counts
        from dcrnet_edge.datasets.splits import SplitPlan
        from dcrnet_edge.studies.generating.generator_file import (
            check_data,
            labels_to_draw,
            load_generator,
        )

        card = load_generator(self.generator)[1]
        labels = labels_to_draw(card, tuple(self.label or ()))
        data = open_data(
            card.dataset,
            self.data,
            SplitPlan(),
            self.landmarks,
            self.workers,
            landmarks_cache=self.landmarks_cache,
        )
        dataset = data.dataset
        check_data(card, dataset.digest)
        for split, needed in least.items():
            counts = class_counts(data.samples(split), len(dataset.labels))
            for name in labels:
                if (has := counts[dataset.labels.index(name)]) < needed:
                    raise DcrnetError(
                        f"the {split} split has {has} images of {name}, and this needs {needed}:"
                        " name other labels with `label`"
                    )
        digest = sha256(self.generator.read_bytes()).hexdigest()
        return OpenedGenerator(self.generator, digest, card, labels, data, self.data)


@dataclass(frozen=True, slots=True)
class OpenedGenerator:
    """What :meth:`GeneratorOptions.open` has found.

    Attributes:
        path: of the generator's file.
        sha256: of that file.
        card: the generator's.
        labels: to draw.
        data: that it was trained on.
        root: folder of the data.
    """

    path: Path
    sha256: str
    card: GeneratorCard
    labels: tuple[str, ...]
    data: FaceData
    root: Path

    def name_of(self, sample: Sample) -> str:
        """A sample's name without the folders above the data."""
        return sample.name.removeprefix(f"{self.root}/")

    def settings(self) -> dict[str, Any]:
        """What answers depend on."""
        return {
            "generator_sha256": self.sha256,
            "generator_recipe": self.card.recipe,
            "dataset": self.card.dataset,
            "protocol": self.data.dataset.protocol,
            "data_sha256": self.data.dataset.digest,
            "landmarks_sha256": self.data.landmarks_sha256,
            "labels": list(self.labels),
        }
