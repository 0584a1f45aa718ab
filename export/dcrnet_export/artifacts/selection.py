"""What the command line asks for, as kinds of artifacts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dcrnet_export.artifacts.kind import ArtifactKind
from dcrnet_export.artifacts.target import Target, plan_for
from dcrnet_export.formats.file_format import FileFormat
from dcrnet_export.formats.registry import FORMATS
from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.errors import DcrnetError

DYNAMIC_BATCH = "dynamic"
_LARGEST_BATCH = 1024
_FLAGS = {
    Precision.FP16: "fp16",
    Precision.INT8: "int8",
    Precision.INT8_QDQ: "qdq",
    Precision.DYNAMIC_RANGE: "dynamic_range",
}
"""What adds a precision."""


def selected_kinds(
    formats: Sequence[str] | None,
    added: Sequence[Precision],
    target: str | None,
    batch: str,
    *,
    features: bool = False,
) -> list[ArtifactKind]:
    """The kinds to export, in order.

    Args:
        formats: names; None or empty for all.
        added: precisions beside fp32.
        target: name; it chooses formats and precisions itself.
        batch: a number or ``dynamic``.
        features: whether the pooled features are a second output of each.

    Raises:
        DcrnetError: an unknown name, or a combination that gives no file.
    """
    chosen = [_format(name) for name in dict.fromkeys(formats or [])] or list(FORMATS.values())
    size = _batch(batch)
    if target is not None:
        kinds = _for_target(_target(target), chosen, added, size)
    else:
        kinds = _for_precisions(chosen, added, size)
    if size is None and (fixed := [kind for kind in kinds if not kind.file_format.has_free_batch]):
        able = _and(form.name for form in FORMATS.values() if form.has_free_batch)
        raise DcrnetError(
            f"`batch` {DYNAMIC_BATCH} is for {able}, a {fixed[0].format} file has a fixed batch:"
            f" add `formats` {able}, or give `batch` a number"
        )
    return [replace(kind, features=features) for kind in kinds]


def _for_target(
    target: Target, formats: list[FileFormat], added: Sequence[Precision], batch: int | None
) -> list[ArtifactKind]:
    if added:
        raise DcrnetError(
            f"`target` {target} chooses the precisions itself: leave `{_FLAGS[added[0]]}` away"
        )
    wanted, names = plan_for(target).artifacts, [form.name for form in formats]
    kinds = [ArtifactKind(form, each, batch, target) for form, each in wanted if form in names]
    if not kinds:
        served = _and(dict.fromkeys(form for form, _ in wanted))
        raise DcrnetError(f"`target` {target} is served by {served}: leave `formats` away")
    return kinds


def _for_precisions(
    formats: list[FileFormat], added: Sequence[Precision], batch: int | None
) -> list[ArtifactKind]:
    kinds = []
    for precision in (Precision.FP32, *added):
        able = [form for form in formats if precision in form.precisions]
        if not able:
            fits = _and(form.name for form in FORMATS.values() if precision in form.precisions)
            raise DcrnetError(f"`{_FLAGS[precision]}` is for {fits} alone: add `formats` {fits}")
        kinds += [ArtifactKind(form.name, precision, batch) for form in able]
    return kinds


def _format(name: str) -> FileFormat:
    if name in FORMATS:
        return FORMATS[name]
    flags = {flag.replace("_", "-"): f"`{flag}`" for flag in _FLAGS.values()}
    hint = _hint(name, {each: each for each in FORMATS} | flags)
    raise DcrnetError(f"`formats` {name} is unknown: {hint or f'choose {_or(FORMATS)}'}")


def _target(name: str) -> Target:
    if name not in tuple(Target):
        raise DcrnetError(f"`target` {name} is unknown: choose {_or(Target)}")
    return Target(name)


def _hint(name: str, meanings: dict[str, str]) -> str | None:
    """What a misspelt name probably means."""
    close = difflib.get_close_matches(name.lower(), meanings, 1, 0.3)
    return f"did you mean {meanings[close[0]]}?" if close else None


def _batch(text: str) -> int | None:
    if text == DYNAMIC_BATCH:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _LARGEST_BATCH):
        raise DcrnetError(
            f"`batch` {text} is no batch: give a number from 1 to {_LARGEST_BATCH}, or"
            f" {DYNAMIC_BATCH} (ONNX alone)"
        )
    return int(text)


def _or(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}"


def _and(names: Iterable[str]) -> str:
    return " and ".join(names)
