"""Whether a run is worse than an earlier one on the same machine, by more than noise.

Noise is what the repeats of each run show: a time has changed where the ratio of the two runs' p90
lies beyond the spreads of both runs' repeats together, and beyond a floor for what differs from
run to run but not within one (the layout of memory, the other programs of the hour).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import hypot

from dcrnet_bench.meters.inference_energy import InferenceEnergy
from dcrnet_bench.report.model_metrics import Accuracy, ModelMetrics
from dcrnet_bench.report.report import Report
from dcrnet_bench.timing.latency import Latency
from dcrnet_runtime.errors import DcrnetError

TIME_FLOOR = 0.03
INSTRUCTION_NOISE = 0.001
"""Counts of the same program repeat to 0.02 %."""

_SIGMAS = 2.0


class Verdict(StrEnum):
    """What became of a quantity."""

    WORSE = "worse"
    SAME = "same"
    BETTER = "better"


@dataclass(frozen=True, slots=True)
class Change:
    """One quantity in both runs.

    Attributes:
        subject: model or stage.
        quantity: with its unit.
        before: in the first run.
        after: in the second.
        ratio: ``after`` to ``before``.
        noise: by how much the ratio may be off 1 without a change.
        verdict: what became of it.
    """

    subject: str
    quantity: str
    before: float
    after: float
    ratio: float
    noise: float
    verdict: Verdict


def compare(before: Report, after: Report, floor: float = TIME_FLOOR) -> list[Change]:
    """Every quantity that both runs tell, models matched by name, or each run's only one.

    Args:
        before: the first run.
        after: the second.
        floor: least noise of times, as a share.

    Raises:
        DcrnetError: the runs share no model, no quantity or no machine, or one of them has a
            single repeat, which tells no noise.
    """
    _check_machines(before, after)
    found: list[Change] = []
    for first, second in _pairs(before, after):
        found += _model_changes(first, second, floor)
    stages = {(row.stage, row.model): row.latency_ms for row in before.stages}
    for row in after.stages:
        latency = stages.get((row.stage, row.model))
        if latency is not None and row.latency_ms is not None:
            subject = f"{row.stage}, {row.model}" if row.model else row.stage.value
            found.append(_time_change(subject, latency, row.latency_ms, floor))
    if not found:
        raise DcrnetError("the two reports share no quantity: measure both in the same way")
    return found


def _check_machines(before: Report, after: Report) -> None:
    first, second = _conditions(before), _conditions(after)
    unlike = [
        f"{key} {first[key]} and {second[key]}" for key in first if first[key] != second[key]
    ]
    if unlike:
        raise DcrnetError(
            f"the two reports differ in {', '.join(unlike)}: measure both on the same machine in"
            " the same way"
        )


def _conditions(report: Report) -> dict[str, object]:
    """Without which times are of other things than the model."""
    return {
        "cpu": report.host.cpu,
        "machine": report.host.machine,
        "emulated": report.emulated,
        "device": report.run.device,
        "threads": report.run.threads,
    }


def _pairs(before: Report, after: Report) -> list[tuple[ModelMetrics, ModelMetrics]]:
    if len(before.models) == len(after.models) == 1:
        return [(before.models[0], after.models[0])]
    names = {model.name: model for model in before.models}
    found = [(names[each.name], each) for each in after.models if each.name in names]
    if not found:
        raise DcrnetError(
            "the two reports share no model: measure files of the same names, or one in each"
        )
    return found


def _model_changes(before: ModelMetrics, after: ModelMetrics, floor: float) -> Iterator[Change]:
    subject = after.name
    if before.latency_ms is not None and after.latency_ms is not None:
        yield _time_change(subject, before.latency_ms, after.latency_ms, floor)
    first, second = before.instructions, after.instructions
    if first is not None and second is not None and first.core == second.core:
        quantity = f"instructions, {second.core}"
        counts = (float(first.total), float(second.total))
        yield _change(subject, quantity, *counts, INSTRUCTION_NOISE)
    yield from _energy_change(subject, before.energy, after.energy)
    yield from _accuracy_change(subject, before.accuracy, after.accuracy)


def _time_change(subject: str, before: Latency, after: Latency, floor: float) -> Change:
    if before.spread is None or after.spread is None:
        raise DcrnetError(
            f"{subject} was measured in one repeat, which tells no noise: measure with --repeats 3"
        )
    noise = max(floor, before.spread + after.spread)
    return _change(subject, "p90, ms", before.p90, after.p90, noise)


def _energy_change(
    subject: str, before: InferenceEnergy, after: InferenceEnergy
) -> Iterator[Change]:
    """Of net energy, where both runs tell how sure they are of it."""
    if before.net_j and after.net_j and before.meter == after.meter:
        unsure = before.uncertainty_j, after.uncertainty_j
        if unsure[0] is not None and unsure[1] is not None:
            relative = hypot(unsure[0] / before.net_j, unsure[1] / after.net_j)
            yield _change(subject, "net J", before.net_j, after.net_j, _SIGMAS * relative)


def _accuracy_change(
    subject: str, before: Accuracy | None, after: Accuracy | None
) -> Iterator[Change]:
    """Of the share of wrong answers to the same images, beyond half the first run's interval."""
    if before is None or after is None or before.interval is None:
        return
    if (before.data, before.split, before.images) != (after.data, after.split, after.images):
        return
    wrong = 1 - before.accuracy
    if wrong > 0:
        noise = (before.interval[1] - before.interval[0]) / 2 / wrong
        yield _change(subject, "share of errors", wrong, 1 - after.accuracy, noise)


def _change(subject: str, quantity: str, before: float, after: float, noise: float) -> Change:
    """Of a quantity of which less is better."""
    ratio = after / before
    verdict = Verdict.SAME
    if ratio > 1 + noise:
        verdict = Verdict.WORSE
    elif ratio < 1 / (1 + noise):
        verdict = Verdict.BETTER
    return Change(subject, quantity, before, after, ratio, noise, verdict)
