"""What PyPI's fer answers to the images that one of our models was asked about.

    dcrnet-eval MODEL --data FERPLUS --landmarks face_landmarker.task --predictions ours.csv
    python -m venv fer-env && fer-env/bin/pip install fer
    fer-env/bin/python docs/fer_answers.py ours.csv FERPLUS fer.csv
    dcrnet-eval ours.csv --against fer.csv

Runs where fer is installed, and needs nothing else. Each image is a face, so fer is told that
the whole of it is one, and prepares it by itself. It rounds to two digits: of labels that are
then equal the first counts.
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
    detector = FER(mtcnn=False)
    with asked.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if {name for name in rows[0] if name.startswith("p_")} != {f"p_{label}" for label in NAMES}:
        raise SystemExit(f"{asked} has other labels than {', '.join(NAMES)}, which fer knows")
    for row in rows:
        bgr = cv2.imread(str(root / row["image"]))
        if bgr is None:
            raise SystemExit(f"{root / row['image']} is no image file: use the PNG folders")
        height, width = bgr.shape[:2]
        [face] = detector.detect_emotions(bgr, face_rectangles=[(0, 0, width, height)])
        found = {label: face["emotions"][name] for label, name in NAMES.items()}
        row["aligned"] = "0"
        row["predicted"] = max(found, key=lambda label: found[label])
        row.update((f"p_{label}", f"{found[label]:.4f}") for label in NAMES)
    with answers.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
