"""Run a competitor over photos, and measure it; the trial is a JSON file, the answer a line."""

from __future__ import annotations

import json
import os
import resource
import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import cv2

from dcrnet_bench.comparisons.photo_trial import PhotoTrial, PhotoTrialResult
from dcrnet_bench.comparisons.workers.loop_trial import cpu_s

WARM_UP_PHOTOS = 10


def measure(trial: PhotoTrial) -> PhotoTrialResult:
    """Over all photos; figures are of those behind the warm-up."""
    faces: Callable[[Sequence[str], str], Iterator[int]]
    faces = runpy.run_path(trial.script)["faces"]
    found, started_s = [], 0.0
    for count in faces(trial.photos, trial.variant):
        found.append(count)
        if len(found) == WARM_UP_PHOTOS:
            started_s = cpu_s()
    used_s = cpu_s() - started_s
    measured = found[WARM_UP_PHOTOS:]
    return PhotoTrialResult(
        competitor=trial.competitor,
        photos=len(measured),
        cpu_ms=1000 * used_s / len(measured),
        faces=sum(measured),
        with_face=sum(count > 0 for count in measured) / len(measured),
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    )


def main(file: Path) -> None:
    """Print the figures."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    cv2.setNumThreads(1)
    trial = PhotoTrial(**json.loads(file.read_text()))
    sys.stdout.write(json.dumps(asdict(measure(trial))) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
