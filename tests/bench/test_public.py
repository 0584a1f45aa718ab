"""The package's public names."""

from __future__ import annotations

import doctest

import pytest
from generated import FixedDetector, TinyModel, synthetic_face

import dcrnet_bench


def test_each_public_name_is_there() -> None:
    assert len(dcrnet_bench.__all__) <= 12
    for name in dcrnet_bench.__all__:
        assert getattr(dcrnet_bench, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        dcrnet_bench.nothing  # noqa: B018


def test_the_packages_example_runs(tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = FixedDetector(synthetic_face())
    monkeypatch.setattr("dcrnet_bench.timing.pipeline.open_detector", lambda: detector)
    names = {"path": tiny_model()}
    text = dcrnet_bench.__doc__ or ""
    example = doctest.DocTestParser().get_doctest(text, names, "dcrnet_bench", None, 0)
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example)
    assert (results.failed, results.attempted) == (0, 4)
