"""Annotated photos in files."""

from __future__ import annotations

from pathlib import Path

import cv2

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outfile import PendingFile, unwritable
from dcrnet_runtime.outputs.pictures.annotation import FaceBlur, annotated
from dcrnet_runtime.video.images import IMAGE_SUFFIXES, write_image


class PictureFiles:
    """Annotated photos: one file, or a folder with one for each source file.

    Args:
        path: the file, or the folder.
        is_folder: which of the two.
        blur_faces: whether faces are made unrecognisable.

    Raises:
        DcrnetError: the ending names no image format, or the place cannot be written.
    """

    name = "pictures"
    takes_pixels = True

    def __init__(self, path: Path, *, is_folder: bool, blur_faces: bool) -> None:
        self._path = path
        self._is_folder = is_folder
        self._blurs = blur_faces
        check_place(path / "photo.jpg" if is_folder else path, "save")

    def write(self, observation: Observation, unix_s: float) -> None:
        """Write a photo.

        Raises:
            DcrnetError: it cannot be written.
        """
        blur = FaceBlur() if self._blurs else None
        if blur is not None:
            blur.note(observation)
        path = self._path
        if self._is_folder:
            path /= observation.frame.name
            if path.suffix.lower() not in IMAGE_SUFFIXES:  # read, but not written
                path = path.with_name(f"{path.name}.jpg")
        write_image(path, annotated(observation, blur))

    def close(self, *, is_whole: bool) -> None:
        """Nothing is left to do."""


def check_place(path: Path, option: str) -> None:
    """Find out before the first photo whether one could be written there.

    Args:
        path: the photo's.
        option: that named it.

    Raises:
        DcrnetError: the ending names no image format, or the place cannot be written.
    """
    pending = PendingFile(path)
    if not cv2.haveImageWriter(path.name):
        raise DcrnetError(f"`{option}` {path} names no image format: end it in .jpg or .png")
    try:
        pending.beside.touch()
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        pending.discard()
