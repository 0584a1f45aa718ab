"""The loss, and the rate that follows the validation."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from edge.runs import no_statistics
from torch.nn import functional

from dcrnet_edge.models.dcrnet import DCRNet, DCRNetConfig
from dcrnet_edge.training.module import TrainingModule
from dcrnet_edge.training.recipe import Optimiser, Recipe, Schedule

COUNTS = (60, 30, 10)
LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 1.0]])
TARGETS = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


@pytest.fixture(scope="module")
def network() -> DCRNet:
    return DCRNet(DCRNetConfig(("a", "b", "c")))


def module_of(network: DCRNet, steps: int = 100, **recipe: Any) -> TrainingModule:
    values = {"class_weights": False, "dropout_scale": 1.0, **recipe}
    return TrainingModule(network, Recipe(**values), steps, COUNTS, no_statistics)


def test_class_weights_are_equation_7(network: DCRNet) -> None:
    """w_i = N / (C n_i): a third, two thirds and ten thirds of 100 / 3 / 10 here."""
    module = module_of(network, class_weights=True)
    weights = [100 / (3 * count) for count in COUNTS]
    assert module.get_buffer("class_weights").tolist() == pytest.approx(weights)
    logs = LOGITS.log_softmax(dim=1)
    expected = -(weights[0] * logs[0, 0] + weights[2] * logs[1, 2]) / 2
    assert module._cross_entropy(LOGITS, TARGETS).item() == pytest.approx(expected.item())


def test_label_smoothing_spreads_a_share_over_all_classes(network: DCRNet) -> None:
    module = module_of(network, label_smoothing=0.1)
    spread = 0.9 * TARGETS + 0.1 / 3
    expected = -(spread * LOGITS.log_softmax(dim=1)).sum(dim=1).mean()
    assert module._cross_entropy(LOGITS, TARGETS).item() == pytest.approx(expected.item())


def test_weights_leave_what_smoothing_gives_to_other_labels_alone(network: DCRNet) -> None:
    """Else the rarest label is the best answer to every image."""
    module = module_of(network, class_weights=True, label_smoothing=0.1)
    weights = torch.tensor([100 / (3 * COUNTS[0]), 100 / (3 * COUNTS[2])])
    spread = 0.9 * TARGETS + 0.1 / 3
    expected = -(weights * (spread * LOGITS.log_softmax(dim=1)).sum(dim=1)).mean()
    assert module._cross_entropy(LOGITS, TARGETS).item() == pytest.approx(expected.item())


def test_votes_are_targets(network: DCRNet) -> None:
    votes = torch.tensor([[0.7, 0.3, 0.0], [0.1, 0.1, 0.8]])
    expected = -(votes * LOGITS.log_softmax(dim=1)).sum(dim=1).mean()
    assert module_of(network)._cross_entropy(LOGITS, votes).item() == pytest.approx(
        expected.item()
    )
    hard = functional.cross_entropy(LOGITS, torch.tensor([0, 2]))
    assert not math.isclose(hard.item(), expected.item())


def test_the_rate_is_halved_where_validation_stalls(
    network: DCRNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After more than three epochs without a better one, and counted afresh then."""
    module = module_of(network, optimiser=Optimiser.ADAM, schedule=Schedule.PLATEAU)
    optimizer = module.configure_optimizers()
    rates = []
    for accuracy in (0.5, 0.6, 0.6, 0.5, 0.6, 0.6, 0.6, 0.7, 0.6, 0.6, 0.6, 0.6):
        monkeypatch.setattr(module.accuracy, "compute", lambda value=accuracy: torch.tensor(value))
        module.on_validation_epoch_end()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [1e-4] * 5 + [5e-5] * 6 + [2.5e-5]


def rates_of_one_cycle(network: DCRNet, steps: int) -> list[float]:
    """The rate of each step of a run, as a multiple of the peak."""
    module = module_of(network, steps, schedule=Schedule.ONE_CYCLE, learning_rate=0.01)
    made = module.configure_optimizers()
    optimizer, scheduler = made, None
    if isinstance(made, tuple | list):
        (optimizer,), (stated,) = made
        scheduler = stated["scheduler"]
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"] / 0.01)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
    return rates


@pytest.mark.parametrize("steps", [1, 2, 4, 5])
def test_a_run_too_short_to_warm_up_keeps_the_peak_rate(network: DCRNet, steps: int) -> None:
    assert rates_of_one_cycle(network, steps) == [1.0] * steps


@pytest.mark.parametrize("steps", [6, 10, 100])
def test_one_cycle_warms_up_and_falls_to_nothing(network: DCRNet, steps: int) -> None:
    rates = rates_of_one_cycle(network, steps)
    peak = rates.index(max(rates))
    assert rates[0] == pytest.approx(1 / 25)
    assert peak == max(1, round(0.2 * steps) - 1)
    assert 0.9 < rates[peak] <= 1
    assert rates[-1] == pytest.approx(1 / 25 / 1e4)
