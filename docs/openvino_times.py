"""The time of the same network in OpenVINO, in fp32 and in int8 by NNCF.

    python docs/baselines.py --calib DIR --size 128 --out baselines
    python -m venv ov-env && ov-env/bin/pip install openvino nncf
    ov-env/bin/python docs/openvino_times.py baselines/stock-128-fp32.onnx baselines/crops-128.npy

OpenVINO and NNCF want other versions than dcrnet-edge's, hence their own environment. The two
models take turns on one thread; the last line is one JSON. Believe it on an idle machine only.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

os.environ["CI"] = "true"  # the one switch by which OpenVINO's telemetry stays off

import nncf
import numpy as np
import openvino as ov

CALIBRATION_FACES = 256
WARM_UP_RUNS = 10
RUNS = 100


def main(onnx_file: str, crops_file: str) -> None:
    """Print the median of each model, ms."""
    crops = np.load(crops_file)
    plain = ov.Core().read_model(onnx_file)
    faces = nncf.Dataset([crop[None] for crop in crops[:CALIBRATION_FACES]])
    quantized = nncf.quantize(plain, faces, preset=nncf.QuantizationPreset.MIXED)
    models = {"fp32": _compiled(plain), "int8": _compiled(quantized)}
    times_ms: dict[str, list[float]] = {name: [] for name in models}
    for run in range(WARM_UP_RUNS + RUNS):
        face = crops[run % len(crops)][None]
        for name, model in models.items():
            start = time.perf_counter()
            model(face)
            if run >= WARM_UP_RUNS:
                times_ms[name].append(1000 * (time.perf_counter() - start))
    found = {name: round(float(np.median(each)), 2) for name, each in times_ms.items()}
    versions = {"openvino": ov.__version__, "nncf": nncf.__version__}
    sys.stdout.write(json.dumps({**versions, "median_ms": found}) + "\n")


def _compiled(model: Any) -> Any:
    """For one thread, in the precision that the model has."""
    options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    return ov.Core().compile_model(model, "CPU", options)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
