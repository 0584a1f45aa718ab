"""Batches of photos as columns in, rows of faces out: what data engines such as Ray map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from dcrnet_runtime.archive.answering import ENOUGH_PX
from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.recognizer import Recognition
from dcrnet_runtime.video.images import Photo, decode_photo, read_content


class PhotoBatch:
    """Answers batches of photos, holding the model once; an actor of a data engine.

    >>> answered = PhotoBatch()({"path": ["a.jpg"]})
    >>> answered["label"]
    [...]

    Args:
        spec: model and detector; None for the shipped ones.

    Raises:
        DcrnetError: they cannot be opened.
    """

    def __init__(self, spec: RecognizerSpec | None = None) -> None:
        self._recognizer = (spec or RecognizerSpec()).open()
        self._labels = self._recognizer.model.card.labels

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """One row a face, best face of each photo first; one with an error for what is no photo.

        Args:
            batch: columns: ``path``, and ``bytes`` where the files' contents are at hand, as
                ``ray.data.read_binary_files(..., include_paths=True)`` gives them.

        Returns:
            columns: ``path``, ``face`` (number in the photo, from 0; -1 where there is none),
            ``x``, ``y``, ``width`` and ``height`` in px of the photo, ``aligned``, ``label``,
            ``probability``, ``p_LABEL`` for each label, and ``error``. A photo without a face has
            a row as well, so that every photo is seen to be done.
        """
        names = ("path", "face", "x", "y", "width", "height", "aligned", "label", "probability")
        columns: dict[str, list[Any]] = {name: [] for name in names}
        columns |= {f"p_{label}": [] for label in self._labels}
        columns["error"] = []
        contents = batch.get("bytes", [None] * len(batch["path"]))
        for path, content in zip(batch["path"], contents, strict=True):
            for row in self._rows(str(path), content):
                for name, values in columns.items():
                    values.append(row.get(name))
        return columns

    def _rows(self, path: str, content: bytes | None) -> list[dict[str, Any]]:
        try:
            content = read_content(Path(path)) if content is None else content
            photo = decode_photo(content, path, ENOUGH_PX)
        except DcrnetError as error:
            return [{"path": path, "face": -1, "error": str(error)}]
        found = self._recognizer.recognize(photo.rgb)
        rows = [self._row(photo, number, each) for number, each in enumerate(found)]
        return [{"path": path, "error": "", **row} for row in rows or [{"face": -1}]]

    def _row(self, photo: Photo, number: int, recognition: Recognition) -> dict[str, Any]:
        face = recognition.face
        x, y, width, height = (round(value * photo.scale, 1) for value in astuple(face.box))
        each = zip(self._labels, recognition.probabilities, strict=True)
        return {
            **{"face": number, "x": x, "y": y, "width": width, "height": height},
            "aligned": face.landmarks is not None,
            "label": recognition.label,
            "probability": recognition.probability,
            **{f"p_{label}": float(probability) for label, probability in each},
        }
