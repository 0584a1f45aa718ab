"""The rate of steps on a synthetic batch."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from dcrnet_edge.cli.train import _speed
from dcrnet_edge.models.registry import create_model
from dcrnet_edge.training.bare_step import bare_images_per_s


def test_it_is_images_over_the_time_of_the_timed_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter((100.0, 104.0))
    clock = "dcrnet_edge.training.bare_step.time.perf_counter"
    monkeypatch.setattr(clock, lambda: next(ticks))
    network = create_model("tf_efficientnet_lite0", labels=["a", "b"])
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    drawn = torch.get_rng_state()
    device = torch.device("cpu")
    assert bare_images_per_s(network, 64, 2, device, nullcontext(), steps=4) == 2 * 4 / 4.0
    assert torch.equal(torch.get_rng_state(), drawn)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "at 2160 images a second. A core loads 100 a second: 2700, as a GPU takes, need 27"),
        (
            {"bare_images_per_s": 2700.0},
            "at 2160 images a second, 80% of the 2700 of a synthetic batch that lies on the GPU.",
        ),
    ],
)
def test_a_run_says_how_much_of_it_was_reached(
    tmp_path: Path, more: dict[str, Any], told: str
) -> None:
    rates = {
        "data_wait_percent": 12.3,
        "images_per_s": 2160.0,
        "loader_images_per_s_a_core": 100.0,
    }
    (tmp_path / "settings.json").write_text(json.dumps({**rates, **more}))
    assert told in _speed(tmp_path)
    assert "need 27 (--workers)" in _speed(tmp_path)
