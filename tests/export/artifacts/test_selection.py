"""What a command line asks for, and what it cannot have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from dcrnet_export.artifacts.selection import selected_kinds
from dcrnet_export.artifacts.target import Target, plan_for
from dcrnet_export.formats.registry import FORMATS
from dcrnet_export.passes.quantization import WeightLimit
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.errors import DcrnetError


def names(
    formats: list[str] | None = None,
    added: Sequence[Precision] = (),
    target: str | None = None,
    batch: str = "1",
) -> list[str]:
    return [kind.file_name("dcrnet", 64) for kind in selected_kinds(formats, added, target, batch)]


def test_nothing_named_is_fp32_in_both_formats() -> None:
    assert names() == ["dcrnet-64-fp32.onnx", "dcrnet-64-fp32.tflite"]


def test_each_flag_adds_its_precision_where_the_format_has_it() -> None:
    added = names(added=list(Precision)[1:])[2:]
    assert added == [
        *("dcrnet-64-fp16.onnx", "dcrnet-64-fp16.tflite"),
        *("dcrnet-64-int8.onnx", "dcrnet-64-int8.tflite"),
        *("dcrnet-64-int8-qdq.onnx", "dcrnet-64-dynamic-range.tflite"),
    ]


def test_target_and_batch_have_names_of_their_own() -> None:
    assert names(target="qnn", batch="8") == ["dcrnet-64-int8-qdq-qnn-batch8.onnx"]
    assert names(["onnx"], batch="dynamic") == ["dcrnet-64-fp32-batchany.onnx"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"formats": ["tflight"]}, "did you mean tflite?"),
        ({"formats": ["fp16"]}, "did you mean `fp16`?"),
        ({"formats": ["dynamic_range"]}, "did you mean `dynamic_range`?"),
        ({"formats": ["xyz"]}, "choose onnx or tflite"),
        (
            {"target": "raspberry"},
            "`target` raspberry is unknown: choose arm, x86, qnn, nnapi, coreml or tensorrt$",
        ),
        ({"target": "arm", "added": [Precision.INT8]}, "leave `int8` away"),
        ({"target": "qnn", "formats": ["tflite"]}, "served by onnx"),
        ({"formats": ["onnx"], "added": [Precision.DYNAMIC_RANGE]}, "`formats` tflite"),
        ({"formats": ["tflite"], "added": [Precision.INT8_QDQ]}, "`formats` onnx"),
        ({"batch": "dynamic"}, "a tflite file has a fixed batch"),
        ({"batch": "0"}, "1 to 1024"),
        ({"batch": "²"}, "1 to 1024"),
        ({"batch": "many"}, "1 to 1024"),
    ],
)
def test_impossible_requests_say_what_to_do(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(DcrnetError, match=words.replace("?", r"\?")):
        names(**arguments)


@pytest.mark.parametrize("target", list(Target))
def test_plans_are_possible_and_honest(target: Target) -> None:
    plan = plan_for(target)
    assert plan.artifacts
    assert all(precision in FORMATS[form].precisions for form, precision in plan.artifacts)
    line = plan.explanation(target)
    assert line.startswith(f"{target}: ")
    assert "\n" not in line
    assert ("not measured on hardware" in line) == (target is not Target.X86)


def test_only_what_runs_on_old_x86_is_reduced() -> None:
    reduced = {target for target in Target if plan_for(target).weight_limit < WeightLimit.FULL}
    assert reduced == {Target.X86}
    (universal,) = selected_kinds(["onnx"], [Precision.INT8], None, "1")[1:]
    assert universal.weight_limit is WeightLimit.REDUCED
    (litert,) = selected_kinds([ModelFormat.TFLITE], [Precision.INT8], None, "1")[1:]
    assert litert.weight_limit is WeightLimit.FULL
