"""A second network is one file and one registration (``edge.toy``), and comes back by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from edge.runs import FERPLUS, face_data, small_run
from edge.toy import Toy, ToyConfig
from generated_trees import write_folders

from dcrnet_edge import create_model, load_checkpoint
from dcrnet_edge.models import registry
from dcrnet_edge.training.initialization import Initialization, InitializationKind
from dcrnet_runtime.errors import DcrnetError

pytestmark = pytest.mark.usefixtures("toy")


def test_it_is_trained_and_comes_back_by_its_name(tmp_path: Path) -> None:
    data = face_data(write_folders(tmp_path / "tree", 8, ("train", "valid", "test")), tmp_path)
    toy = {"architecture": "toy", "network": {"width": 4}, "preprocess": {"size_px": 48}}
    recipe = {"batch_size": 8, "auxiliary_weight": 0.5, "dense_l2": 1e-3, "mixed_sizes": [32]}
    path = small_run(data, tmp_path / "run", FERPLUS, toy, {"recipe": recipe}).train()
    checkpoint = load_checkpoint(path)
    network = checkpoint.network
    assert isinstance(network, Toy)
    assert network.config == ToyConfig(("happiness", "neutral"), width=4)
    assert checkpoint.card.provenance["config"]["architecture"] == "toy"
    assert checkpoint.trained_px == (48, 32)
    assert set(checkpoint.ranges[48]) == {"conv", "mix", "classifier"}
    with pytest.raises(DcrnetError, match="not one of 32, 48, 64, 128: a toy takes no others"):
        checkpoint.at(96)

    kind = InitializationKind.CHECKPOINT
    entry = registry.architecture("toy")
    again, _ = Initialization(kind, path).network(entry, ToyConfig(("neutral", "fear")))
    kept = network.get_parameter("classifier.weight")[1]
    assert torch.equal(again.get_parameter("classifier.weight")[0], kept)
    other = registry.architecture("dcrnet")
    with pytest.raises(DcrnetError, match="holds a toy, and the run asks for a dcrnet"):
        Initialization(kind, path).network(other, other.configure({"labels": ("a", "b")}))


def test_its_settings_are_its_own() -> None:
    assert isinstance(create_model("toy", labels=["a", "b"], width=6), Toy)
    with pytest.raises(ValueError, match="unknown attention"):
        create_model("toy", labels=["a", "b"], attention="se")
    with pytest.raises(DcrnetError, match=r"`network` tiny is unknown: choose dcrnet, .*toy"):
        create_model("tiny", labels=["a", "b"])
