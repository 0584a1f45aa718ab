"""What a data set holds, before hours are spent on it (the paper's table 1)."""

from __future__ import annotations

import json
from typing import Any

import typer

from dcrnet_edge.data.face_data import FaceData
from dcrnet_edge.datasets.sample import Split, class_counts
from dcrnet_edge.evaluation.rows import Rows, print_rows
from dcrnet_runtime.cli.console import note


def print_contents(data: FaceData) -> None:
    """Tables for people, and one JSON object as the last line.

    Args:
        data: its faces are found, which takes longest.
    """
    found = contents(data)
    splits = found["splits"]
    print_rows(_class_rows(found))
    print_rows(_split_rows(splits))
    note(
        f"{found['repeats']} repeats dropped, {found['unreadable']} images unreadable,"
        f" {len(found['left_out'])} files left out."
    )
    for label in found["labels"]:
        if splits[Split.TRAIN]["classes"][label] == 0:
            note(f"warning: Train has no image of {label}: a network cannot learn it.")
    typer.echo(json.dumps(found))


def contents(data: FaceData) -> dict[str, Any]:
    """As JSON values: images by class and faces with landmarks of each split."""
    dataset = data.dataset
    splits = {}
    for split in Split:
        samples = data.samples(split)
        counts = class_counts(samples, len(dataset.labels)).tolist()
        aligned = sum(face.landmarks is not None for face in data.faces(split))
        splits[split.value] = {
            "images": len(samples),
            "people": len({sample.subject for sample in samples} - {""}),
            "with_landmarks": aligned,
            "classes": dict(zip(dataset.labels, counts, strict=True)),
        }
    return {
        "dataset": dataset.name,
        "protocol": dataset.protocol,
        "labels": list(dataset.labels),
        "splits": splits,
        "repeats": dataset.repeats,
        "unreadable": dataset.unreadable,
        "left_out": list(dataset.left_out),
        "data_sha256": dataset.digest,
    }


def _class_rows(found: dict[str, Any]) -> Rows:
    splits = found["splits"]
    rows = [["class", *splits, "all"]]
    for label in found["labels"]:
        counts = [each["classes"][label] for each in splits.values()]
        rows.append([label, *map(str, counts), str(sum(counts))])
    totals = [each["images"] for each in splits.values()]
    return [*rows, ["all", *map(str, totals), str(sum(totals))]]


def _split_rows(splits: dict[str, Any]) -> Rows:
    rows = [["split", "images", "people", "landmarks found", "box only"]]
    for split, each in splits.items():
        aligned, images = each["with_landmarks"], each["images"]
        share = f" ({100 * aligned / images:.1f} %)" if images else ""
        people = str(each["people"] or "unknown")
        rows.append([split, str(images), people, f"{aligned}{share}", str(images - aligned)])
    return rows
