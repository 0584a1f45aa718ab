"""``dcrnet-bench``: what a model and each stage of the pipeline cost on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dcrnet_bench.host.device import Device
from dcrnet_runtime.cli.console import VersionOption, command_app, note, reported

app = command_app()


@app.command()
@reported
def bench(
    models: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="MODEL",
            help="Exported ONNX or TFLite models, on a gpu checkpoints; default: the shipped one.",
        ),
    ] = None,
    device: Annotated[
        Device, typer.Option(help="The processor; arm is a board's CPU, gpu NVIDIA's by CUDA.")
    ] = Device.CPU,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of each model.")] = 1,
    runs: Annotated[
        int | None,
        typer.Option(min=1, help="Timed rounds, for a look; default: 1,024 or more in 60 s."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="For a look: 64 rounds or more in 5 s.")
    ] = False,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="Of it all; default 3, with --runs 1.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(help="Image of a face, or a folder; default: the demo extra's portrait."),
    ] = None,
    require_quiet_host: Annotated[
        bool,
        typer.Option(
            "--require-quiet-host",
            help="Refuse a busy, throttled, charging or emulated machine.",
        ),
    ] = False,
    energy_csv: Annotated[
        Path | None,
        typer.Option(
            help="What an external meter writes meanwhile: lines of t_unix,watts;"
            " default: this machine's own meter."
        ),
    ] = None,
    assume_watts: Annotated[
        float | None,
        typer.Option(min=0, help="Estimate energy from this power; the figure says so."),
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
    from dcrnet_bench.report.files import check_writable, write
    from dcrnet_bench.targets.registry import open_target
    from dcrnet_bench.targets.target import Plan
    from dcrnet_runtime.models import shipped_model

    target = open_target(device)
    if json_file is not None:
        check_writable(json_file)
    plan = Plan(
        models or ([] if device is Device.GPU else [shipped_model()]),
        threads=threads,
        runs=runs,
        source=source,
        operators=operators,
        is_quick=quick,
        repeats=repeats,
        is_quiet_required=require_quiet_host,
        energy_csv=energy_csv,
        assume_watts=assume_watts,
    )
    report = target.measure(plan, lambda text: note(f"warning: {text}"))
    if json_file is not None:
        write(report, json_file)
    show(report)
