"""Annotated photos and recordings in a folder, each under its source's name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import package_command
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.pictures.picture_files import PictureFiles
from dcrnet_runtime.outputs.pictures.video_formats import FORMATS

if TYPE_CHECKING:
    from dcrnet_runtime.outputs.pictures.video_file import VideoFile


class SavedFolder:
    """One file for each source file; a recording's is whole when the next source begins.

    Args:
        path: the folder.
        blur_faces: whether faces are made unrecognisable.
    """

    name = "pictures"
    takes_pixels = True

    def __init__(self, path: Path, *, blur_faces: bool) -> None:
        self._path = path
        self._blurs = blur_faces
        self._photos = PictureFiles(path, is_folder=True, blur_faces=blur_faces)
        self._video: VideoFile | None = None
        self._of = ""

    def write(self, observation: Observation, unix_s: float) -> None:
        """Write a photo, or the next frame of a recording.

        Raises:
            DcrnetError: it cannot be written.
        """
        name = observation.frame.name
        if name != self._of:
            self.close(is_whole=True)
            self._of = name
        if observation.is_still:
            self._photos.write(observation, unix_s)
            return
        if self._video is None:
            path = self._path / name
            if path.suffix.lower() not in FORMATS:
                path = path.with_name(f"{path.name}.mp4")
            self._video = _video_file(path, blur_faces=self._blurs)
        self._video.write(observation, unix_s)

    def close(self, *, is_whole: bool) -> None:
        """Finish the recording that is being written.

        Raises:
            DcrnetError: it is not whole.
        """
        video, self._video = self._video, None
        if video is not None:
            video.close(is_whole=is_whole)


def _video_file(path: Path, *, blur_faces: bool) -> VideoFile:
    """A recording's file.

    Raises:
        DcrnetError: PyAV is not installed, or the place cannot be written.
    """
    try:
        from dcrnet_runtime.outputs.pictures.video_file import VideoFile
    except ImportError as error:
        raise DcrnetError(f"`save` writes video with PyAV: {package_command('av')}") from error
    return VideoFile(path, fps=0.0, is_live=False, blur_faces=blur_faces)
