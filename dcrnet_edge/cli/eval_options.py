"""The options of ``dcrnet-eval``, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_edge.cli.face_data import (
    FaceWorkersOption,
    FoldOption,
    FoldsOption,
    LandmarksCacheOption,
    LandmarksOption,
    ProtocolOption,
    SplitSeedOption,
    open_data,
    split_plan,
)
from dcrnet_edge.datasets.registry import names as dataset_names
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.models import model_path

if TYPE_CHECKING:
    from dcrnet_edge.data.corruptions import Corruption
    from dcrnet_edge.datasets.sample import Split
    from dcrnet_edge.evaluation.model_refs import Images, ModelRef


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What is judged."""

    models: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=model_path,
            metavar="MODEL",
            help="accurate, fast, checkpoints, ONNX or TFLite files, or predictions (.csv);"
            " default: what is shipped, each checkpoint at each of its sizes.",
        ),
    ] = None
    size: Annotated[
        list[int] | None,
        typer.Option(help="Input side of a checkpoint, in place of its own; repeatable."),
    ] = None
    against: Annotated[
        Path | None,
        typer.Option(
            parser=model_path,
            metavar="MODEL",
            help="A model or predictions to compare the first one with.",
        ),
    ] = None

    def judged(self) -> list[ModelRef]:
        """The models, a reference for each size."""
        from dcrnet_edge.evaluation.model_refs import asked, shipped

        sizes_px = self.size or ()
        return list(asked(self.models, sizes_px) if self.models else shipped(sizes_px))

    def rivals(self) -> list[ModelRef]:
        """What the first model is compared with: nothing, or one."""
        from dcrnet_edge.evaluation.model_refs import asked

        return [] if self.against is None else list(asked([self.against], self.size or ()))[:1]


@dataclass(frozen=True, slots=True)
class DataOptions:
    """What it is judged on."""

    data: Annotated[
        Path | None, typer.Option(help="The data set's folder; predictions need none.")
    ] = None
    dataset: Annotated[
        str,
        typer.Option(help=f"Layout: {', '.join(dataset_names())}."),
    ] = "ferplus"
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test"
    protocol: ProtocolOption = None
    fold: FoldOption = 0
    folds: FoldsOption = 10
    split_seed: SplitSeedOption = 0
    box_only: Annotated[
        bool,
        typer.Option("--box-only", help="Withhold landmarks, as where no network finds them."),
    ] = False
    shared_labels: Annotated[
        bool,
        typer.Option("--shared-labels", help="Leave out labels that model or data do not know."),
    ] = False
    corrupt: Annotated[
        list[str] | None,
        typer.Option(
            help="Judge on corrupted pictures, too, which faces are found anew on: a kind (blur,"
            " eyes, ...), trained, held-out or all; repeatable."
        ),
    ] = None
    landmarks: LandmarksOption = None
    landmarks_cache: LandmarksCacheOption = None
    workers: FaceWorkersOption = 0

    def part(self) -> Split:
        """The split that is judged on.

        Raises:
            DcrnetError: there is none of that name.
        """
        from dcrnet_edge.datasets.sample import Split

        if self.split not in list(Split):
            raise DcrnetError(f"--split {self.split} is unknown: choose {', '.join(Split)}")
        return Split(self.split)

    def images(self) -> Images | None:
        """The images of that split; None where no folder is named.

        Raises:
            DcrnetError: they cannot be read or split.
        """
        from dcrnet_edge.evaluation.model_refs import Images

        part = self.part()
        if self.data is None:
            return None
        faces = open_data(
            self.dataset,
            self.data,
            split_plan(self.protocol, self.fold, self.folds, self.split_seed),
            self.landmarks,
            self.workers,
            is_box_only=self.box_only,
            landmarks_cache=self.landmarks_cache,
            needed=[part],
        )
        return Images(faces, part, self.data, self.shared_labels)

    def corruptions(self) -> list[Corruption]:
        """The kinds that pictures are corrupted by, too.

        Raises:
            DcrnetError: there is none of a name.
        """
        from dcrnet_edge.evaluation.robustness import kinds_of

        return kinds_of(self.corrupt or ())


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What is written of it, and how it is printed."""

    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every figure to a file.")
    ] = None
    predictions_file: Annotated[
        Path | None,
        typer.Option(
            "--predictions",
            help="Write the first model's answers; those to corrupted pictures beside it, as"
            " NAME.KIND.csv.",
        ),
    ] = None
    report: Annotated[
        Path | None, typer.Option(help="Folder for report.md, the confusion matrix and answers.")
    ] = None
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the tables as Markdown.")
    ] = False
