"""The paper's ablation (table 8), trained anew: every row by several seeds."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
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
from dcrnet_edge.cli.train_options import InitializationOptions
from dcrnet_edge.datasets.registry import names as dataset_names
from dcrnet_edge.studies.ablating.variants import BASE_LOSS, CONFUSED, VARIANTS, Variant
from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.evaluation.bootstrap import Interval
    from dcrnet_edge.evaluation.predictions import Predictions
    from dcrnet_edge.evaluation.rows import Rows
    from dcrnet_edge.studies.ablating.over_seeds import SeededDifference
    from dcrnet_edge.training.initialization import Initialization
    from dcrnet_edge.training.run_config import RunConfig

_JOINT = "--seed-"


@dataclass(frozen=True, slots=True)
class AblationOptions:
    """What is trained, on what."""

    data: Annotated[Path, typer.Option(help="The data set's folder.")]
    dataset: Annotated[str, typer.Option(help=f"Layout: {', '.join(dataset_names())}.")] = (
        "ferplus"
    )
    row: Annotated[
        list[str] | None,
        typer.Option(help=f"Of {', '.join(Variant)}; repeatable; default: all."),
    ] = None
    size: Annotated[int, typer.Option(help="Input side in px: 64, 128, 192 or 224.")] = 64
    train_images: Annotated[
        int,
        typer.Option(
            min=0, help="A sample of so many Train images, and of Valid's in proportion; 0: all."
        ),
    ] = 6000
    epochs: Annotated[int, typer.Option(min=1)] = 8
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each row.")] = 3
    batch_size: Annotated[int | None, typer.Option(min=2)] = None
    bf16: Annotated[
        bool,
        typer.Option("--bf16", help="Train all rows in bf16; faster where a processor has AMX."),
    ] = False
    landmarks: LandmarksOption = None
    landmarks_cache: LandmarksCacheOption = None
    workers: FaceWorkersOption = 0

    def variants(self) -> list[Variant]:
        """The rows asked for, in the table's order.

        Raises:
            DcrnetError: there is none of a name.
        """
        if unknown := [name for name in self.row or () if name not in tuple(Variant)]:
            raise DcrnetError(f"`row` {unknown[0]} is unknown: choose {', '.join(Variant)}")
        return [each for each in Variant if not self.row or each in self.row]

    def config(self, variant: Variant, seed: int) -> RunConfig:
        """How a row is trained: the data set's preset with one plain loss, then its changes."""
        from dcrnet_edge.datasets.registry import adapter
        from dcrnet_edge.presets import preset
        from dcrnet_edge.training.recipe import ComputePrecision
        from dcrnet_edge.training.run_config import RunConfig

        recipe: dict[str, Any] = {"epochs": self.epochs, "seed": seed}
        if self.batch_size is not None:
            recipe["batch_size"] = self.batch_size
        if self.bf16:
            recipe["precision"] = ComputePrecision.BF16.value
        return RunConfig.of(
            preset(adapter(self.dataset).preset),
            BASE_LOSS,
            {"dataset": self.dataset, "preprocess": {"size_px": self.size}, "recipe": recipe},
            VARIANTS[variant].settings,
        )


class Ablation:
    """Each training (row by seed) is a unit, itself gone on with in a run folder of its own."""

    summary = "What does each part of the network, its input and its loss add?"
    groups = (AblationOptions, InitializationOptions)

    def plan(self, own: AblationOptions, first: InitializationOptions) -> Plan:
        """Seed by seed, so that every row is there once as early as can be."""
        from dcrnet_edge.datasets.sample import Split

        if first.start_from is not None:
            raise DcrnetError(
                "rows of an ablation are different networks, which no checkpoint fits:"
                " leave `start_from` out"
            )
        variants, initialization = own.variants(), first.initialization()
        configs = {v: own.config(v, 0) for v in variants}
        data = _data(own, configs[variants[0]])
        settings = {
            **{"dataset": own.dataset, "protocol": data.dataset.protocol},
            "data_sha256": data.dataset.digest,
            "landmarks_sha256": data.landmarks_sha256,
            **{"size_px": own.size, "train_images": own.train_images, "seeds": own.seeds},
            "valid_images": len(data.samples(Split.VALID)),
            "start": initialization.provenance(),
            "rows": {
                v.value: {**_costs(c, data.dataset.labels), "settings": c.to_values()}
                for v, c in configs.items()
            },
        }
        units = [
            Unit(
                f"{variant}{_JOINT}{seed}",
                functools.partial(
                    _train, own.config(variant, seed), data, initialization, own.data
                ),
            )
            for seed in range(own.seeds)
            for variant in variants
        ]
        return Plan(settings, units)

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """Accuracies over seeds, and each row against the one before it."""
        from dcrnet_edge.evaluation.predictions import read_predictions
        from dcrnet_edge.studies.ablating.over_seeds import mean_over_seeds, seeded_difference

        seeds = range(settings["seeds"])
        found = {
            Variant(row): [read_predictions(answers[f"{row}{_JOINT}{seed}"]) for seed in seeds]
            for row in settings["rows"]
        }
        means = {
            v: _share(*mean_over_seeds([float(p.correct.mean()) for p in each]))
            for v, each in found.items()
        }
        differences = {
            v: seeded_difference(found[v], found[before])
            for v in found
            if (before := VARIANTS[v].compared_with) in found and before is not None
        }
        return Findings(
            title="What does each part add?",
            claim="on AffectNet-7 each part adds 0.2 to 0.6 points, all significant (table 8). It"
            " gives the full network two figures: 65.40 % in the row of the residual connections,"
            " which complete it, and 65.80 % in the row named full, though both are the same"
            " parts: the steps of the text (0.59, 0.50, 0.19) add up to 65.40 %.",
            verdict=_verdict(settings, means, differences),
            tables=[
                Table("Rows", _rows(settings, found, means)),
                Table("Each row against another", _differences(differences)),
                Table("Confusions that the paper names", _confusions(found)),
            ],
            charts=[_chart(means)],
            facts={
                "accuracy": {
                    v.value: {
                        "mean": mean,
                        "interval": None if interval is None else list(interval),
                        "by_seed": [float(p.correct.mean()) for p in found[v]],
                        "paper": list(VARIANTS[v].paper),
                    }
                    for v, (mean, interval) in means.items()
                },
                "differences": {v.value: each.to_json() for v, each in differences.items()},
            },
        )


def _data(own: AblationOptions, config: RunConfig) -> FaceData:
    import numpy as np

    from dcrnet_edge.datasets.sample import Split

    data = open_data(
        own.dataset,
        own.data,
        config.split,
        own.landmarks,
        own.workers,
        landmarks_cache=own.landmarks_cache,
    )
    images = len(data.samples(Split.TRAIN))
    if 0 < own.train_images < images:
        share = own.train_images / images
        rng = np.random.default_rng(0)
        data = _some(_some(data, Split.TRAIN, share, rng), Split.VALID, share, rng)
    data.class_counts()  # refuses labels without images
    return data


def _some(data: FaceData, split: Split, share: float, rng: np.random.Generator) -> FaceData:
    samples, faces = data.samples(split), data.faces(split)
    chosen = sorted(rng.permutation(len(samples))[: max(1, round(share * len(samples)))])
    return data.with_samples([samples[i] for i in chosen], [faces[i] for i in chosen], split)


def _costs(config: RunConfig, labels: tuple[str, ...]) -> dict[str, int]:
    """Parameters, and multiply-accumulates of convolutions and linear layers for one face."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from dcrnet_edge.models import registry

    network = registry.architecture(config.architecture).build(config.network_config(labels))
    side = config.preprocess.size_px
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 3, side, side))
    parameters = sum(each.numel() for each in network.parameters())
    return {"parameters": parameters, "macs": counter.get_total_flops() // 2}


def _train(
    config: RunConfig, data: FaceData, initialization: Initialization, root: Path, path: Path
) -> None:
    from dcrnet_edge.studies.ablating.unit import train_and_answer

    train_and_answer(config, data, initialization, root, path)


def _verdict(
    settings: Mapping[str, Any],
    means: Mapping[Variant, tuple[float, Interval | None]],
    differences: Mapping[Variant, SeededDifference],
) -> list[str]:
    count, images = settings["seeds"], settings["train_images"] or "all"
    epochs = next(iter(settings["rows"].values()))["settings"]["recipe"]["epochs"]
    told = [
        f"{settings['dataset']}, {settings['size_px']} px, {images} Train images, {epochs}"
        f" epoch{'s' * (epochs != 1)}, {count} seed{'s' * (count != 1)} a row: not the paper's"
        " data set nor its scale. After so few steps a row that learns more slowly is behind,"
        " whatever it would reach in the end."
    ]
    for variant, found in differences.items():
        spec = VARIANTS[variant]
        assert spec.compared_with is not None
        before = VARIANTS[spec.compared_with]
        text = f"{spec.title}: {_told(found)}"
        if spec.paper and before.paper:
            claimed = spec.paper[0] - before.paper[0]
            agrees = _agreement(found, claimed)
            text += f" The paper has {100 * claimed:+.2f}: {agrees}."
        told.append(text)
    return told


def _share(mean: float, interval: Interval | None) -> tuple[float, Interval | None]:
    """Student's interval knows of no bounds; that of a share ends at 0 and 1."""
    return mean, None if interval is None else (max(0.0, interval[0]), min(1.0, interval[1]))


def _told(found: SeededDifference) -> str:
    if math.isnan(found.smallest):
        return "the same answers to every image."
    by = "" if found.interval is None else f" ({_points(found.interval, '+')})"
    return (
        f"{100 * found.difference:+.2f} points{by}; a true difference below"
        f" {100 * found.smallest:.2f} is missed more often than one time in five."
    )


def _agreement(found: SeededDifference, claimed: float) -> str:
    if found.interval is None:
        return "one seed cannot tell"
    if math.isnan(found.smallest):
        return "rows that answer alike cannot tell"
    low, high = found.interval
    if not low <= claimed <= high:
        return "this disagrees with it"
    return "this agrees with it" if low > 0 else "this neither shows nor excludes it"


def _rows(
    settings: Mapping[str, Any],
    found: Mapping[Variant, Sequence[Predictions]],
    means: Mapping[Variant, tuple[float, Interval | None]],
) -> Rows:
    rows = [["row", "accuracy", "95 % over seeds", "by seed", "paper", "parameters", "M MACs"]]
    for variant, (mean, interval) in means.items():
        costs = settings["rows"][variant.value]
        rows.append(
            [
                *(VARIANTS[variant].title, f"{100 * mean:.2f} %", _points(interval)),
                ", ".join(f"{100 * each.correct.mean():.2f}" for each in found[variant]),
                " or ".join(f"{100 * each:.2f} %" for each in VARIANTS[variant].paper),
                *(f"{costs['parameters']:,}", f"{costs['macs'] / 1e6:,.1f}"),
            ]
        )
    return rows


def _points(interval: Interval | None, sign: str = "") -> str:
    if interval is None:
        return "one seed"
    return " to ".join(f"{100 * bound:{sign}.2f}" for bound in interval)


def _differences(differences: Mapping[Variant, SeededDifference]) -> Rows:
    rows = [
        [
            *("row", "against", "difference", "95 % interval", "McNemar p (exact) by seed"),
            "smallest that is found four times in five",
        ]
    ]
    for variant, found in differences.items():
        before = VARIANTS[variant].compared_with
        assert before is not None
        rows.append(
            [
                *(VARIANTS[variant].title, VARIANTS[before].title),
                *(f"{100 * found.difference:+.2f} points", _points(found.interval, "+")),
                ", ".join(f"{p:.3g}" for p in found.p_values),
                "" if math.isnan(found.smallest) else f"{100 * found.smallest:.2f} points",
            ]
        )
    return rows


def _confusions(found: Mapping[Variant, Sequence[Predictions]]) -> Rows:
    """Of the images of both labels, the share that is taken for the other one; mean of seeds."""
    known = next(iter(found.values()))[0].labels
    pairs = [pair for pair in CONFUSED if set(pair) <= set(known)]
    rows = [["row", *(f"{one} and {other}" for one, other in pairs)]]
    for variant, answers in found.items():
        cells = []
        for pair in pairs:
            one, other = (known.index(label) for label in pair)
            swapped = [
                ((a.truth == one) & (a.predicted == other)).sum()
                + ((a.truth == other) & (a.predicted == one)).sum()
                for a in answers
            ]
            images = ((answers[0].truth == one) | (answers[0].truth == other)).sum()
            share = 100 * sum(swapped) / (len(answers) * images) if images else 0.0
            cells.append(f"{share:.1f} % of {images}")
        rows.append([VARIANTS[variant].title, *cells])
    return rows


def _chart(means: Mapping[Variant, tuple[float, Interval | None]]) -> Chart:
    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        for place, (variant, (mean, interval)) in enumerate(means.items()):
            low, high = interval or (mean, mean)
            axis.errorbar(
                100 * mean,
                place,
                xerr=[[100 * (mean - low)], [100 * (high - mean)]],
                fmt="o",
                capsize=3,
                color="#1f77b4",
            )
            for share in VARIANTS[variant].paper:
                axis.plot(100 * share, place, "x", color="#d62728")
        axis.set_yticks(range(len(means)), [variant.value for variant in means])
        axis.invert_yaxis()
        axis.set_xlabel("accuracy, %")
        axis.grid(alpha=0.3)

    caption = (
        "Mean accuracy of each row with its 95 % interval over seeds; crosses: the paper's on"
        " AffectNet-7."
    )
    return Chart(caption, draw, (6.0, 1.2 + 0.35 * len(means)))


ABLATION = Ablation()
