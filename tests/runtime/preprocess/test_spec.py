"""The contract's file form: what is read back, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.spec import Alignment, PreprocessSpec


def edited(**changes: Any) -> str:
    return json.dumps({**json.loads(PreprocessSpec().to_json()), **changes})


def test_round_trip() -> None:
    spec = PreprocessSpec(size_px=128, alignment=Alignment.BOX, focus_strength=0.5)
    assert PreprocessSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (edited(version=2), "version 2, this runtime knows 1: "),
        (edited(extra=1), "other fields than version 1 (extra)"),
        (edited(size_px=5), "size_px is 5, outside 32..1024"),
        (edited(gamma_min=1.5), "gamma_min 1.5 is above gamma_max 1.4"),
        (edited(colour="cmyk"), "bad value"),
        (edited(template=[[0.5, 0.5]] * 5), "is no face in a crop"),
        (edited(template=[[1e300, 0.5]] * 5), "is no face in a crop"),
        (edited(template=[[0, 0]]), "bad value"),
        (edited(source_px="many"), "bad value"),
        (edited(size_px=64.0), "bad value (size_px is 64.0)"),
        (edited(box_scale=float("nan")), "bad value (box_scale is nan)"),
        (edited(landmarks_sha256=5), "bad value (landmarks_sha256 is 5)"),
        (edited(template=[[float("nan"), 0]] * 5), "template is not finite"),
        ("{}", "cannot be read"),
        ("[1]", "cannot be read"),
        ("not json", "cannot be read"),
    ],
)
def test_a_bad_contract_is_refused_with_a_remedy(text: str, expected: str) -> None:
    with pytest.raises(DcrnetError) as caught:
        PreprocessSpec.from_json(text)
    assert expected in str(caught.value)
