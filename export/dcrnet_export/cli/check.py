"""``dcrnet-export inspect`` and ``dcrnet-export verify``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer

from dcrnet_export.cli.extra import export_extra, inspection_extra
from dcrnet_export.cli.labelled import (
    DataOption,
    DatasetOption,
    LandmarksOption,
    data_source,
)
from dcrnet_runtime.cli.console import EXIT_BAD_INPUT, complain, note, reported
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import model_path
from dcrnet_runtime.printable import printable

if TYPE_CHECKING:
    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_export.checks.verification import Check


P = ParamSpec("P")
R = TypeVar("R")


@reported
def inspect(
    files: Annotated[
        list[Path],
        typer.Argument(
            parser=model_path,
            metavar="FILE",
            help="ONNX, TFLite or safetensors files; accurate and fast are the shipped models.",
        ),
    ],
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print JSON, for machines: a list where there are several."),
    ] = False,
) -> None:
    """Print what model files say about themselves."""
    inspection_extra()
    import json

    from dcrnet_export.artifacts.inspection import describe
    from dcrnet_export.cli.report import print_rows

    described = [each for file in files if (each := _unless_refused(describe, file))]
    if as_json and (described or len(files) > 1):
        objects = [each.to_json() for each in described]
        shown = objects if len(files) > 1 else objects[0]
        typer.echo(json.dumps(shown, indent=2, sort_keys=True))
    elif not as_json:
        for each in described:
            print_rows(each.rows())
    if len(described) < len(files):
        raise typer.Exit(EXIT_BAD_INPUT)


@reported
def verify(
    files: Annotated[
        list[Path],
        typer.Argument(
            parser=model_path,
            metavar="FILE",
            help="Exported ONNX or TFLite files; accurate and fast are the shipped models.",
        ),
    ],
    data: DataOption = None,
    dataset: DatasetOption = "ferplus",
    landmarks: LandmarksOption = None,
) -> None:
    """Check files against their sidecars, and that this machine computes what it should."""
    inspection_extra()
    if data is not None:
        export_extra()
    from dcrnet_export.checks.verification import Outcome
    from dcrnet_export.cli.report import print_checks

    source = data_source(dataset, data, landmarks)
    labelled = None if source is None else (source.open(), source.root)
    has_failed = False
    for file in files:
        checks = _unless_refused(_checks, file, labelled)
        if checks is not None:
            if len(files) > 1:
                typer.echo(printable(str(file)))
            print_checks(checks)
        has_failed |= checks is None or any(c.outcome is Outcome.FAILED for c in checks)
    if has_failed:
        raise typer.Exit(EXIT_BAD_INPUT)


def _unless_refused(make: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
    """What a file gives; one that is refused is named, and the others go on."""
    try:
        return make(*args, **kwargs)
    except DcrnetError as error:
        complain(str(error))
        return None


def _checks(file: Path, labelled: tuple[FaceData, Path] | None) -> list[Check]:
    from dcrnet_export.artifacts.inspection import describe
    from dcrnet_export.checks.tolerances import Tolerances
    from dcrnet_export.checks.verification import accuracy_check
    from dcrnet_export.checks.verification import verify as checks_of

    checks = list(checks_of(file))
    if labelled is not None:
        metrics = _metrics(file, *labelled)
        checks.append(accuracy_check(describe(file), metrics, Tolerances()))
    return checks


def _metrics(file: Path, data: FaceData, root: Path) -> dict[str, Any]:
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.evaluation.answers import evaluate
    from dcrnet_edge.evaluation.metrics import compute_metrics

    note(f"{file.name} on {len(data.samples(Split.TEST))} images.")
    return compute_metrics(evaluate(file, data, Split.TEST, root)).to_json()
