"""Time a network in OpenVINO, in fp32 and in int8 by NNCF; prints one line of JSON."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from itertools import cycle
from typing import Any

os.environ["CI"] = "true"  # the one switch by which OpenVINO's telemetry stays off

import nncf
import numpy as np
import openvino as ov

from dcrnet_runtime.timing import interleaved_ns, medians_ms

CALIBRATION_FACES = 256
WARM_UP_RUNS = 10
RUNS = 100


def main(onnx_file: str, crops_file: str) -> None:
    """Print the median of each model, ms; they take turns on one thread."""
    crops = np.load(crops_file)
    plain = ov.Core().read_model(onnx_file)
    faces = nncf.Dataset([crop[None] for crop in crops[:CALIBRATION_FACES]])
    quantized = nncf.quantize(plain, faces, preset=nncf.QuantizationPreset.MIXED)
    models = {"fp32": _compiled(plain), "int8": _compiled(quantized)}
    tasks = [partial(_infer, model, cycle(crops)) for model in models.values()]
    interleaved_ns(tasks, WARM_UP_RUNS)
    medians = medians_ms(interleaved_ns(tasks, RUNS))
    found = {name: round(each, 2) for name, each in zip(models, medians, strict=True)}
    versions = {"openvino": ov.__version__, "nncf": nncf.__version__}
    sys.stdout.write(json.dumps({**versions, "median_ms": found}) + "\n")


def _infer(model: Any, crops: cycle[Any]) -> None:
    model(next(crops)[None])


def _compiled(model: Any) -> Any:
    """For one thread, in the precision that the model has."""
    options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    return ov.Core().compile_model(model, "CPU", options)


if __name__ == "__main__":
    main(*sys.argv[1:])
