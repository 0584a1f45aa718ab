"""The options of ``dcrnet-bench``, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_bench.cli.durations import seconds_of
from dcrnet_bench.host.device import Device
from dcrnet_runtime.models import model_path

if TYPE_CHECKING:
    from dcrnet_bench.reference.accuracy import Judge
    from dcrnet_bench.report.report import Report
    from dcrnet_bench.targets.target import Plan


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """What is measured, and for how long."""

    models: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=model_path,
            metavar="MODEL",
            help="accurate, fast or exported ONNX or TFLite files, on a gpu checkpoints; default:"
            " accurate.",
        ),
    ] = None
    device: Annotated[
        Device,
        typer.Option(
            help="The processor; arm is a board's CPU, gpu NVIDIA's by CUDA, phone the one whose"
            " browser opens an address."
        ),
    ] = Device.CPU
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of each model.")] = 1
    quick: Annotated[
        bool, typer.Option("--quick", help="For a look: 64 rounds or more in 5 s.")
    ] = False
    runs: Annotated[
        int | None,
        typer.Option(min=1, help="Timed rounds, for a look; default: 1,024 or more in 60 s."),
    ] = None
    repeats: Annotated[
        int | None, typer.Option(min=1, help="Of it all; default 3, with --runs 1.")
    ] = None
    source: Annotated[
        Path | None,
        typer.Option(help="Image of a face, or a folder; default: the demo extra's portrait."),
    ] = None
    baseline: Annotated[
        Path | None,
        typer.Option(
            parser=model_path,
            metavar="MODEL",
            help="A model that the others are divided by, round by round.",
        ),
    ] = None
    sustained: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Keep each model under load so long, such as 10m."),
    ] = None
    operators: Annotated[
        bool, typer.Option("--operators", help="Profile ONNX models by operator type as well.")
    ] = False
    energy_csv: Annotated[
        Path | None,
        typer.Option(
            help="What an external meter writes meanwhile: lines of t_unix,watts;"
            " default: this machine's own meter."
        ),
    ] = None
    assume_watts: Annotated[
        float | None,
        typer.Option(min=0, help="Estimate energy from this power; the figure says so."),
    ] = None
    require_quiet_host: Annotated[
        bool,
        typer.Option(
            "--require-quiet-host",
            help="Refuse a busy, throttled, charging or emulated machine, before and after.",
        ),
    ] = False

    def plan(self) -> Plan:
        """What a target is asked for.

        Raises:
            DcrnetError: the time of ``sustained`` is none.
        """
        from dcrnet_bench.targets.target import Plan

        models = self.models or [_shipped(self.device)]
        if self.baseline is not None and self.baseline not in models:
            models = [*models, self.baseline]
        sustained_s = 0.0 if self.sustained is None else seconds_of(self.sustained, "sustained")
        return Plan(
            models,
            threads=self.threads,
            runs=self.runs,
            source=self.source,
            operators=self.operators,
            is_quick=self.quick,
            repeats=self.repeats,
            baseline=self.baseline,
            sustained_s=sustained_s,
            is_quiet_required=self.require_quiet_host,
            energy_csv=self.energy_csv,
            assume_watts=self.assume_watts,
        )


@dataclass(frozen=True, slots=True)
class DataOptions:
    """What accuracy is computed on; needs the train extra."""

    data: Annotated[
        Path | None, typer.Option(help="A data set's folder: tells accuracy as well.")
    ] = None
    dataset: Annotated[str, typer.Option(help="Its layout, as dcrnet-eval has it.")] = "ferplus"
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test"
    landmarks: Annotated[
        Path | None, typer.Option(help="A face_landmarker.task bundle to find its faces with.")
    ] = None

    def judge(self) -> Judge | None:
        """The images; None where no data set is named.

        Raises:
            DcrnetError: they cannot be read, or the train extra is not installed.
        """
        if self.data is None:
            return None
        from dcrnet_runtime.cli.extra import require_extra

        require_extra("train", ["torch", "dcrnet_edge"])
        from dcrnet_bench.reference.accuracy import Judge

        return Judge.open(self.data, self.dataset, self.split, self.landmarks)


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Where the figures go besides standard output."""

    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to a file as well.")
    ] = None
    report: Annotated[
        Path | None, typer.Option(help="Folder for a page with plots; needs the bench extra.")
    ] = None

    def check(self) -> None:
        """Make sure, before minutes are spent, that all can be written.

        Raises:
            DcrnetError: it cannot, or the bench extra is not installed.
        """
        from dcrnet_bench.report.files import check_writable

        if self.json_file is not None:
            check_writable(self.json_file)
        if self.report is not None:
            from dcrnet_bench.page.page import check_page

            check_page(self.report)

    def publish(self, report: Report) -> None:
        """Write what was asked for, then print tables and JSON.

        Raises:
            DcrnetError: a file cannot be written.
        """
        from dcrnet_bench.cli.tables import show
        from dcrnet_bench.report.files import write

        try:
            if self.json_file is not None:
                write(report, self.json_file)
            if self.report is not None:
                from dcrnet_bench.page.page import write_page

                write_page(report, self.report)
        finally:
            show(report)


def _shipped(device: Device) -> Path:
    """What is measured unless told otherwise: on a GPU the checkpoint, else the exported file."""
    if device is Device.GPU:
        from dcrnet_bench.reference.checkpoint import shipped_checkpoint

        return shipped_checkpoint()
    from dcrnet_runtime.models import shipped_model

    return shipped_model()
