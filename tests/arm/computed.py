"""What is computed on this machine and on an emulated core, to be the same.

    python computed.py PHOTO MODEL...

prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dcrnet_runtime.backends.golden import golden_crops
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.detectors.detector import open_detector
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.video.images import read_image

_BOX = Face(Box(170.0, 60.0, 110.0, 130.0))
_EVERY = {"fp32": 8, "int8": 3}
"""Of the golden crops: an emulated inference takes 1 to 3 s, and ``--self-test`` gives all of them
to the shipped model. Every third includes a hard edge."""


def computed(photo: Path, models: Sequence[Path]) -> dict[str, Any]:
    """A found face, its crop, and each model's answers to golden crops and to that crop.

    Of the golden crops, every third is given to an int8 file, the first to one in fp32.
    """
    rgb = read_image(photo)
    faces = open_detector().find(rgb)
    answers = {}
    crop = None
    for path in models:
        model = load_model(path, threads=1)
        spec = model.card.preprocess
        crop = prepare(rgb, _BOX, spec)
        every = _EVERY["fp32" if "fp32" in path.name else "int8"]
        golden = golden_crops(spec.size_px)[::every]
        answers[str(path)] = {
            "every": every,
            "golden": model.probabilities(golden).tolist(),
            "crop": model.probabilities(crop[None]).tolist(),
        }
    box = faces[0].box
    return {
        "box": [box.x, box.y, box.width, box.height],
        "landmarks": len(faces[0].landmarks) if faces[0].landmarks is not None else 0,
        "pixels": None if crop is None else crop.tolist(),
        "answers": answers,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(computed(Path(sys.argv[1]), [*map(Path, sys.argv[2:])])))
