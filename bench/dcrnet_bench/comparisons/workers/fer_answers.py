"""Ask PyPI's fer about the images of a file of predictions; prints how many.

Each image is a face, so fer is told that the whole of it is one, and prepares it by itself. It
rounds to two digits: of labels that are then equal the first counts.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import cv2
from fer.fer import FER

NAMES = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprise": "surprise",
}
"""Our labels, and fer's."""


def main(asked: Path, root: Path, answers: Path) -> None:
    """Write ``asked`` again with fer's probabilities."""
    with asked.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or "image" not in rows[0]:
        sys.exit(f"{asked} holds no predictions: name one that dcrnet-eval wrote")
    if {name for name in rows[0] if name.startswith("p_")} != {f"p_{label}" for label in NAMES}:
        sys.exit(f"{asked} has other labels than {', '.join(NAMES)}, which fer knows")
    detector = FER(mtcnn=False)
    for row in rows:
        row.update(_answer(detector, root / row["image"]))
    with answers.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    sys.stdout.write(f"{len(rows)}\n")


def _answer(detector: FER, path: Path) -> dict[str, str]:
    """The columns that are fer's."""
    bgr = cv2.imread(str(path))
    if bgr is None:
        sys.exit(f"{path} is no image file: use the PNG folders")
    height, width = bgr.shape[:2]
    [face] = detector.detect_emotions(bgr, face_rectangles=[(0, 0, width, height)])
    found = {label: face["emotions"][name] for label, name in NAMES.items()}
    predicted = max(found, key=lambda label: found[label])
    probabilities = {f"p_{label}": f"{found[label]:.4f}" for label in NAMES}
    return {"aligned": "0", "predicted": predicted, **probabilities}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
