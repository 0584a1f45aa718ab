"""Faces cut again from the photos and recordings that answers are of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box
from dcrnet_runtime.outputs.pictures.annotation import coarse
from dcrnet_runtime.video.capture import CaptureRequest
from dcrnet_runtime.video.images import read_photo
from dcrnet_runtime.video.rotation import turned
from dcrnet_runtime.video.source import resolve

if TYPE_CHECKING:
    import pandas as pd

SIDE_PX = 112
_MARGIN = 0.15  # of the box's longer side
_QUALITY = 82  # of JPEG


class Places:
    """Where files lie that answers name without their folders.

    Args:
        folders: to look in, one after the other, at first for the name as it is and then in all
            that is below.
        beside: folders of which only the files themselves are looked at.
    """

    def __init__(self, folders: Sequence[Path], beside: Sequence[Path] = ()) -> None:
        self._folders, self._beside = folders, beside

    def find(self, name: str) -> Path:
        """The file of a source.

        Raises:
            DcrnetError: it is gone, or was no file, or there are several of its name.
        """
        if "://" in name:
            raise DcrnetError("it was no file")
        parts = Path(name).parts
        try:
            for folder in (*self._folders, *self._beside):
                if (path := folder / name).is_file():
                    return path
            same = self._below.get(Path(name).name, [])
        except (OSError, ValueError) as error:  # of a name that no file can have
            raise DcrnetError(f"it cannot be looked for ({error})") from error
        found = [path for path in same if path.parts[-len(parts) :] == parts]
        if len(found) > 1:
            raise DcrnetError(f"there are {len(found)} of that name: name its own folder")
        if not found:
            raise DcrnetError("it is not there")
        return found[0]

    @cached_property
    def _below(self) -> dict[str, list[Path]]:
        below: dict[str, list[Path]] = {}
        for folder in self._folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    below.setdefault(path.name, []).append(path)
        return below


@dataclass(slots=True)
class Cuts:
    """What was cut.

    Attributes:
        pictures: JPEG bytes by the rows' index.
        gone: why nothing could be cut, by source.
    """

    pictures: dict[int, bytes] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)


def cut_faces(
    rows: pd.DataFrame,
    places: Places,
    *,
    rotation_deg: int = 0,
    is_blurred: bool = False,
    show: Callable[[int, int], None] = lambda done, total: None,
) -> Cuts:
    """The faces of some answers, each as a picture of :data:`SIDE_PX`.

    One source after the other is read, a recording as far as its last face that is wanted. Only
    files are opened.

    Args:
        rows: answers as :func:`dcrnet_runtime.answers.reading.read_answers` gives them.
        places: where their sources lie.
        rotation_deg: how far pictures were turned when they were answered.
        is_blurred: leave six by six colours of each.
        show: is told how many sources are done, and of how many.
    """
    cuts = Cuts()
    groups = rows.groupby("source", sort=False)
    for number, (name, group) in enumerate(groups):
        try:
            wanted = group.sort_values("frame")
            for index, rgb, box in _pictures(places.find(str(name)), wanted, rotation_deg):
                face = _cut(rgb, box)
                cuts.pictures[index] = _jpeg(coarse(face, SIDE_PX) if is_blurred else face)
        except DcrnetError as error:
            cuts.gone[str(name)] = str(error)
        missing = len(group.index.difference(list(cuts.pictures)))
        if missing and name not in cuts.gone:
            cuts.gone[str(name)] = f"{missing} of its frames are not there"
        show(number + 1, len(groups))
    return cuts


def _pictures(
    path: Path, rows: pd.DataFrame, rotation_deg: int
) -> Iterator[tuple[int, NDArray[np.uint8], Box]]:
    """Each row's index, its picture, and the box in px of that.

    Raises:
        DcrnetError: the file cannot be read.
    """
    source = resolve(str(path.absolute()))
    if source.kind.open is None:
        photo = read_photo(path)
        rgb = turned(photo.rgb, rotation_deg)
        for row in rows.itertuples():
            yield row.Index, rgb, _box(row, photo.scale)
        return
    capture = source.opener(CaptureRequest())()
    try:
        number = -1
        for frame, group in rows.groupby("frame", sort=True):
            while number < frame:
                if not capture.grab():
                    return
                number += 1
            rgb_or_none = capture.retrieve()
            if rgb_or_none is not None:
                rgb = turned(rgb_or_none, rotation_deg)
                for row in group.itertuples():
                    yield row.Index, rgb, _box(row, 1)
    finally:
        capture.close()


def _box(row: Any, scale: int) -> Box:
    return Box(*(float(v) / scale for v in (row.x, row.y, row.width, row.height)))


def _cut(rgb: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The square around a box, black where it reaches past the picture.

    Raises:
        DcrnetError: it lies outside, so that it is of another picture.
    """
    height, width = rgb.shape[:2]
    side = box.side * (1 + 2 * _MARGIN)
    if not (np.isfinite(side) and side > 0 and box.outside(width, height) < 1):
        raise DcrnetError("it is another picture than the one that was answered")
    x, y = box.centre
    scale = SIDE_PX / side
    to_square = np.array(
        [[scale, 0, SIDE_PX / 2 - scale * x], [0, scale, SIDE_PX / 2 - scale * y]], np.float32
    )
    sharp = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.warpAffine(rgb, to_square, (SIDE_PX, SIDE_PX), flags=sharp).astype(np.uint8)


def _jpeg(rgb: NDArray[np.uint8]) -> bytes:
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1])
