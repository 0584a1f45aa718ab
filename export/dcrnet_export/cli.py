"""``dcrnet-export``: a checkpoint to ONNX and TFLite files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_runtime.console import EXIT_BAD_INPUT, VersionOption, command_app, note, reported
from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_export.exporter import ExportedFile

app = command_app()


@app.command()
@reported
def export(
    checkpoint: Annotated[
        Path | None,
        typer.Argument(help="A .safetensors checkpoint; default: the shipped weights."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("dcrnet-export"),
    int8: Annotated[bool, typer.Option("--int8", help="Add int8, the fastest on CPUs.")] = False,
    fp16: Annotated[bool, typer.Option("--fp16", help="Add fp16: half the size.")] = False,
    dynamic_range: Annotated[
        bool,
        typer.Option("--dynamic-range", help="Add TFLite with int8 weights, float activations."),
    ] = False,
    qdq: Annotated[
        bool, typer.Option("--qdq", help="Add int8 ONNX in the form that NPU compilers read.")
    ] = False,
    target: Annotated[
        str | None,
        typer.Option(
            help="arm, x86, qnn, nnapi, coreml or tensorrt: writes what is fast there, and says"
            " why, in place of fp32 and what the flags above add."
        ),
    ] = None,
    calib: Annotated[
        Path | None,
        typer.Option(
            help="Folder of face images: calibrates int8, and all files are checked on it."
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(help="Input side in px: 64, 128, 192 or 224; default: the checkpoint's."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="onnx or tflite; repeat for both; default: both."),
    ] = None,
    batch: Annotated[
        str, typer.Option(help="Faces a run: a number, or dynamic (ONNX alone).")
    ] = "1",
    version: VersionOption = False,
) -> None:
    """Write fp32 ONNX and TFLite files, and what the flags add, each checked against torch."""
    _export_extra()
    from dcrnet_edge.weights import shipped_checkpoint
    from dcrnet_export.exporter import export as export_files
    from dcrnet_export.exporter import prepare_job
    from dcrnet_export.request import requested_kinds
    from dcrnet_runtime.precision import Precision

    flags = {
        Precision.FP16: fp16,
        Precision.INT8: int8,
        Precision.INT8_QDQ: qdq,
        Precision.DYNAMIC_RANGE: dynamic_range,
    }
    added = [precision for precision, asked in flags.items() if asked]
    kinds = requested_kinds(formats, added, target, batch)
    path = checkpoint or shipped_checkpoint()
    job = prepare_job(path, size, calib, kinds)
    if (aim := kinds[0].target) is not None:
        note(kinds[0].recipe.explanation(aim))
    note(f"{path.name} at {job.size_px} px, checked on {job.faces.source}.")
    if job.calibration is not None:
        note(f"int8 from {job.calibration.source}.")
    done = []
    for exported in export_files(job, kinds, out):
        done.append(exported)
        note(f"{exported.kind.file_name(job.size_px)}: {exported.problem or 'done'}")
    _report(done)
    if any(exported.problem for exported in done):
        raise typer.Exit(EXIT_BAD_INPUT)


def _export_extra() -> None:
    """Say which extra is missing, rather than which module.

    Raises:
        DcrnetError: the ``export`` extra is not installed.
    """
    try:
        import flatbuffers  # noqa: F401
        import onnx  # noqa: F401
        import onnxsim  # noqa: F401
        import safetensors  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise DcrnetError(
            f"{error.name} is not installed: pip install 'dcrnet-edge[export]'"
        ) from error


def _report(done: list[ExportedFile]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("artefact", "MB", "max |dp|", "same labels", "verdict")
    for exported in done:
        table.add_row(*_row(exported))
    console.print(table)
    good = [exported.path for exported in done if exported.path and not exported.problem]
    for path in good:
        console.print(f"dcrnet-run --source 0 --model {path}", soft_wrap=True)
        console.print(f"dcrnet-bench {path}", soft_wrap=True)


def _row(exported: ExportedFile) -> list[str]:
    name, size = f"{exported.kind.precision} {exported.kind.format}", "-"
    if exported.path is not None:
        name, size = exported.path.name, f"{exported.path.stat().st_size / 1e6:.2f}"
    difference = agreement = "-"
    if exported.parity is not None:
        difference = f"{exported.parity.largest:.1e}"
        agreement = f"{exported.parity.agreement:.1%} of {exported.parity.faces}"
    return [name, size, difference, agreement, exported.problem or "ok"]
