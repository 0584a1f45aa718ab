"""``dcrnet-export inspect`` and ``dcrnet-export verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dcrnet_export.cli.extra import export_extra
from dcrnet_export.cli.labelled import (
    DataOption,
    DatasetOption,
    LandmarksOption,
    data_source,
)
from dcrnet_runtime.cli.console import EXIT_BAD_INPUT, note, reported

if TYPE_CHECKING:
    from dcrnet_export.job import DataSource


@reported
def inspect(
    file: Annotated[Path, typer.Argument(help="An ONNX, TFLite or safetensors file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Print what a model file says about itself."""
    export_extra()
    import json

    from dcrnet_export.artifacts.inspection import describe
    from dcrnet_export.cli.report import print_rows

    described = describe(file)
    if as_json:
        typer.echo(json.dumps(described.to_json(), indent=2, sort_keys=True))
    else:
        print_rows(described.rows())


@reported
def verify(
    file: Annotated[Path, typer.Argument(help="An exported ONNX or TFLite file.")],
    data: DataOption = None,
    dataset: DatasetOption = "ferplus",
    landmarks: LandmarksOption = None,
) -> None:
    """Check a file against its sidecar, and that this machine computes what it should."""
    export_extra()
    from dcrnet_export.artifacts.inspection import describe
    from dcrnet_export.checks.tolerances import Tolerances
    from dcrnet_export.checks.verification import Outcome, accuracy_check
    from dcrnet_export.checks.verification import verify as checks_of
    from dcrnet_export.cli.report import print_checks

    source = data_source(dataset, data, landmarks)
    checks = list(checks_of(file))
    if source is not None:
        metrics = _metrics(file, source)
        checks.append(accuracy_check(describe(file), metrics, Tolerances()))
    print_checks(checks)
    if any(check.outcome is Outcome.FAILED for check in checks):
        raise typer.Exit(EXIT_BAD_INPUT)


def _metrics(file: Path, source: DataSource) -> dict[str, Any]:
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.evaluation.answers import evaluate
    from dcrnet_edge.evaluation.metrics import compute_metrics

    data = source.open()
    note(f"{file.name} on {len(data.samples(Split.TEST))} images.")
    return compute_metrics(evaluate(file, data, Split.TEST, source.root)).to_json()
