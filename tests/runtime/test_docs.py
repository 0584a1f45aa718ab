"""The examples in the documentation of the public names run."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from pathlib import Path

import pytest
from generated import FixedDetector, synthetic_face, synthetic_frame, write_clip

import dcrnet_runtime


def test_there_are_at_most_a_dozen_public_names() -> None:
    assert len(dcrnet_runtime.__all__) <= 12
    assert all(getattr(dcrnet_runtime, name).__doc__ for name in dcrnet_runtime.__all__)


@pytest.mark.parametrize("documented", [dcrnet_runtime, dcrnet_runtime.Stream], ids=str)
def test_an_example_runs(
    documented: object,
    tmp_path: Path,
    tiny_model: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detector = FixedDetector(synthetic_face())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: detector
    )
    write_clip(Path("clip.avi"), 3).rename("clip.mp4")  # which the example names
    names = {
        "Stream": dcrnet_runtime.Stream,
        "rgb": synthetic_frame(),
        "recognizer": dcrnet_runtime.Recognizer(dcrnet_runtime.load_model(tiny_model()), detector),
    }
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=options)
    (example,) = doctest.DocTestFinder(recurse=False).find(documented, globs=names)
    assert example.examples
    results = runner.run(example)
    assert results.failed == 0
