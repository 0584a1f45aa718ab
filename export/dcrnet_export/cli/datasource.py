"""The labelled data set that files are checked on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.data.face_data import FaceData

DataOption = Annotated[
    Path | None,
    typer.Option(help="A labelled data set: accuracy is measured on its Test split."),
]
DatasetOption = Annotated[str, typer.Option(help="Its layout; dcrnet-eval --help lists them.")]
LandmarksOption = Annotated[
    Path | None,
    typer.Option(help="A face_landmarker.task bundle to find its faces with."),
]


@dataclass(frozen=True, slots=True)
class DataSource:
    """A labelled data set on disk.

    Attributes:
        kind: its layout.
        root: its folder.
        landmarks: a ``face_landmarker.task`` bundle to find its faces with; None takes what is
            installed.
    """

    kind: str
    root: Path
    landmarks: Path | None = None

    @classmethod
    def asked(cls, dataset: str, root: Path, landmarks: Path | None) -> Self:
        """What the options name.

        Raises:
            DcrnetError: an unknown layout, or no such folder.
        """
        from dcrnet_edge.datasets.registry import adapter

        if not root.is_dir():
            raise DcrnetError(f"--data {root} is no folder: name the data set's")
        return cls(adapter(dataset).name, root, landmarks)

    def open(self) -> FaceData:
        """The data set; its faces are found when they are asked for.

        Raises:
            DcrnetError: it cannot be read or split, or there is no landmark network.
        """
        from dcrnet_edge.cli.face_data import open_data
        from dcrnet_edge.datasets.splits import SplitPlan

        return open_data(self.kind, self.root, SplitPlan(), self.landmarks, 1)
