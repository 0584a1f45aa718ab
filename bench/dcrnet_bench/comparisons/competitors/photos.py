"""What ``dcrnet-run`` does with photos in one process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def faces(photos: Sequence[str], variant: str) -> Iterator[int]:
    """How many faces each photo has, by the model of that name."""
    from dcrnet_runtime.archive import RecognizerSpec, recognize_files

    for answer in recognize_files(photos, spec=RecognizerSpec(model=variant)):
        yield len(answer.faces)
