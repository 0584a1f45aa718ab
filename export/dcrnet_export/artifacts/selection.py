"""What the command line asks for, as kinds of artefacts."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from dcrnet_export.artifacts.artifact import PRECISIONS, ArtifactKind
from dcrnet_export.artifacts.target import Target, recipe_for
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.errors import DcrnetError

ANY_BATCH = "dynamic"
_LARGEST_BATCH = 1024
_FLAGS = {
    Precision.FP16: "--fp16",
    Precision.INT8: "--int8",
    Precision.INT8_QDQ: "--qdq",
    Precision.DYNAMIC_RANGE: "--dynamic-range",
}


def selected_kinds(
    formats: Sequence[str] | None,
    added: Sequence[Precision],
    target: str | None,
    batch: str,
) -> list[ArtifactKind]:
    """The kinds to export, in order.

    Args:
        formats: names given by ``--format``; None or empty for all.
        added: precisions beside fp32.
        target: name given by ``--target``; it chooses formats and precisions itself.
        batch: a number or ``dynamic``.

    Raises:
        DcrnetError: an unknown name, or a combination that gives no file.
    """
    chosen = [_format(name) for name in dict.fromkeys(formats or [])] or list(ModelFormat)
    size = _batch(batch)
    if target is not None:
        kinds = _for_target(_target(target), chosen, added, size)
    else:
        kinds = _for_precisions(chosen, added, size)
    if size is None and any(kind.format is ModelFormat.TFLITE for kind in kinds):
        raise DcrnetError(
            "--batch dynamic is for ONNX, a TFLite file has a fixed batch: add --format onnx, or"
            " give --batch a number"
        )
    return kinds


def _for_target(
    target: Target, formats: list[ModelFormat], added: Sequence[Precision], batch: int | None
) -> list[ArtifactKind]:
    if added:
        raise DcrnetError(
            f"--target {target} chooses the precisions itself: leave {_FLAGS[added[0]]} away"
        )
    wanted = recipe_for(target).artifacts
    kinds = [ArtifactKind(form, each, batch, target) for form, each in wanted if form in formats]
    if not kinds:
        served = " and ".join(dict.fromkeys(form for form, _ in wanted))
        raise DcrnetError(f"--target {target} is served by {served}: leave --format away")
    return kinds


def _for_precisions(
    formats: list[ModelFormat], added: Sequence[Precision], batch: int | None
) -> list[ArtifactKind]:
    kinds = []
    for precision in (Precision.FP32, *added):
        able = [form for form in formats if precision in PRECISIONS[form]]
        if not able:
            fits = " and ".join(form for form in ModelFormat if precision in PRECISIONS[form])
            raise DcrnetError(f"{_FLAGS[precision]} is for {fits} alone: add --format {fits}")
        kinds += [ArtifactKind(form, precision, batch) for form in able]
    return kinds


def _format(name: str) -> ModelFormat:
    known = {form.value: form.value for form in ModelFormat}
    hint = _hint(name, known | {flag.removeprefix("--"): flag for flag in _FLAGS.values()})
    if name not in known:
        raise DcrnetError(f"--format {name} is unknown: {hint or f'choose {_or(known)}'}")
    return ModelFormat(name)


def _target(name: str) -> Target:
    known = {target.value: target.value for target in Target}
    if name not in known:
        hint = _hint(name, known) or f"choose {_or(known)}"
        raise DcrnetError(f"--target {name} is unknown: {hint}")
    return Target(name)


def _hint(name: str, meanings: dict[str, str]) -> str | None:
    """What a misspelt name probably means."""
    close = difflib.get_close_matches(name.lower(), meanings, 1, 0.3)
    return f"did you mean {meanings[close[0]]}?" if close else None


def _batch(text: str) -> int | None:
    if text == ANY_BATCH:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _LARGEST_BATCH):
        raise DcrnetError(
            f"--batch {text} is no batch: give a number from 1 to {_LARGEST_BATCH}, or"
            f" {ANY_BATCH} (ONNX alone)"
        )
    return int(text)


def _or(names: dict[str, str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}"
