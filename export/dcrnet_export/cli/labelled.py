"""The options that name a labelled data set, and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.data.face_data import FaceData
    from dcrnet_export.job import DataSource

DataOption = Annotated[
    Path | None,
    typer.Option(help="A labelled data set: accuracy is measured on its Test split."),
]
DatasetOption = Annotated[str, typer.Option(help="Its layout; dcrnet-eval --help lists them.")]
LandmarksOption = Annotated[
    Path | None,
    typer.Option(help="A face_landmarker.task bundle to find its faces with."),
]


def data_source(dataset: str, data: Path | None, landmarks: Path | None) -> DataSource | None:
    """What the options name; None where they name none.

    Raises:
        DcrnetError: an unknown layout, or no such folder.
    """
    if data is None:
        return None
    return required_source(dataset, data, landmarks)


def required_source(dataset: str, data: Path, landmarks: Path | None) -> DataSource:
    """The data set that the options name.

    Raises:
        DcrnetError: an unknown layout, or no such folder.
    """
    from dcrnet_edge.datasets.registry import adapter
    from dcrnet_export.job import DataSource

    if not data.is_dir():
        raise DcrnetError(f"`data` {data} is no folder: name the data set's")
    name = adapter(dataset).name

    def opened() -> FaceData:
        from dcrnet_edge.cli.face_data import open_data
        from dcrnet_edge.datasets.sample import Split
        from dcrnet_edge.datasets.splits import SplitPlan

        return open_data(name, data, SplitPlan(), landmarks, 1, needed=[Split.TEST])

    return DataSource(data, opened)
