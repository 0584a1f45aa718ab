"""``dcrnet-bench``: what a model and each stage of the pipeline cost on a machine."""

from __future__ import annotations

from dcrnet_bench.cli.compare import compare
from dcrnet_bench.cli.options import DataOptions, MeasureOptions, OutputOptions
from dcrnet_bench.cli.place_options import PlaceOptions
from dcrnet_bench.host.device import Device
from dcrnet_runtime.cli.app import CommandUnlessNamed, command_app
from dcrnet_runtime.cli.console import note, reported
from dcrnet_runtime.cli.option_groups import CommonOptions, with_groups


class _BenchUnlessNamed(CommandUnlessNamed):
    default = "bench"


def bench(
    measure: MeasureOptions,
    elsewhere: PlaceOptions,
    data: DataOptions,
    output: OutputOptions,
    *_: object,
) -> None:
    """Print latency, MACs and size of models and of each stage; the last line is JSON."""
    from dcrnet_bench.targets.doubts import require_quiet
    from dcrnet_bench.targets.registry import open_target
    from dcrnet_bench.timing.sampling import Protocol

    target = open_target(measure.device, elsewhere.place())
    output.check()
    plan, judge = measure.plan(), data.judge()
    is_timed = measure.device is not Device.PHONE and not elsewhere.emulate
    if plan.rule.protocol is Protocol.FULL and is_timed:
        note("Measuring by the full protocol: ten minutes or more; --quick is for a look.")
    report = target.measure(plan, warn)
    try:
        if judge is not None:
            report = judge.judged(report, plan.models)
    finally:
        # What was measured is not lost with what was not.
        output.publish(report)
    if plan.is_quiet_required and report.preflight is not None:
        require_quiet(report.preflight.doubts)


def warn(text: str) -> None:
    """On standard error; further lines, such as a QR code's, are indented below the first."""
    first, *more = text.split("\n")
    note(f"warning: {first}")
    for line in more:
        note(f"  {line}")


app = command_app(_BenchUnlessNamed, is_installed=True)
app.command(
    epilog="Also: dcrnet-bench compare A.json B.json, whether the second run is slower than the"
    " first beyond noise."
)(
    reported(
        with_groups(bench, MeasureOptions, PlaceOptions, DataOptions, OutputOptions, CommonOptions)
    )
)
app.command()(compare)
