"""``dcrnet-bench``: what a model and each stage of the pipeline cost on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dcrnet_bench.host.device import Device
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import VersionOption, note, reported
from dcrnet_runtime.models import model_path

app = command_app()


@app.command()
@reported
def bench(
    models: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=model_path,
            metavar="MODEL",
            help="accurate, fast or exported ONNX or TFLite files; default: accurate.",
        ),
    ] = None,
    device: Annotated[
        Device, typer.Option(help="The processor; arm is the CPU of an ARM board.")
    ] = Device.CPU,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of each model.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="Timed runs of each.")] = 50,
    source: Annotated[
        Path | None, typer.Option(help="Image of a face; default: the demo extra's portrait.")
    ] = None,
    operators: Annotated[
        bool, typer.Option("--operators", help="Profile ONNX models by operator type as well.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to a file as well.")
    ] = None,
    version: VersionOption = False,
) -> None:
    """Print latency, MACs and size of models and of each stage; the last line is JSON."""
    from dcrnet_bench.cli.tables import show
    from dcrnet_bench.report import check_writable, write
    from dcrnet_bench.targets.registry import open_target
    from dcrnet_bench.targets.target import Plan
    from dcrnet_runtime.models import shipped_model

    target = open_target(device)
    if json_file is not None:
        check_writable(json_file)
    plan = Plan(models or [shipped_model()], threads, runs, source, operators)
    report = target.measure(plan, lambda text: note(f"warning: {text}"))
    if json_file is not None:
        write(report, json_file)
    show(report)
