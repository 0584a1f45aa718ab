"""The file formats that there are, by name."""

from __future__ import annotations

from dcrnet_export.formats.file_format import FileFormat
from dcrnet_export.formats.onnx_format import ONNX
from dcrnet_export.formats.tflite_format import TFLITE
from dcrnet_runtime.errors import DcrnetError

FORMATS: dict[str, FileFormat] = {}
"""By name, in the order in which files are written."""


def register(entry: FileFormat) -> None:
    """Add a format; one of the same name is replaced."""
    FORMATS[entry.name] = entry


def file_format(name: str) -> FileFormat:
    """The format of that name.

    Raises:
        DcrnetError: there is none.
    """
    if name not in FORMATS:
        raise DcrnetError(f"`formats` {name} is unknown: choose {', '.join(FORMATS)}")
    return FORMATS[name]


register(ONNX)
register(TFLITE)
