"""What models lose by corrupted pictures, grade by grade, and by the head's pose."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_edge.studies.options import StudiedImages, StudiedModels
from dcrnet_edge.studies.pictures.families import SEVERITIES, STRENGTHS, Family
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_edge.studies.training_data import own_training
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dcrnet_edge.evaluation.bootstrap import Interval
    from dcrnet_edge.evaluation.comparison import Comparison
    from dcrnet_edge.evaluation.rows import Rows

CLAIMED_LOSS = 0.03
"""The paper's section 4.4: under occlusion, noise and brightness changes accuracy loses less."""

_POSE = "pose"


@dataclass(frozen=True, slots=True)
class RobustnessOptions:
    """Which corruptions."""

    family: Annotated[
        list[str] | None,
        typer.Option(help=f"Of {', '.join(Family)}; repeatable; default: all."),
    ] = None

    def families(self) -> list[Family]:
        """The families asked for.

        Raises:
            DcrnetError: there is none of a name.
        """
        if unknown := [name for name in self.family or () if name not in tuple(Family)]:
            raise DcrnetError(f"`family` {unknown[0]} is unknown: choose {', '.join(Family)}")
        return [each for each in Family if not self.family or each in self.family]


class Robustness:
    """Every model on every grade of every kind; faces are found anew on each picture."""

    summary = "How much accuracy do occlusion, noise, light, blur and pose cost?"
    groups = (StudiedModels, StudiedImages, RobustnessOptions)

    def plan(self, models: StudiedModels, asked: StudiedImages, own: RobustnessOptions) -> Plan:
        """The pose of each clean face, then answers condition by condition."""
        from dcrnet_edge.studies.answering import answering_units, conditions
        from dcrnet_edge.studies.people.pose_file import write_pose

        families, refs = own.families(), models.refs()
        images = asked.open()
        settings = {
            **asked.settings(images, refs),
            "models": {name: ref.sha256 for name, ref in refs.items()},
            "strengths": {family.value: list(STRENGTHS[family]) for family in families},
        }
        answering = answering_units(refs, images, conditions(families, SEVERITIES))
        return Plan(settings, [Unit(_POSE, functools.partial(write_pose, images)), *answering])

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """Losses with intervals, and where they are below the paper's 3 points."""
        from dcrnet_edge.evaluation.comparison import compare
        from dcrnet_edge.evaluation.metrics import compute_metrics
        from dcrnet_edge.evaluation.report import summary_rows
        from dcrnet_edge.studies.answering import CLEAN, answers_of
        from dcrnet_edge.studies.pairs import compared, pair_rows
        from dcrnet_edge.studies.people.pose_file import pose_rows, read_pose
        from dcrnet_edge.studies.pictures.relative_losses import relative_loss

        found = {model: answers_of(answers, model) for model in settings["models"]}
        losses = {
            model: {
                name: compare(each, shown[CLEAN]) for name, each in shown.items() if name != CLEAN
            }
            for model, shown in found.items()
        }
        clean = {model: shown[CLEAN] for model, shown in found.items()}
        metrics = {model: compute_metrics(each) for model, each in clean.items()}
        families = [Family(name) for name in settings["strengths"]]
        poses = read_pose(answers[_POSE])
        pairs = compared(clean)
        relative = {
            (pair.first, pair.second): {
                family: relative_loss(
                    found[pair.first], found[pair.second], [f"{family}-{s}" for s in SEVERITIES]
                )
                for family in families
            }
            for pair in pairs
        }
        return Findings(
            title="How robust are the models?",
            claim="accuracy drops by less than 3 % under occlusion, noise and changes of"
            " brightness (section 4.4; strengths are not stated).",
            verdict=[
                *(_verdict(model, each, families) for model, each in losses.items()),
                *(_pair_verdict(*models, each) for models, each in relative.items()),
                *own_training(settings),
            ],
            tables=[
                Table("Clean pictures", summary_rows(metrics, {})),
                *(
                    Table(
                        f"Change of accuracy in points, {m}", _rows(losses[m], families, settings)
                    )
                    for m in losses
                ),
                *(Table(f"By the head's pose, {m}", pose_rows(clean[m], poses)) for m in clean),
                *([Table("Each pair on clean pictures", pair_rows(pairs))] if pairs else []),
                *([Table(_RELATIVE, _relative_rows(relative, families))] if pairs else []),
            ],
            charts=[_chart(model, each, families) for model, each in losses.items()],
            facts={
                "accuracy": {m: each.accuracy for m, each in metrics.items()},
                "accuracy_interval": {m: each.accuracy_interval for m, each in metrics.items()},
                "losses": {
                    model: {
                        name: {"difference": loss.difference, "interval": list(loss.interval)}
                        for name, loss in each.items()
                    }
                    for model, each in losses.items()
                },
                "pairs": [pair.to_json() for pair in pairs],
                "relative_losses": {
                    f"{first} - {second}": {
                        family.value: {"difference": value, "interval": list(interval)}
                        for family, (value, interval) in each.items()
                    }
                    for (first, second), each in relative.items()
                },
            },
        )


def _verdict(model: str, losses: Mapping[str, Comparison], families: Sequence[Family]) -> str:
    """Up to which grade a loss of less than 3 points is sure, kind by kind."""
    held = {
        family: [s for s in SEVERITIES if losses[f"{family}-{s}"].interval[0] > -CLAIMED_LOSS]
        for family in families
    }
    grades = ", ".join(f"{f} {_upto(severities)}" for f, severities in held.items())
    return (
        f"{model} surely loses less than 3 points up to these grades of 5 (0: not even by the"
        f" first): {grades}."
    )


_RELATIVE = (
    "What the first loses less than the second, in points over all five grades, each from its own"
    " clean pictures"
)
Relative = Mapping[Family, "tuple[float, Interval]"]


def _pair_verdict(first: str, second: str, relative: Relative) -> str:
    """Of which kinds one of two models surely loses less than the other."""
    better = [family for family, (_, (low, _)) in relative.items() if low > 0]
    worse = [family for family, (_, (_, high)) in relative.items() if high < 0]
    kinds = len(relative)
    return (
        f"{first} surely loses more than {second} by {_counted(worse, kinds)}, and surely less by"
        f" {_counted(better, kinds)}."
    )


def _counted(some: Sequence[Family], kinds: int) -> str:
    return f"{len(some)} of {kinds} kinds ({', '.join(some)})" if some else "none"


def _relative_rows(
    relative: Mapping[tuple[str, str], Relative], families: Sequence[Family]
) -> Rows:
    rows = [["first", "second", *(family.value for family in families)]]
    for models, each in relative.items():
        cells = []
        for family in families:
            value, (low, high) = each[family]
            cells.append(f"{100 * value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})")
        rows.append([*models, *cells])
    return rows


def _upto(severities: Sequence[int]) -> int:
    """The last grade before the first that does not hold."""
    return next((s - 1 for s in SEVERITIES if s not in severities), SEVERITIES[-1])


def _rows(
    losses: Mapping[str, Comparison], families: Sequence[Family], settings: Mapping[str, Any]
) -> Rows:
    rows = [["kind", "strengths", *(f"grade {severity}" for severity in SEVERITIES)]]
    for family in families:
        cells = []
        for severity in SEVERITIES:
            loss = losses[f"{family}-{severity}"]
            low, high = (100 * bound for bound in loss.interval)
            cells.append(f"{100 * loss.difference:+.1f} ({low:+.1f} to {high:+.1f})")
        strengths = ", ".join(f"{value:g}" for value in settings["strengths"][family])
        rows.append([family.value, strengths, *cells])
    return rows


def _chart(model: str, losses: Mapping[str, Comparison], families: Sequence[Family]) -> Chart:
    def draw(figure: Figure) -> None:
        columns = min(4, len(families))
        rows = math.ceil(len(families) / columns)
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for ax in axes[len(families) :]:
            ax.set_axis_off()
        for ax, family in zip(axes, families, strict=False):
            found = [losses[f"{family}-{severity}"] for severity in SEVERITIES]
            ax.axhline(-100 * CLAIMED_LOSS, color="#d1495b", linewidth=1, linestyle="--")
            lows, highs = zip(*(loss.interval for loss in found), strict=True)
            ax.fill_between(
                SEVERITIES, [100 * v for v in lows], [100 * v for v in highs], alpha=0.25
            )
            ax.plot(SEVERITIES, [100 * loss.difference for loss in found], marker="o", ms=3)
            ax.set_title(family.value, fontsize=9)
        figure.supxlabel("grade")
        figure.supylabel("change of accuracy in points")

    caption = (
        f"{model}: change of accuracy by kind and grade with 95 % intervals; the dashed line is a"
        " loss of 3 points."
    )
    return Chart(caption, draw, (8.0, 2.0 * math.ceil(len(families) / 4) + 1.0))


ROBUSTNESS = Robustness()
