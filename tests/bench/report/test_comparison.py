"""Whether a run is worse than another, by more than its noise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench_reports import emulated, latency, model, report

from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.profiling.instructions import InstructionCount
from dcrnet_bench.report.comparison import Verdict, compare
from dcrnet_bench.report.model_metrics import ModelMetrics
from dcrnet_bench.report.report import Report
from dcrnet_bench.timing.stage import StageLatency, TimedStage
from dcrnet_runtime.errors import DcrnetError

QUIET, NOISY = (4.00, 4.00, 4.01), (3.6, 4.0, 4.4)
NO_ENERGY = InferenceEnergy(reason="no meter")


def timed(*medians_ms: float) -> Report:
    """One model of these repeats, and nothing else."""
    told = model(
        latency_ms=latency(*medians_ms), instructions=None, accuracy=None, energy=NO_ENERGY
    )
    return report(told, stages=())


def verdicts(before: Report, after: Report) -> dict[str, Verdict]:
    return {change.quantity: change.verdict for change in compare(before, after)}


@pytest.mark.parametrize(
    ("before", "factor", "verdict"),
    [
        (QUIET, 1.0, Verdict.SAME),
        (QUIET, 1.02, Verdict.SAME),  # below the floor
        (QUIET, 1.05, Verdict.WORSE),
        (QUIET, 0.9, Verdict.BETTER),
        (NOISY, 1.05, Verdict.SAME),  # within what the repeats differ by
        (NOISY, 1.5, Verdict.WORSE),
    ],
)
def test_a_time_is_worse_beyond_the_repeats_spread_and_the_floor(
    before: tuple[float, ...], factor: float, verdict: Verdict
) -> None:
    [change] = compare(timed(*before), timed(*(factor * each for each in before)))
    assert change.verdict is verdict
    assert change.ratio == pytest.approx(factor, rel=1e-3)


def test_the_floor_can_be_chosen() -> None:
    [change] = compare(timed(*QUIET), timed(*(1.05 * each for each in QUIET)), floor=0.1)
    assert (change.verdict, change.noise) == (Verdict.SAME, 0.1)


def test_one_repeat_tells_no_noise() -> None:
    with pytest.raises(DcrnetError, match="one repeat, which tells no noise"):
        compare(timed(4.0), timed(*QUIET))


def test_stages_are_compared_as_well() -> None:
    before = report(stages=(StageLatency(TimedStage.FIND, "", latency(*QUIET)),))
    after = report(stages=(StageLatency(TimedStage.FIND, "", latency(8.0, 8.0, 8.0)),))
    worse = [each for each in compare(before, after) if each.verdict is Verdict.WORSE]
    assert [(each.subject, each.quantity) for each in worse] == [("find faces", "p90, ms")]


@pytest.mark.parametrize(
    ("total", "verdict"),
    [(1_000_200, Verdict.SAME), (1_002_000, Verdict.WORSE), (990_000, Verdict.BETTER)],
)
def test_instructions_gate_where_nothing_is_timed(total: int, verdict: Verdict) -> None:
    def counted(instructions: int) -> Report:
        made = emulated()
        count = InstructionCount("cortex-a76", instructions, {})
        return replace(made, models=(replace(made.models[0], instructions=count),))

    found = verdicts(counted(1_000_000), counted(total))
    assert found["instructions, cortex-a76"] is verdict
    assert "p90, ms" not in found


@pytest.mark.parametrize(("net_j", "verdict"), [(0.21, Verdict.SAME), (0.3, Verdict.WORSE)])
def test_energy_is_compared_where_its_uncertainty_is_told(net_j: float, verdict: Verdict) -> None:
    first = InferenceEnergy(0.5, 0.2, meter="RAPL", uncertainty_j=0.01)
    second = replace(first, net_j=net_j)
    found = verdicts(report(model(energy=first)), report(model(energy=second)))
    assert found["net J"] is verdict
    unsure = report(model(energy=replace(second, uncertainty_j=None)))
    assert "net J" not in verdicts(report(model(energy=first)), unsure)


@pytest.mark.parametrize(("accuracy", "verdict"), [(0.845, Verdict.SAME), (0.8, Verdict.WORSE)])
def test_accuracy_is_compared_by_its_errors(accuracy: float, verdict: Verdict) -> None:
    before = model()
    assert before.accuracy is not None
    after = replace(before, accuracy=replace(before.accuracy, accuracy=accuracy))
    assert verdicts(report(before), report(after))["share of errors"] is verdict


def test_models_are_matched_by_name_or_alone() -> None:
    def subjects(first: list[ModelMetrics], second: list[ModelMetrics]) -> set[str]:
        found = compare(report(*first, stages=()), report(*second, stages=()))
        return {change.subject for change in found}

    assert subjects([model("a")], [model("b")]) == {"b"}
    assert subjects([model("a"), model("b")], [model("b"), model("c")]) == {"b"}
    with pytest.raises(DcrnetError, match="share no model"):
        subjects([model("a"), model("b")], [model("c")])


def test_another_machine_is_refused() -> None:
    other = report()
    other = replace(
        other, host=replace(other.host, cpu="Cortex"), run=replace(other.run, threads=2)
    )
    with pytest.raises(DcrnetError, match="differ in cpu AMD EPYC and Cortex, threads 1 and 2"):
        compare(report(), other)
    with pytest.raises(DcrnetError, match="differ in machine x86_64 and aarch64, emulated"):
        compare(report(), emulated())
