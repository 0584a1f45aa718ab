"""The accuracy that the shipped model states, measured again: pytest -m slow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dcrnet_runtime.assets import cache_folder
from dcrnet_runtime.backends import load_model
from dcrnet_runtime.finders import FinderKind, open_finder
from dcrnet_runtime.shipped import shipped_model

FERPLUS = os.environ.get("DCRNET_FERPLUS", "")


@pytest.mark.slow
@pytest.mark.skipif(not FERPLUS, reason="set DCRNET_FERPLUS to the data set's folder")
def test_the_shipped_int8_model_is_as_good_as_its_card_says() -> None:
    from dcrnet_edge.datasets.adapter import DatasetKind, read_dataset
    from dcrnet_edge.datasets.facecache import FaceCache
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.evaluation import evaluate

    dataset = read_dataset(DatasetKind.FERPLUS, Path(FERPLUS))
    samples = dataset.splits[Split.TEST]
    faces = FaceCache(cache_folder() / "faces", open_finder(FinderKind.LITERT)).faces(samples)
    figures = evaluate(shipped_model(), dataset.labels, samples, faces).figures()
    stated = load_model(shipped_model()).card.figures
    assert figures["images"] == stated["test_images"] == 3333
    assert figures["accuracy"] == pytest.approx(stated["test"]["accuracy"], abs=0.005)
