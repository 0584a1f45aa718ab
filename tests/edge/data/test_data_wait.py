"""Time of waiting for data is told from time of steps."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from edge.runs import FERPLUS, face_data, small_run
from generated_trees import write_folders
from torch.utils.data import Dataset

from dcrnet_edge.data.data_wait import DataWait, images_per_s_a_core
from dcrnet_edge.data.items import AugmentedFaces, Item
from dcrnet_edge.data.order import Draw
from dcrnet_edge.models.checkpoint import load_checkpoint


def test_waits_and_steps_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two epochs of two steps, with a validation of 100 s between."""
    clock = iter([0, 3, 4, 6, 7, 107, 108, 109, 111, 112])
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    wait = DataWait()
    unread: Any = None
    for _ in range(2):
        wait.on_train_epoch_start()
        for step in range(2):
            wait.on_train_batch_start()
            wait.on_train_batch_end(unread, unread, None, (range(8),), step)
    assert (wait.waited_s, wait.stepped_s, wait.images) == (8.0, 4.0, 32)
    assert wait.percent == pytest.approx(100 * 8 / 12)
    assert wait.images_per_s == pytest.approx(32 / 12)
    resumed = DataWait()
    assert (resumed.percent, resumed.images_per_s) == (0.0, 0.0)
    resumed.load_state_dict(wait.state_dict())
    assert resumed.percent == wait.percent


def test_a_slow_loader_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    getitem = AugmentedFaces.__getitem__

    def slow(self: AugmentedFaces, key: tuple[Draw, int]) -> Item:
        time.sleep(0.4)
        return getitem(self, key)

    network = {"architecture": "tf_efficientnet_lite0", "recipe": {"epochs": 1, "ema_decay": 0.0}}
    data = face_data(write_folders(tmp_path / "tree", 4, ("train", "valid", "test")), tmp_path)
    monkeypatch.setattr(AugmentedFaces, "__getitem__", slow)
    path = small_run(data, tmp_path / "run", FERPLUS, network).train()
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    provenance = load_checkpoint(path).card.provenance
    for told in (settings, provenance):
        assert 30 < told["data_wait_percent"] < 100
        assert 0 < told["images_per_s"] < 1 / 0.4
        assert told["loader_images_per_s_a_core"] > 1 / 0.4  # sleep takes no core's time


class Busy(Dataset[Item]):
    """A data set whose items take 10 ms of a core's time each."""

    def __getitem__(self, key: object) -> Item:
        start = time.thread_time()
        while time.thread_time() - start < 0.01:
            pass
        return torch.empty(0), torch.empty(0), 0


def test_the_loaders_rate() -> None:
    keys = [(Draw(0, index, 0), 64) for index in range(20)]
    assert images_per_s_a_core(Busy(), keys) == pytest.approx(100, rel=0.1)
