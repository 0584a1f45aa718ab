"""What generated faces of rare labels are worth to a student."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.cli.train_options import InitializationOptions
from dcrnet_edge.models.registry import names as network_names
from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_edge.studies.kinds.gan.options import GeneratorOptions, OpenedGenerator
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_runtime.cli.console import note
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_edge.evaluation.predictions import Predictions
    from dcrnet_edge.evaluation.rows import Rows
    from dcrnet_edge.studies.rare_labels.arms import Arm, Effect, Recall
    from dcrnet_edge.training.initialization import Initialization
    from dcrnet_edge.training.run_config import RunConfig

_GENERATED = "generated-faces"
_JOINT = "--seed-"
_STUDENT: dict[str, Any] = {
    "range_sizes": [],
    "recipe": {
        **{"progressive": [], "mixed_sizes": [], "learning_rate": 1e-3, "weight_decay": 0.05},
        **{"schedule": "one-cycle", "early_stop_patience": 0, "keep": "last"},
        **{"class_weights": False, "oversampling_power": 0.0, "soft_labels": False},
        **{"auxiliary_weight": 0.0, "dropout_scale": 1.0, "min_bn_gamma": 0.0, "ema_decay": 0.99},
    },
}
"""One label a face in every arm, since a generated one has no votes."""


@dataclass(frozen=True, slots=True)
class GanEffectOptions:
    """The students."""

    network: Annotated[str, typer.Option(help=f"{', '.join(network_names())}.")] = (
        "tf_efficientnet_lite0"
    )
    size: Annotated[int, typer.Option(help="Input side in px.")] = 64
    train_images: Annotated[
        int,
        typer.Option(
            min=0,
            help="Train images: all of the drawn labels, and a sample of the others; 0: all.",
        ),
    ] = 6000
    faces: Annotated[
        int, typer.Option(min=1, help="Generated faces of each label, or repeats as many.")
    ] = 1000
    epochs: Annotated[int, typer.Option(min=1)] = 8
    batch_size: Annotated[int, typer.Option(min=2)] = 32
    seeds: Annotated[int, typer.Option(min=1, help="Students of each kind.")] = 1

    def config(self, dataset: str, arm: Arm, seed: int) -> RunConfig:
        """How a student is trained."""
        from dcrnet_edge.datasets.registry import adapter
        from dcrnet_edge.presets import preset
        from dcrnet_edge.studies.rare_labels.arms import Arm
        from dcrnet_edge.training.run_config import RunConfig

        own = {"epochs": self.epochs, "batch_size": self.batch_size, "seed": seed}
        return RunConfig.of(
            preset(adapter(dataset).preset),
            _STUDENT,
            {
                **{"dataset": dataset, "architecture": self.network, "network": {}},
                "preprocess": {"size_px": self.size},
                "recipe": {**own, "class_weights": arm is Arm.WEIGHTS},
            },
        )


class GanEffect:
    """Four students a seed; each is a unit, itself gone on with in a run folder of its own."""

    summary = "What do generated faces add to the recall of rare labels?"
    groups = (GeneratorOptions, GanEffectOptions, InitializationOptions)

    def plan(
        self, asked: GeneratorOptions, own: GanEffectOptions, first: InitializationOptions
    ) -> Plan:
        """Say what Test can show at all, then faces, then students seed by seed."""
        from dcrnet_edge.datasets.sample import Split
        from dcrnet_edge.studies.rare_labels.arms import Arm

        initialization = first.initialization()
        for arm in Arm:  # refuses a network, a size or a recipe that cannot be
            own.config("ferplus", arm, 0)
        opened = asked.open({Split.TRAIN: 1, Split.TEST: 1})
        data = _students_data(opened, own.train_images)
        counts = _counts(data, Split.TEST, opened.labels)
        for label, count in counts.items():
            note(_possible(label, count, len(opened.labels), own.seeds))
        settings = {
            **opened.settings(),
            **{"network": own.network, "size_px": own.size, "train_images": own.train_images},
            **{"faces": own.faces, "epochs": own.epochs, "batch_size": own.batch_size},
            "seeds": own.seeds,
            "start": initialization.provenance(),
            "train": _counts(data, Split.TRAIN, data.dataset.labels),
            "test": counts,
        }
        units = [Unit(_GENERATED, functools.partial(_draw, opened, own.faces))]
        for seed in range(own.seeds):
            for arm in Arm:
                config = own.config(opened.card.dataset, arm, seed)
                train = functools.partial(
                    _train, arm, config, opened, data, initialization, asked.data
                )
                after = (_GENERATED,) if arm in (Arm.GENERATED, Arm.OVERSAMPLING) else ()
                units.append(Unit(f"{arm}{_JOINT}{seed}", train, after))
        return Plan(settings, units)

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """Recall of each rare label by each arm, and generated faces against the others."""
        from dcrnet_edge.evaluation.predictions import read_predictions
        from dcrnet_edge.studies.rare_labels.arms import Arm, effects, recall_of

        labels = settings["labels"]
        found = {
            arm: [
                read_predictions(answers[f"{arm}{_JOINT}{seed}"])
                for seed in range(settings["seeds"])
            ]
            for arm in Arm
        }
        recalls = {
            label: {arm: recall_of(each, label) for arm, each in found.items()} for label in labels
        }
        differences = effects(found, labels)
        return Findings(
            title="What do generated faces add to the recall of rare labels?",
            claim="class weights, oversampling and GAN-based augmentation together make up for the"
            " imbalance (introduction); what each of them alone brings it does not tell.",
            verdict=_verdict(settings, differences),
            tables=[
                Table("Recall of the rare labels", _recall_rows(recalls, settings)),
                Table("Generated faces against the others", _effect_rows(differences)),
                Table("All labels", _whole_rows(found)),
            ],
            charts=[_chart(recalls)],
            facts={
                "recall": {
                    label: {arm.value: asdict(each) for arm, each in by_arm.items()}
                    for label, by_arm in recalls.items()
                },
                "effects": [
                    {
                        **{"label": each.label, "against": each.against.value},
                        **{"images": each.images, "p_holm": list(each.p_holm)},
                        **each.difference.to_json(),
                        "smallest_detectable": each.smallest,
                    }
                    for each in differences
                ],
                "accuracy": {
                    arm.value: [float(p.correct.mean()) for p in each]
                    for arm, each in found.items()
                },
            },
        )


def _students_data(opened: OpenedGenerator, most: int) -> FaceData:
    """All Train images of the drawn labels, which the generator knows, and some of the others."""
    import numpy as np

    from dcrnet_edge.datasets.sample import Split

    data = opened.data
    names, samples = data.dataset.labels, data.samples(Split.TRAIN)
    drawn = {names.index(label) for label in opened.labels}
    rare = [i for i, sample in enumerate(samples) if sample.label in drawn]
    others = [i for i, sample in enumerate(samples) if sample.label not in drawn]
    if most == 0 or most >= len(samples):
        return data
    if most <= len(rare):
        raise DcrnetError(
            f"the drawn labels alone have {len(rare)} Train images: give more `train_images`"
        )
    some = np.random.default_rng(0).permutation(others)[: most - len(rare)]
    chosen = sorted([*rare, *map(int, some)])
    faces = data.faces(Split.TRAIN)
    found = data.with_samples([samples[i] for i in chosen], [faces[i] for i in chosen])
    found.class_counts()  # refuses labels without images
    return found


def _counts(data: FaceData, split: Any, labels: Sequence[str]) -> dict[str, int]:
    from dcrnet_edge.datasets.sample import class_counts

    names = data.dataset.labels
    counts = class_counts(data.samples(split), len(names))
    return {label: int(counts[names.index(label)]) for label in labels}


def _possible(label: str, images: int, labels: int, seeds: int) -> str:
    """What a test of so few faces can show at best, before anything is trained."""
    from dcrnet_edge.studies.rare_labels.arms import COMPARED, LEVEL
    from dcrnet_edge.studies.rare_labels.power import smallest_shown

    gain = smallest_shown(images, 0.0, LEVEL / (labels * len(COMPARED)), seeds)
    if math.isnan(gain):
        return f"Test has {images} images of {label}: too few to show any gain in its recall."
    return (
        f"Test has {images} images of {label}: a gain of its recall below {100 * gain:.0f} points"
        " is missed more often than one time in five, even if no face is lost."
    )


def _draw(opened: OpenedGenerator, count: int, path: Path) -> None:
    from dcrnet_edge.studies.generating.drawing import draw_faces

    draw_faces(opened.path, opened.labels, count, 0, path)


def _train(
    arm: Arm,
    config: RunConfig,
    opened: OpenedGenerator,
    data: FaceData,
    initialization: Initialization,
    root: Path,
    path: Path,
) -> None:
    from dcrnet_edge.studies.ablating.unit import train_and_answer

    own = _with_rare(arm, opened, data, path)
    train_and_answer(config, own, initialization, root, path)


def _with_rare(arm: Arm, opened: OpenedGenerator, data: FaceData, path: Path) -> FaceData:
    """Train with as many rare faces more as were drawn: drawn ones, or real ones again."""
    from itertools import cycle, islice

    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.studies.generating.picture_file import as_samples, read_pictures
    from dcrnet_edge.studies.rare_labels.arms import Arm

    names = data.dataset.labels
    samples, faces = data.samples(Split.TRAIN), data.faces(Split.TRAIN)
    drawn = path.parent / f"{_GENERATED}.csv"
    match arm:
        case Arm.GENERATED:
            more = as_samples(read_pictures(drawn), path.parents[1] / _GENERATED, names)
            return data.with_samples([*samples, *more], [*faces, *data.find(more)])
        case Arm.OVERSAMPLING:
            again: list[int] = []
            pictures = read_pictures(drawn)
            for label in opened.labels:
                count = sum(picture.label == label for picture in pictures)
                own = [i for i, s in enumerate(samples) if s.label == names.index(label)]
                again += islice(cycle(own), count)
            chosen = [*range(len(samples)), *again]
            return data.with_samples([samples[i] for i in chosen], [faces[i] for i in chosen])
        case _:
            return data


def _verdict(settings: Mapping[str, Any], differences: Sequence[Effect]) -> list[str]:
    shown = [each for each in differences if each.is_shown]
    count, images = settings["seeds"], sum(settings["train"].values())
    told = [
        f"{settings['dataset']}, {settings['network']} at {settings['size_px']} px, {images} Train"
        f" images, {settings['epochs']} epochs, {count} seed{'s' * (count != 1)}; "
        f"{settings['faces']} faces more of each of {', '.join(settings['labels'])}: generated"
        " ones, or for oversampling the real ones again. Both take more steps than the others.",
        f"Of {len(differences)} comparisons {len(shown)} differ at the 5 % level after Holm's"
        " correction"
        + ("." if shown else ": that generated faces help or harm is not shown by this."),
    ]
    for each in differences:
        least = (
            "no gain is shown four times in five"
            if math.isnan(each.smallest)
            else f"a gain below {100 * each.smallest:.0f} points is missed more often than one"
            " time in five"
        )
        told.append(
            f"{each.label}, against {each.against}:"
            f" {100 * each.difference.difference:+.1f} points of recall"
            f"{', shown' if each.is_shown else ', not shown'}; with {each.images} faces in Test"
            f" {least}."
        )
    return told


def _recall_rows(recalls: Mapping[str, Mapping[Arm, Recall]], settings: Mapping[str, Any]) -> Rows:
    rows = [["label", "Train", "Test", "student", "recall", "95 % interval", "precision"]]
    for label, by_arm in recalls.items():
        for arm, each in by_arm.items():
            low, high = (100 * bound for bound in each.interval)
            precision = each.precision
            rows.append(
                [
                    *(label, str(settings["train"][label]), str(settings["test"][label])),
                    *(arm.value, f"{100 * each.mean:.1f} %", f"{low:.1f} to {high:.1f}"),
                    "never answered" if math.isnan(precision) else f"{100 * precision:.1f} %",
                ]
            )
    return rows


def _effect_rows(differences: Sequence[Effect]) -> Rows:
    rows = [
        [
            *("label", "against", "difference of recall", "95 % interval"),
            *(
                "McNemar p (exact) by seed",
                "p after Holm",
                "smallest gain found four times in five",
            ),
        ]
    ]
    for each in differences:
        found = each.difference
        interval = (
            "one seed"
            if found.interval is None
            else " to ".join(f"{100 * bound:+.1f}" for bound in found.interval)
        )
        rows.append(
            [
                *(each.label, each.against.value, f"{100 * found.difference:+.1f} points"),
                *(interval, ", ".join(f"{p:.3g}" for p in found.p_values)),
                ", ".join(f"{p:.3g}" for p in each.p_holm),
                "none" if math.isnan(each.smallest) else f"{100 * each.smallest:.0f} points",
            ]
        )
    return rows


def _whole_rows(found: Mapping[Arm, Sequence[Predictions]]) -> Rows:
    import numpy as np

    from dcrnet_edge.evaluation.metrics import compute_metrics

    rows = [["student", "accuracy", "mean recall of all labels"]]
    for arm, answers in found.items():
        metrics = [compute_metrics(each) for each in answers]
        rows.append(
            [
                arm.value,
                f"{100 * np.mean([each.accuracy for each in metrics]):.2f} %",
                f"{100 * np.mean([each.balanced_accuracy for each in metrics]):.2f} %",
            ]
        )
    return rows


def _chart(recalls: Mapping[str, Mapping[Arm, Recall]]) -> Chart:
    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        arms = list(next(iter(recalls.values())))
        width = 0.8 / len(arms)
        for number, arm in enumerate(arms):
            own = [by_arm[arm] for by_arm in recalls.values()]
            places = [place + (number - (len(arms) - 1) / 2) * width for place in range(len(own))]
            means = [100 * each.mean for each in own]
            below = [100 * (each.mean - each.interval[0]) for each in own]
            above = [100 * (each.interval[1] - each.mean) for each in own]
            axis.bar(places, means, width, yerr=[below, above], capsize=3, label=arm.value)
        axis.set_xticks(range(len(recalls)), list(recalls))
        axis.set_ylabel("recall, %")
        axis.set_ylim(0, 100)
        axis.legend(fontsize=8, ncols=len(arms), loc="lower center", bbox_to_anchor=(0.5, 1))

    caption = "Recall of each rare label by each student, with 95 % intervals over Test's images."
    return Chart(caption, draw, (7.0, 3.5))


GAN_EFFECT = GanEffect()
"""``dcrnet-study gan effect``."""
