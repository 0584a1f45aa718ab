"""How heads were turned, kept beside a study's answers, and accuracy by it."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dcrnet_edge.evaluation.bootstrap import SHARES, mean_interval, subject_numbers
from dcrnet_edge.evaluation.model_refs import Images
from dcrnet_edge.evaluation.predictions import Predictions
from dcrnet_edge.evaluation.rows import Rows
from dcrnet_edge.studies.people.pose import yaw_pitch_deg
from dcrnet_runtime.outfile import written_beside

Pose = tuple[float, float, str]
"""Yaw and pitch in degrees, and the view as the data set names it."""

_YAW_DEG = (10.0, 20.0, 30.0)
_PITCH_DEG = 10.0


def write_pose(images: Images, path: Path) -> None:
    """Yaw, pitch and the data set's own view of each image, as CSV."""
    rows = [
        (math.nan, math.nan) if face.landmarks is None else yaw_pitch_deg(face.landmarks)
        for face in images.data.faces(images.split)
    ]
    samples = images.data.samples(images.split)
    with written_beside(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["image", "yaw_deg", "pitch_deg", "view"])
        for sample, pose in zip(samples, rows, strict=True):
            name = str(sample.name).removeprefix(f"{images.root}/")
            writer.writerow([name, *(f"{angle:.1f}" for angle in pose), sample.view])


def read_pose(path: Path) -> dict[str, Pose]:
    """What :func:`write_pose` wrote, by image; files of before have no views."""
    with path.open(newline="") as file:
        return {
            row["image"]: (float(row["yaw_deg"]), float(row["pitch_deg"]), row.get("view", ""))
            for row in csv.DictReader(file)
        }


def pose_rows(predictions: Predictions, poses: Mapping[str, Pose]) -> Rows:
    """Accuracy by bins of yaw to either side and of pitch about the data set's middle; by view.

    Intervals are over subjects where they are known, else over images.
    """
    own = [poses[image] for image in predictions.images]
    angles, views = np.array([pose[:2] for pose in own]), np.array([pose[2] for pose in own])
    yaw, pitch = np.abs(angles[:, 0]), angles[:, 1] - np.nanmedian(angles[:, 1])
    low, middle, high = _YAW_DEG
    bins = {
        f"yaw below {low:.0f} deg": yaw < low,
        f"yaw {low:.0f} to {middle:.0f} deg": (yaw >= low) & (yaw < middle),
        f"yaw {middle:.0f} to {high:.0f} deg": (yaw >= middle) & (yaw < high),
        f"yaw {high:.0f} deg and more": yaw >= high,
        f"pitch {_PITCH_DEG:.0f} deg and more up": pitch <= -_PITCH_DEG,
        f"pitch within {_PITCH_DEG:.0f} deg": np.abs(pitch) < _PITCH_DEG,
        f"pitch {_PITCH_DEG:.0f} deg and more down": pitch >= _PITCH_DEG,
        "no landmarks": np.isnan(yaw),
        **{f"view {view}": views == view for view in dict.fromkeys(views) if view},
    }
    subjects = subject_numbers(predictions)
    rows = [["pose", "images", "accuracy", "95 % interval"]]
    for name, its in bins.items():
        right = predictions.correct[its].astype(float)
        if not len(right):
            rows.append([name, "0", "", ""])
            continue
        low_share, high_share = mean_interval(
            right, None if subjects is None else subjects[its], SHARES
        )
        shown = f"{100 * low_share:.1f} to {100 * high_share:.1f}"
        rows.append([name, str(len(right)), f"{100 * right.mean():.2f} %", shown])
    return rows
