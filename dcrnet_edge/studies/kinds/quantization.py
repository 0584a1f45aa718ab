"""Whether int8 answers as its float checkpoint does, and whether bad pictures make that worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.studies.findings import Findings, Table
from dcrnet_edge.studies.options import StudiedImages
from dcrnet_edge.studies.pictures.families import Family
from dcrnet_edge.studies.study import Plan
from dcrnet_edge.studies.training_data import own_training
from dcrnet_edge.weights import checkpoint_path, shipped_checkpoint
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import model_path, shipped_model

if TYPE_CHECKING:
    from dcrnet_edge.evaluation.comparison import Comparison
    from dcrnet_edge.evaluation.predictions import Predictions
    from dcrnet_edge.evaluation.rows import Rows

_SEVERITIES = (3, 5)


@dataclass(frozen=True, slots=True)
class QuantizationOptions:
    """The two forms of one network."""

    float_model: Annotated[
        Path | None,
        typer.Option(
            "--float",
            parser=checkpoint_path,
            metavar="MODEL",
            help="The checkpoint, or its fp32 export; accurate (default) and fast are shipped.",
        ),
    ] = None
    int8_model: Annotated[
        Path | None,
        typer.Option(
            "--int8",
            parser=model_path,
            metavar="MODEL",
            help="Its int8 export; accurate (default) and fast are shipped.",
        ),
    ] = None


class Quantization:
    """Accuracy, calibration, flips by class, and all of it on corrupted pictures."""

    summary = "Does int8 answer as its float network does, on bad pictures, too?"
    groups = (QuantizationOptions, StudiedImages)

    def plan(self, pair: QuantizationOptions, asked: StudiedImages) -> Plan:
        """Both at the int8 file's input side, on clean pictures and on two grades of each kind."""
        from dcrnet_edge.evaluation.answers import CHECKPOINT_SUFFIX
        from dcrnet_edge.evaluation.model_refs import ModelRef
        from dcrnet_edge.studies.answering import answering_units, conditions
        from dcrnet_runtime.backends.loading import load_model

        int8_model = pair.int8_model or shipped_model()
        int8 = load_model(int8_model)
        float_model = pair.float_model or shipped_checkpoint()
        is_checkpoint = float_model.suffix == CHECKPOINT_SUFFIX
        size_px = int8.card.preprocess.size_px if is_checkpoint else None
        refs = {"float": ModelRef(float_model, size_px), "int8": ModelRef(int8_model)}
        made_of = int8.card.provenance.get("export", {}).get("checkpoint_sha256")
        if is_checkpoint and made_of not in (None, refs["float"].sha256):
            raise DcrnetError(
                f"{int8_model} was exported from another checkpoint than {float_model}:"
                " give the two forms of one network"
            )
        images = asked.open()
        settings = {
            **asked.settings(images, refs),
            "models": {name: [ref.path.name, ref.sha256] for name, ref in refs.items()},
            "size_px": size_px,
            "severities": list(_SEVERITIES),
        }
        return Plan(settings, answering_units(refs, images, conditions([*Family], _SEVERITIES)))

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """What int8 changes."""
        from dcrnet_edge.evaluation.comparison import compare
        from dcrnet_edge.evaluation.metrics import compute_metrics
        from dcrnet_edge.evaluation.report import summary_rows
        from dcrnet_edge.studies.answering import CLEAN, answers_of
        from dcrnet_edge.studies.pages.interval_chart import Estimate, interval_chart

        floats, int8s = (answers_of(answers, form) for form in ("float", "int8"))
        pairs = {name: compare(int8s[name], floats[name]) for name in floats}
        metrics = {
            f: compute_metrics(a[CLEAN]) for f, a in {"float": floats, "int8": int8s}.items()
        }
        flips = {name: _flipped(floats[name], int8s[name]) for name in floats}
        extra = {n: p.difference - pairs[CLEAN].difference for n, p in pairs.items() if n != CLEAN}
        worst = min(extra, key=extra.__getitem__)
        low, high = (100 * bound for bound in pairs[CLEAN].interval)
        verdict = [
            f"On clean pictures int8 answers {100 * pairs[CLEAN].difference:+.2f} points"
            f" ({low:+.2f} to {high:+.2f}) more of them rightly than float, and"
            f" {100 * flips[CLEAN]:.2f} % of them differently.",
            f"On corrupted ones the difference changes by {100 * _mean(extra.values()):+.2f}"
            f" points on average; most by {worst}, {100 * extra[worst]:+.2f}.",
        ]
        return Findings(
            title="What does int8 lose?",
            verdict=[*verdict, *own_training(settings)],
            tables=[
                Table("Clean pictures", summary_rows(metrics, {})),
                Table("Answers that change, by label", _flip_rows(floats[CLEAN], int8s[CLEAN])),
                Table("Corrupted pictures", _rows(floats, int8s, pairs, flips)),
            ],
            charts=[
                interval_chart(
                    "Accuracy of int8 less that of float, by kind and grade of corruption, with"
                    " 95 % intervals.",
                    [Estimate(n, p.difference, *p.interval) for n, p in pairs.items()],
                    "points",
                    mark=0.0,
                )
            ],
            facts={
                "metrics": {name: each.to_json() for name, each in metrics.items()},
                "difference": {name: pair.difference for name, pair in pairs.items()},
                "interval": {name: list(pair.interval) for name, pair in pairs.items()},
                "flipped_share": flips,
            },
        )


def _mean(values: Any) -> float:
    every = list(values)
    return sum(every) / len(every)


def _flipped(one: Predictions, other: Predictions) -> float:
    return float((one.predicted != other.predicted).mean())


def _flip_rows(floats: Predictions, int8s: Predictions) -> Rows:
    rows = [["label", "images", "changed", "to right", "to wrong"]]
    changed = floats.predicted != int8s.predicted
    for number, label in enumerate(floats.labels):
        its = floats.truth == number
        counts = [
            its,
            its & changed,
            its & changed & int8s.correct,
            its & changed & floats.correct,
        ]
        rows.append([label, *(str(int(each.sum())) for each in counts)])
    return rows


def _rows(
    floats: Mapping[str, Predictions],
    int8s: Mapping[str, Predictions],
    pairs: Mapping[str, Comparison],
    flips: Mapping[str, float],
) -> Rows:
    rows = [["pictures", "float", "int8", "difference", "95 % interval", "answers changed"]]
    for name, pair in pairs.items():
        low, high = (100 * bound for bound in pair.interval)
        rows.append(
            [
                name,
                f"{100 * floats[name].correct.mean():.2f} %",
                f"{100 * int8s[name].correct.mean():.2f} %",
                f"{100 * pair.difference:+.2f} points",
                f"{low:+.2f} to {high:+.2f}",
                f"{100 * flips[name]:.2f} %",
            ]
        )
    return rows


QUANTIZATION = Quantization()
