"""What is exported for which hardware, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dcrnet_export.passes.quantization import WeightLimit
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.backends.precision import Precision


class Target(StrEnum):
    """Hardware, or the compiler in front of it."""

    ARM = "arm"
    X86 = "x86"
    QNN = "qnn"
    NNAPI = "nnapi"
    COREML = "coreml"
    TENSORRT = "tensorrt"


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """How a target is served.

    Attributes:
        artifacts: formats and precisions, the likely fastest first.
        reason: one line for people.
        weight_limit: of int8 files, where their format leaves it to the target.
        symmetric: whether int8 activations have zero point 0.
        measured: whether the reason rests on a measurement on such hardware.
    """

    artifacts: tuple[tuple[ModelFormat, Precision], ...]
    reason: str
    weight_limit: WeightLimit = WeightLimit.FULL
    symmetric: bool = False
    measured: bool = False

    def explanation(self, target: Target) -> str:
        """The line that the command prints."""
        caveat = "" if self.measured else "; not measured on hardware"
        return f"{target}: {self.reason}{caveat}."


def plan_for(target: Target) -> TargetPlan:
    """What to export for a target; the sources are the execution providers' operator lists."""
    match target:
        case Target.ARM:
            return TargetPlan(
                ((ModelFormat.TFLITE, Precision.INT8), (ModelFormat.ONNX, Precision.INT8)),
                "int8: TFLite for cores with dot products (Cortex-A76: 94 M instructions an"
                " inference at 128 px to ONNX's 108 M), ONNX for those without (Cortex-A53: 277 M"
                " to TFLite's 353 M), counted under an emulator; weights use all of int8, which"
                " never saturates there",
            )
        case Target.X86:
            return TargetPlan(
                ((ModelFormat.ONNX, Precision.INT8), (ModelFormat.TFLITE, Precision.INT8)),
                "int8: ONNX for AVX2, twice as fast as its float, where TFLite gains nothing; with"
                " AVX-512 VNNI both are some three times as fast, with AMX TFLite is ahead, at"
                " four times; ONNX weights stay within 7 bits, so that no processor without VNNI"
                " saturates",
                weight_limit=WeightLimit.REDUCED,
                measured=True,
            )
        case Target.QNN:
            return TargetPlan(
                ((ModelFormat.ONNX, Precision.INT8_QDQ),),
                "QDQ with uint8 activations and int8 weights per channel, the form that the"
                " Hexagon back end compiles to integers",
            )
        case Target.NNAPI:
            return TargetPlan(
                ((ModelFormat.ONNX, Precision.INT8_QDQ),),
                "QDQ with uint8 activations, which the NNAPI provider maps to asymmetric"
                " quantized operations; it takes Max and Min; Android 15 deprecates NNAPI",
            )
        case Target.COREML:
            return TargetPlan(
                ((ModelFormat.ONNX, Precision.FP16),),
                "fp16, in which the Neural Engine computes; the Core ML provider takes no"
                " QuantizeLinear, so int8 would stay on the CPU",
            )
        case Target.TENSORRT:
            return TargetPlan(
                ((ModelFormat.ONNX, Precision.FP16), (ModelFormat.ONNX, Precision.INT8_QDQ)),
                "fp16, and QDQ with symmetric int8 activations, the only ones that TensorRT"
                " takes; bench both",
                symmetric=True,
            )


UNIVERSAL = TargetPlan((), "runs anywhere", weight_limit=WeightLimit.REDUCED)
"""What int8 follows where no target is named."""
