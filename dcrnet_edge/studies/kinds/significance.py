"""Which of several models differ: exact tests, intervals, and a correction for many pairs."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_edge.studies.findings import Findings, Table
from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.studies.pairs import Pair


@dataclass(frozen=True, slots=True)
class SignificanceOptions:
    """Whose answers."""

    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="Answers of two or more models to the same images, as dcrnet-eval --predictions"
            " writes them.",
        ),
    ]


class Significance:
    """McNemar's exact test for every pair, Holm's correction, paired bootstrap intervals."""

    summary = "Which of several models differ by more than chance, from their answers' CSV files?"
    groups = (SignificanceOptions,)

    def plan(self, options: SignificanceOptions) -> Plan:
        """Copies of the files are the units, so that the folder is whole by itself."""
        from dcrnet_edge.evaluation.predictions import read_predictions
        from dcrnet_edge.studies.pairs import compared

        names = [path.stem for path in options.files]
        if len(set(names)) < max(2, len(names)):
            raise DcrnetError("give two or more files of answers, each of another name")
        compared({name: read_predictions(p) for name, p in zip(names, options.files, strict=True)})
        contents = [path.read_bytes() for path in options.files]
        digests = [hashlib.sha256(content).hexdigest() for content in contents]
        return Plan(
            {"sha256": dict(zip(names, digests, strict=True))},
            [
                Unit(name, functools.partial(_copy, content))
                for name, content in zip(names, contents, strict=True)
            ],
        )

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """Figures of each model, and of each pair."""
        from dcrnet_edge.evaluation.metrics import compute_metrics
        from dcrnet_edge.evaluation.predictions import read_predictions
        from dcrnet_edge.evaluation.report import summary_rows
        from dcrnet_edge.studies.pages.interval_chart import Estimate, interval_chart
        from dcrnet_edge.studies.pairs import compared, pair_rows

        predictions = {name: read_predictions(path) for name, path in answers.items()}
        metrics = {name: compute_metrics(each) for name, each in predictions.items()}
        pairs = compared(predictions)
        first = next(iter(metrics.values()))
        return Findings(
            title="Which models differ?",
            claim="it compares models by McNemar's test and bootstrap intervals.",
            verdict=[_verdict(pairs), _resampled(pairs, first.resampled)],
            tables=[
                Table("Each model", summary_rows(metrics, {})),
                Table("Each pair", pair_rows(pairs)),
            ],
            charts=[
                interval_chart(
                    "Difference of accuracy, the first less the second, with 95 % intervals.",
                    [
                        Estimate(
                            f"{pair.first} - {pair.second}",
                            pair.comparison.difference,
                            *pair.comparison.interval,
                        )
                        for pair in pairs
                    ],
                    "points",
                    mark=0.0,
                )
            ],
            facts={
                "models": {name: each.to_json() for name, each in metrics.items()},
                "pairs": [pair.to_json() for pair in pairs],
            },
        )


def _verdict(pairs: Sequence[Pair]) -> str:
    from dcrnet_edge.studies.pairs import LEVEL

    apart = [f"{pair.first} and {pair.second}" for pair in pairs if pair.differs]
    if len(pairs) == 1:
        (pair,) = pairs
        does = "differ" if apart else "do not differ"
        return f"{pair.first} and {pair.second} {does} at the {LEVEL} level."
    return (
        f"Of {len(pairs)} pairs {len(apart)} differ{'s' * (len(apart) == 1)} at the {LEVEL} level"
        f" after Holm's correction{': ' * bool(apart)}{'; '.join(apart)}."
    )


def _resampled(pairs: Sequence[Pair], units: str) -> str:
    text = f"Intervals: 95 % bootstrap over {units}."
    if any(pair.has_subjects for pair in pairs):
        text += " Two models differ only where theirs leaves out 0, too: the test counts images."
    return text


def _copy(content: bytes, path: Path) -> None:
    from dcrnet_runtime.outfile import written_beside

    with written_beside(path) as beside:
        beside.write_bytes(content)


SIGNIFICANCE = Significance()
