"""An explained photo in a file."""

from __future__ import annotations

from pathlib import Path

from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs.explanation.explained_face import explained
from dcrnet_runtime.outputs.explanation.sheet import sheet
from dcrnet_runtime.outputs.pictures.picture_files import check_place
from dcrnet_runtime.video.images import write_image

MOST_FACES = 10
"""That are explained, best first: a sheet of more is too tall for some image formats."""


class SheetFile:
    """Writes one photo's sheet; none where the photo has no face.

    Args:
        path: of the picture.
        model: that answers.

    Raises:
        DcrnetError: the ending names no image format, or the place cannot be written.
    """

    name = "explanation"
    takes_pixels = True

    def __init__(self, path: Path, model: Model) -> None:
        self._path = path
        self._model = model
        check_place(path, "explain")

    def write(self, observation: Observation, unix_s: float) -> None:
        """Write the sheet.

        Raises:
            DcrnetError: it cannot be written, or the model fails.
        """
        rgb = observation.frame.rgb
        recognitions = [face.recognition for face in observation.faces]
        if recognitions:
            faces = [explained(rgb, each, self._model) for each in recognitions[:MOST_FACES]]
            write_image(self._path, sheet(rgb, faces, len(recognitions)))

    def close(self, *, is_whole: bool) -> None:
        """Nothing is left to do."""
