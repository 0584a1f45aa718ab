"""Checking an artifact again, later or on another machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from dcrnet_export.artifacts.files import REJECTED_SUFFIX, sidecar_of
from dcrnet_export.artifacts.inspection import CHECKPOINT_FORMAT, Description, describe
from dcrnet_export.checks.tolerances import Tolerances
from dcrnet_export.formats.registry import file_format
from dcrnet_runtime.backends.golden import self_test
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.errors import DcrnetError


class Outcome(StrEnum):
    """Of one check."""

    OK = "ok"
    FAILED = "failed"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    outcome: Outcome
    finding: str


def verify(path: Path) -> Iterator[Check]:
    """Everything that can be checked with the file and its sidecar alone.

    Raises:
        DcrnetError: the file is missing, a checkpoint, or carries no readable card.
    """
    described = describe(path)
    if described.format == CHECKPOINT_FORMAT:
        raise DcrnetError(
            f"{path} is a checkpoint: verify takes the ONNX or TFLite file exported from it"
        )
    yield _gates(path)
    yield _sidecar(path, described)
    problem = file_format(described.format).structure_problem(path.read_bytes(), described.card)
    yield _check(
        "structure", problem, f"{described.format} with the interface that the card names"
    )
    try:
        model = load_model(path)
    except DcrnetError as error:
        yield Check("loads", Outcome.FAILED, str(error))
        return
    yield Check("loads", Outcome.OK, "with the runtime of this machine")
    yield _golden(model)


def accuracy_check(described: Description, found: dict[str, Any], tolerances: Tolerances) -> Check:
    """An artifact's accuracy measured again, against the one that its export recorded.

    Args:
        described: the file.
        found: :func:`dcrnet_edge.evaluation.metrics.compute_metrics` of its answers.
        tolerances: how far the two may be apart.
    """
    now, images = found["accuracy"], found["images"]
    measured = f"{now:.2%} on {images} images, calibration error"
    measured += f" {found['expected_calibration_error']:.3f}"
    recorded = described.card.metrics.get("export", {}).get("accuracy")
    if recorded is None:
        return Check("accuracy", Outcome.NOT_SHOWN, f"{measured}; the export recorded none")
    if recorded["comparison"]["images"] != images:
        return Check(
            "accuracy",
            Outcome.NOT_SHOWN,
            f"{measured}; recorded on {recorded['comparison']['images']} others",
        )
    drop = recorded["accuracy"] - now
    finding = f"{measured}; recorded {recorded['accuracy']:.2%}"
    failed = abs(drop) > tolerances.accuracy_drop
    return Check("accuracy", Outcome.FAILED if failed else Outcome.OK, finding)


def _gates(path: Path) -> Check:
    rejected = path.suffix == REJECTED_SUFFIX
    problem = "its export rejected it, as its name says" if rejected else None
    return _check("gates", problem, "passed when it was exported")


def _sidecar(path: Path, described: Description) -> Check:
    sidecar = sidecar_of(path)
    try:
        recorded = json.loads(sidecar.read_text())
        digest, card = recorded["sha256"], recorded["card"]
    except FileNotFoundError:
        return Check("sidecar", Outcome.NOT_SHOWN, f"{sidecar.name} is not there")
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        return Check("sidecar", Outcome.FAILED, f"{sidecar.name} cannot be read ({error})")
    if digest != described.sha256:
        return Check("sidecar", Outcome.FAILED, "the file is not the one that was exported")
    if card != json.loads(described.card.to_json()):
        return Check("sidecar", Outcome.FAILED, "its card is not the file's")
    return Check("sidecar", Outcome.OK, f"sha256 {digest[:12]}... and card are the file's")


def _golden(model: Model) -> Check:
    try:
        test = self_test(model)
    except DcrnetError as error:
        return Check("golden answers", Outcome.NOT_SHOWN, str(error))
    finding = f"{test.inputs} inputs, largest difference {test.largest:.2g} ({test.worst})"
    outcome = Outcome.OK if test.passed else Outcome.FAILED
    return Check("golden answers", outcome, f"{finding}, allowed {test.tolerance:.2g}")


def _check(name: str, problem: str | None, good: str) -> Check:
    return Check(name, Outcome.FAILED if problem else Outcome.OK, problem or good)
