"""``dcrnet-export``: a checkpoint to ONNX and TFLite files."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dcrnet_export.cli.check import inspect, verify
from dcrnet_export.cli.extra import export_extra
from dcrnet_export.cli.options import FaceOptions, KindOptions, PlaceOptions
from dcrnet_runtime.cli.app import CommandUnlessNamed, command_app
from dcrnet_runtime.cli.console import EXIT_BAD_INPUT, note, reported
from dcrnet_runtime.cli.option_groups import CommonOptions, with_groups
from dcrnet_runtime.outfile import check_folder

if TYPE_CHECKING:
    from dcrnet_export.artifacts.kind import ArtifactKind
    from dcrnet_export.exporter import ExportedFile
    from dcrnet_export.job import ExportJob
    from dcrnet_export.progress import Steps


class _ExportUnlessNamed(CommandUnlessNamed):
    default = "export"


app = command_app(_ExportUnlessNamed, is_installed=True)
app.command()(inspect)
app.command()(verify)


def export(place: PlaceOptions, kind: KindOptions, faces: FaceOptions, _: CommonOptions) -> None:
    """Write fp32 ONNX and TFLite files, and what the flags add, each checked against torch."""
    check_folder(place.out, "out")
    export_extra()
    from dcrnet_edge.weights import shipped_checkpoint
    from dcrnet_export.cli.progress import ShownSteps
    from dcrnet_export.cli.report import print_report
    from dcrnet_export.job import prepare_job

    kinds = kind.kinds()
    path, step = place.checkpoint or shipped_checkpoint(), ShownSteps()
    job = prepare_job(
        path, kinds, size_px=faces.size, calib=faces.calib, data=faces.source(), step=step
    )
    for line in _preparation(path, job, kinds):
        note(line)
    note(f"Prepared: {step.summary()}.")
    done = _export(job, kinds, place.out, step)
    print_report(done)
    for good in [each.path for each in done if each.path and not each.problem]:
        note(f"dcrnet-run --source 0 --model {shlex.quote(str(good))}")
        note(f"dcrnet-bench {shlex.quote(str(good))}")
    if any(exported.problem for exported in done):
        raise typer.Exit(EXIT_BAD_INPUT)


app.command(
    epilog="Also: dcrnet-export inspect FILE..., what files say of themselves; dcrnet-export"
    " verify FILE..., whether they are whole and this machine computes them rightly."
)(
    reported(size_px="--size")(
        with_groups(export, PlaceOptions, KindOptions, FaceOptions, CommonOptions)
    )
)


def _preparation(path: Path, job: ExportJob, kinds: Sequence[ArtifactKind]) -> Iterator[str]:
    """What is exported, by what, and what to know of that, a line each."""
    size_px, trained_px = job.size_px, job.checkpoint.trained_px
    yield f"{path.name} at {size_px} px, checked on {job.references.faces.source}."
    if size_px not in trained_px:
        yield (
            f"WARNING: it was trained at {' and '.join(map(str, trained_px))} px and can be far"
            f" worse at {size_px}: dcrnet-eval {path} --size {size_px} --data DIR measures it,"
            f" dcrnet-train --data DIR --start-from {path} --size {size_px} --epochs 3 --set"
            " 'recipe.progressive=[]' adapts it."
        )
    if (aim := kinds[0].target) is not None:
        yield kinds[0].plan.explanation(aim)
    if job.calibration is not None:
        yield f"int8 from {job.calibration.source}."
        yield from job.calibration.remarks()


def _export(
    job: ExportJob, kinds: Sequence[ArtifactKind], out: Path, step: Steps
) -> list[ExportedFile]:
    """All files, each with a line of times and what there is to say of it."""
    from dcrnet_export.exporter import export as export_files

    done = []
    for exported in export_files(job, kinds, out, step):
        done.append(exported)
        note(f"{job.file_name(exported.kind)}: {step.summary()}.")
        for line in exported.remarks():
            note(f"  {line}")
    return done
