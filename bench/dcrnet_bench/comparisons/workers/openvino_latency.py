"""Time a network in OpenVINO, in fp32 and in int8 by NNCF, beside ours; prints a line of JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

os.environ["CI"] = "true"  # the one switch by which OpenVINO's telemetry stays off

import nncf
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.timing import NS_PER_MS, interleaved_ns

CALIBRATION_FACES = 256
WARM_UP_RUNS = 10

Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""(1, S, S, 3) uint8 RGB to (1, labels) probabilities."""


def main(onnx_file: str, crops_file: str, our_file: str, test_file: str, runs: str) -> None:
    """Print times, ms, and answers; the models take turns on one thread."""
    crops = np.load(crops_file)
    faces, truth = _test(test_file) if test_file else (crops, None)
    models = _models(onnx_file, our_file, crops)
    measured = {**_times(models, crops, int(runs)), **_answers(models, faces, truth)}
    versions = {"openvino": ov.__version__, "nncf": nncf.__version__}
    sys.stdout.write(json.dumps({**versions, **measured}) + "\n")


def _models(onnx_file: str, our_file: str, crops: NDArray[np.uint8]) -> dict[str, Answer]:
    plain = ov.Core().read_model(onnx_file)
    faces = nncf.Dataset([crop[None] for crop in crops[:CALIBRATION_FACES]])
    quantized = nncf.quantize(plain, faces, preset=nncf.QuantizationPreset.MIXED)
    ours = load_model(Path(our_file))
    size_px = ours.card.preprocess.size_px
    if crops.shape[1] != size_px:
        sys.exit(f"{our_file} takes {size_px} px, the crops have {crops.shape[1]}: name another")
    return {"fp32": _compiled(plain), "int8": _compiled(quantized), "ours": ours.probabilities}


def _compiled(model: Any) -> Answer:
    """For one thread, in the precision that the model has."""
    options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(model, "CPU", options)
    return lambda crop: np.asarray(compiled(crop)[0])


def _times(models: Mapping[str, Answer], crops: NDArray[np.uint8], runs: int) -> dict[str, Any]:
    tasks = [partial(_ask, answer, cycle(crops)) for answer in models.values()]
    interleaved_ns(tasks, WARM_UP_RUNS)
    wall_ns = interleaved_ns(tasks, runs)
    cpu_ns = interleaved_ns(tasks, runs, time.process_time_ns)
    return {
        "median_ms": _each(models, wall_ns, median),
        "minimum_ms": _each(models, wall_ns, min),
        "cpu_ms": _each(models, cpu_ns, median),
        "ratio": _ratio(wall_ns),
        "cpu_ratio": _ratio(cpu_ns),
    }


def _ratio(times_ns: list[list[int]]) -> float:
    """The median of the turns' ratios of OpenVINO's int8 to ours."""
    return round(median(theirs / ours for _, theirs, ours in times_ns), 3)


def _ask(answer: Answer, crops: cycle[NDArray[np.uint8]]) -> None:
    answer(next(crops)[None])


def _each(
    models: Mapping[str, Answer], times_ns: list[list[int]], of: Callable[[Any], float]
) -> dict[str, float]:
    columns = zip(models, zip(*times_ns, strict=True), strict=True)
    return {name: round(of(column) / NS_PER_MS, 3) for name, column in columns}


def _test(path: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    with np.load(path) as test:
        return test["crops"], test["labels"]


def _answers(
    models: Mapping[str, Answer], faces: NDArray[np.uint8], truth: NDArray[np.int64] | None
) -> dict[str, Any]:
    """What each says of the faces, held to float and to the truth."""
    rows = {
        name: np.concatenate([answer(face[None]) for face in faces])
        for name, answer in models.items()
    }
    labels = {name: each.argmax(axis=1) for name, each in rows.items()}
    return {
        "faces": len(faces),
        "same_labels": {
            name: float((each == labels["fp32"]).mean()) for name, each in labels.items()
        },
        "mean_abs_dp": {
            name: float(np.abs(each - rows["fp32"]).max(axis=1).mean())
            for name, each in rows.items()
        },
        "accuracy": {
            name: None if truth is None else float((each == truth).mean())
            for name, each in labels.items()
        },
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
