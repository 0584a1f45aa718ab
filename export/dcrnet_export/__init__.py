"""Checkpoints to ONNX and TFLite files, float and int8, each checked against torch.

>>> from pathlib import Path
>>> from dcrnet_export import ArtifactKind, Precision, export, prepare_job
>>> kinds = [ArtifactKind("onnx", Precision.INT8)]
>>> job = prepare_job(Path("model.safetensors"), kinds)
>>> for exported in export(job, kinds, Path("exported")):
...     print(exported.path, exported.problem or "ok")
exported/dcrnet-128-int8.onnx ok
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import dcrnet_runtime  # noqa: F401  # before onnxruntime

if TYPE_CHECKING:
    from dcrnet_export.artifacts.kind import ArtifactKind
    from dcrnet_export.artifacts.target import Target
    from dcrnet_export.exporter import ExportedFile, export
    from dcrnet_export.formats.file_format import FileFormat
    from dcrnet_export.formats.registry import register
    from dcrnet_export.ir.lowering import lower
    from dcrnet_export.job import DataSource, ExportJob, prepare_job
    from dcrnet_runtime.backends.precision import Precision

__all__ = [
    "ArtifactKind",
    "DataSource",
    "ExportJob",
    "ExportedFile",
    "FileFormat",
    "Precision",
    "Target",
    "export",
    "lower",
    "prepare_job",
    "register",
]

_HOMES = {
    "ArtifactKind": "dcrnet_export.artifacts.kind",
    "DataSource": "dcrnet_export.job",
    "ExportJob": "dcrnet_export.job",
    "ExportedFile": "dcrnet_export.exporter",
    "FileFormat": "dcrnet_export.formats.file_format",
    "Precision": "dcrnet_runtime.backends.precision",
    "Target": "dcrnet_export.artifacts.target",
    "export": "dcrnet_export.exporter",
    "lower": "dcrnet_export.ir.lowering",
    "prepare_job": "dcrnet_export.job",
    "register": "dcrnet_export.formats.registry",
}


def __getattr__(name: str) -> Any:
    # Loaded when first used, so that a command's --help does not wait for torch.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
