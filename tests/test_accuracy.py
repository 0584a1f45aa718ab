"""The accuracy that the shipped model states, measured again: pytest -m slow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.models import Shipped, shipped_model

FERPLUS = os.environ.get("DCRNET_FERPLUS", "")


@pytest.mark.slow
@pytest.mark.parametrize("name", Shipped)
@pytest.mark.skipif(not FERPLUS, reason="set DCRNET_FERPLUS to the data set's folder")
def test_a_shipped_int8_model_is_as_good_as_its_card_says(name: Shipped) -> None:
    from dcrnet_edge.cli.face_data import open_data
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.datasets.splits import SplitPlan
    from dcrnet_edge.evaluation.answers import evaluate

    root = Path(FERPLUS)
    data = open_data("ferplus", root, SplitPlan(), None, 1)
    correct = evaluate(shipped_model(name), data, Split.TEST, root).correct
    stated = load_model(shipped_model(name)).card.metrics["export"]["accuracy"]
    assert len(correct) == stated["comparison"]["images"] == 3333
    assert correct.mean() == pytest.approx(stated["accuracy"], abs=0.005)
