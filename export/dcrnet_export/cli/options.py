"""The options of ``dcrnet-export``, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dcrnet_edge.weights import checkpoint_path
from dcrnet_export.cli.labelled import DataOption, DatasetOption, LandmarksOption, data_source

if TYPE_CHECKING:
    from dcrnet_export.artifacts.kind import ArtifactKind
    from dcrnet_export.job import DataSource


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """What is exported, and where to."""

    checkpoint: Annotated[
        Path | None,
        typer.Argument(
            parser=checkpoint_path,
            metavar="accurate|fast|FILE",
            help="Shipped weights, or a .safetensors checkpoint; default: accurate.",
        ),
    ] = None
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("dcrnet-export")


@dataclass(frozen=True, slots=True)
class KindOptions:
    """Which files are written."""

    int8: Annotated[bool, typer.Option("--int8", help="Add int8, the fastest on CPUs.")] = False
    fp16: Annotated[bool, typer.Option("--fp16", help="Add fp16: half the size.")] = False
    dynamic_range: Annotated[
        bool,
        typer.Option("--dynamic-range", help="Add TFLite with int8 weights, float activations."),
    ] = False
    qdq: Annotated[
        bool, typer.Option("--qdq", help="Add int8 ONNX in the form that NPU compilers read.")
    ] = False
    target: Annotated[
        str | None,
        typer.Option(
            help="arm, x86, qnn, nnapi, coreml or tensorrt: writes what is fast there, and says"
            " why, in place of fp32 and what the flags above add."
        ),
    ] = None
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="onnx or tflite; repeat for both; default: both."),
    ] = None
    batch: Annotated[str, typer.Option(help="Faces a run: a number, or dynamic (ONNX alone).")] = (
        "1"
    )

    features: Annotated[
        bool,
        typer.Option(
            "--features",
            help="Give each file the pooled features as a second output (docs/features.md).",
        ),
    ] = False

    def kinds(self) -> list[ArtifactKind]:
        """The files' kinds, in order.

        Raises:
            DcrnetError: an unknown name, or a combination that gives no file.
        """
        from dcrnet_export.artifacts.selection import selected_kinds
        from dcrnet_runtime.backends.precision import Precision

        flags = {
            Precision.FP16: self.fp16,
            Precision.INT8: self.int8,
            Precision.INT8_QDQ: self.qdq,
            Precision.DYNAMIC_RANGE: self.dynamic_range,
        }
        added = [precision for precision, asked in flags.items() if asked]
        return selected_kinds(self.formats, added, self.target, self.batch, features=self.features)


@dataclass(frozen=True, slots=True)
class FaceOptions:
    """What is fed to the network: the input's side, and faces to calibrate and check with."""

    calib: Annotated[
        Path | None,
        typer.Option(
            help="Folder of face images: calibrates int8, and all files are checked on it."
        ),
    ] = None
    size: Annotated[
        int | None,
        typer.Option(help="Input side in px: 64, 128, 192 or 224; default: the checkpoint's."),
    ] = None
    data: DataOption = None
    dataset: DatasetOption = "ferplus"
    landmarks: LandmarksOption = None

    def source(self) -> DataSource | None:
        """The labelled data set; None where none is named.

        Raises:
            DcrnetError: an unknown layout, or no such folder.
        """
        return data_source(self.dataset, self.data, self.landmarks)
