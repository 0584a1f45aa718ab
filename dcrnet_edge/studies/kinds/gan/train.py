"""A generator of a data set's rare labels."""

from __future__ import annotations

import csv
import functools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.datasets.registry import names as dataset_names
from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_runtime.cli.console import note
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dcrnet_edge.datasets.sample import FaceDataset, Sample
    from dcrnet_edge.evaluation.rows import Rows
    from dcrnet_edge.studies.generating.adversarial import CurvePoint, GanRecipe
    from dcrnet_edge.studies.generating.generator_file import GeneratorCard
    from dcrnet_edge.studies.generating.networks import GeneratorConfig

GENERATOR_NAME = "generator.safetensors"
_UNIT = "training"


@dataclass(frozen=True, slots=True)
class GanTrainOptions:
    """What a generator learns, and for how long."""

    data: Annotated[Path, typer.Option(help="The data set's folder.")]
    dataset: Annotated[str, typer.Option(help=f"Layout: {', '.join(dataset_names())}.")] = (
        "ferplus"
    )
    label: Annotated[
        list[str] | None,
        typer.Option(
            help="A rare label to generate; repeatable; default: those of which Train has less"
            " than half as many images as the mean label."
        ),
    ] = None
    images: Annotated[
        int,
        typer.Option(min=0, help="Train images of each label at most, drawn by the seed; 0: all."),
    ] = 1500
    epochs: Annotated[int, typer.Option(min=1)] = 30
    batch_size: Annotated[int, typer.Option(min=2)] = 32
    learning_rate: Annotated[
        float, typer.Option(min=1e-6, max=0.1, help="Of the generator; the discriminator has two.")
    ] = 2e-4
    width: Annotated[
        int, typer.Option(min=4, max=256, help="Channels at 24 px; time grows with its square.")
    ] = 32
    seed: Annotated[int, typer.Option(min=0)] = 0
    checkpoint_minutes: Annotated[float, typer.Option(min=0, help="Between resume points.")] = 2.0

    def recipe(self) -> GanRecipe:
        """How it is trained."""
        from dcrnet_edge.studies.generating.adversarial import GanRecipe

        return GanRecipe(
            self.epochs,
            self.batch_size,
            self.learning_rate,
            2 * self.learning_rate,
            seed=self.seed,
        )


class GanTraining:
    """One unit, which goes on from its own resume point."""

    summary = "Can a small network draw faces of the labels that are rare?"
    groups = (GanTrainOptions,)

    def plan(self, own: GanTrainOptions) -> Plan:
        """Read the data and choose what is learned from."""
        from dcrnet_edge.studies.generating.networks import GeneratorConfig
        from dcrnet_edge.studies.generating.pictures import chosen_samples, rare_labels

        dataset = read_whole(own.dataset, own.data)
        rare = rare_labels(dataset, own.label or ())
        samples = chosen_samples(dataset, own.images, own.seed)
        if len(samples) < own.batch_size:
            raise DcrnetError(
                f"{len(samples)} images do not fill one batch of {own.batch_size}: give a smaller"
                " `batch_size`"
            )
        config, recipe = GeneratorConfig(dataset.labels, own.width), own.recipe()
        settings = {
            **{"dataset": dataset.name, "protocol": dataset.protocol},
            "data_sha256": dataset.digest,
            "rare": list(rare),
            "images": images_by_label(dataset.labels, samples),
            "per_label": own.images,
            "width": config.width,
            "recipe": asdict(recipe),
        }
        train = functools.partial(
            _train, config, recipe, samples, settings, own.checkpoint_minutes
        )
        return Plan(settings, [Unit(_UNIT, train)])

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """How the losses went."""
        curve = _read_curve(answers[_UNIT])
        last = curve[-1]
        counts = settings["images"]
        rare = ", ".join(f"{name} ({counts[name]})" for name in settings["rare"])
        return Findings(
            title="Can a small network draw faces of the labels that are rare?",
            claim="GAN-based augmentation is one of its means against imbalance (introduction); it"
            " tells neither the network nor how it was trained.",
            verdict=[
                f"{last.step} steps on {sum(counts.values())} pictures of 48 px; the labels that"
                f" are wanted: {rare}.",
                f"At the end the discriminator's hinge loss is {last.discriminator:.2f}: 2 is"
                " guessing, 0 is telling every picture. Losses do not tell how good the faces are:"
                " dcrnet-study gan sample does.",
            ],
            tables=[Table("Pictures learned from", _rows(settings))],
            charts=[_chart(curve)],
            facts={"losses": [asdict(point) for point in curve]},
        )


def read_whole(name: str, root: Path) -> FaceDataset:
    """A data set by its usual split, without its faces."""
    from dcrnet_edge.datasets.reading import read_dataset
    from dcrnet_edge.datasets.sample import Split

    note(f"Reading {root}.")
    return read_dataset(name, root, needed=(Split.TRAIN,))


def images_by_label(labels: Sequence[str], samples: Sequence[Sample]) -> dict[str, int]:
    """How many samples each label has."""
    from dcrnet_edge.datasets.sample import class_counts

    return dict(zip(labels, class_counts(samples, len(labels)).tolist(), strict=True))


def _train(
    config: GeneratorConfig,
    recipe: GanRecipe,
    samples: Sequence[Sample],
    settings: Mapping[str, Any],
    minutes: float,
    path: Path,
) -> None:
    from dcrnet_edge.studies.generating.adversarial import AdversarialTraining
    from dcrnet_edge.studies.generating.generator_file import save_generator
    from dcrnet_edge.studies.generating.pictures import pictures_of
    from dcrnet_runtime.cli.progress import progress_bar

    folder = path.parents[1]
    state = folder / "resume.pt"
    training = AdversarialTraining(config, recipe, pictures_of(samples), state)
    generator = training.train(minutes, progress_bar("Training the generator"), note)
    save_generator(folder / GENERATOR_NAME, generator, _card(settings))
    _save_curve(path, training.curve)
    state.unlink()
    note(f"Wrote {folder / GENERATOR_NAME}.")


def _card(settings: Mapping[str, Any]) -> GeneratorCard:
    from datetime import UTC, datetime

    from dcrnet_edge.cli.command_line import command_line
    from dcrnet_edge.datasets.registry import adapter
    from dcrnet_edge.studies.generating.generator_file import GeneratorCard
    from dcrnet_edge.training.hardware import machine

    return GeneratorCard(
        rare=tuple(settings["rare"]),
        dataset=settings["dataset"],
        data_sha256=settings["data_sha256"],
        protocol=settings["protocol"],
        images=settings["images"],
        per_label=settings["per_label"],
        recipe=settings["recipe"],
        license=adapter(settings["dataset"]).license,
        origin={
            "command": command_line(["dcrnet-study", *sys.argv[1:]]),
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine(),
            "versions": {name: metadata.version(name) for name in ("dcrnet-edge", "torch")},
        },
    )


_COLUMNS = ("step", "discriminator", "generator")


def _save_curve(path: Path, curve: Sequence[CurvePoint]) -> None:
    from dcrnet_runtime.outfile import written_beside

    with written_beside(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows((p.step, f"{p.discriminator:.6f}", f"{p.generator:.6f}") for p in curve)


def _read_curve(path: Path) -> list[CurvePoint]:
    from dcrnet_edge.studies.generating.adversarial import CurvePoint

    with path.open(newline="") as file:
        return [
            CurvePoint(int(row["step"]), float(row["discriminator"]), float(row["generator"]))
            for row in csv.DictReader(file)
        ]


def _rows(settings: Mapping[str, Any]) -> Rows:
    rows = [["label", "pictures", "generated"]]
    for name, count in settings["images"].items():
        rows.append([name, str(count), "yes" if name in settings["rare"] else ""])
    return rows


def _chart(curve: Sequence[CurvePoint]) -> Chart:
    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        steps = [point.step for point in curve]
        axis.plot(steps, [point.discriminator for point in curve], label="discriminator")
        axis.plot(steps, [point.generator for point in curve], label="generator")
        axis.set_xlabel("step")
        axis.set_ylabel("hinge loss")
        axis.grid(alpha=0.3)
        axis.legend()

    return Chart("Losses of generator and discriminator over the steps.", draw, (6.0, 3.0))


GAN_TRAINING = GanTraining()
"""``dcrnet-study gan train``."""
