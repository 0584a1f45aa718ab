"""Run a competitor over a clip, and measure it; prints one line of JSON."""

from __future__ import annotations

import json
import os
import resource
import runpy
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice

import cv2
import numpy as np

from dcrnet_bench.comparisons.camera import Camera
from dcrnet_bench.comparisons.trial import Trial, TrialResult

WARM_UP_FRAMES = 25


def measure(trial: Trial) -> TrialResult:
    """Over the clip's first frames; figures are of those behind the warm-up."""
    answers: Callable[[Camera, Trial], Iterator[tuple[int, bool]]]
    answers = runpy.run_path(trial.script)["answers"]
    camera = Camera(trial.clip, trial.is_paced)
    delays_ms, with_face, started_s, started_cpu_s = [], 0, 0.0, 0.0
    seen = islice(answers(camera, trial), WARM_UP_FRAMES + trial.frames)
    for count, (index, has_face) in enumerate(seen):
        now_s = time.perf_counter()
        if count >= WARM_UP_FRAMES:
            delays_ms.append(1000 * (now_s - camera.due_s(index)))
            with_face += has_face
        if count == WARM_UP_FRAMES - 1:
            started_s, started_cpu_s = now_s, cpu_s()
    wall_s, used_s = time.perf_counter() - started_s, cpu_s() - started_cpu_s
    if not delays_ms:
        sys.exit(
            f"{trial.clip} ended in the {WARM_UP_FRAMES} frames of warm-up: name a longer one"
        )
    return TrialResult(
        competitor=trial.competitor,
        is_paced=trial.is_paced,
        frames=len(delays_ms),
        fps=len(delays_ms) / wall_s,
        delay_ms=float(np.median(delays_ms)) if trial.is_paced else None,
        delay_p90_ms=float(np.percentile(delays_ms, 90)) if trial.is_paced else None,
        cpu_ms=1000 * used_s / len(delays_ms),
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        with_face=with_face / len(delays_ms),
    )


def cpu_s() -> float:
    """Of all threads of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(trial: Trial) -> None:
    """Print the figures."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: trial.threads])
    cv2.setNumThreads(trial.threads)
    sys.stdout.write(json.dumps(asdict(measure(trial))) + "\n")


if __name__ == "__main__":
    main(Trial(**json.loads(sys.argv[1])))
