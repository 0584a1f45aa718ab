"""The ONNX files of a checkpoint that the program's own path on a GPU runs.

They are written by the command ``dcrnet-export``, which the bench does not import.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from dcrnet_bench.timing.gpu.session import NoSessionError
from dcrnet_runtime.installation import extra_command

_LIMIT_S = 1800.0
_CODE = "from dcrnet_export.cli.export import app; app()"


def export_for_gpu(checkpoint: Path, folder: Path) -> list[Path]:
    """Write fp32 and fp16 ONNX files that take any number of faces.

    Args:
        checkpoint: a ``.safetensors`` file.
        folder: to write to.

    Raises:
        NoSessionError: the exporter is not installed, or fails.
    """
    if find_spec("dcrnet_export") is None or find_spec("onnx") is None:
        raise NoSessionError(
            f"the exporter is not installed: {extra_command('export')}, or name exported ONNX"
            " files"
        )
    words = [sys.executable, "-c", _CODE, str(checkpoint), "--out", str(folder)]
    options = ["--format", "onnx", "--fp16", "--batch", "dynamic"]
    try:
        done = subprocess.run(words + options, capture_output=True, text=True, timeout=_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise NoSessionError(f"dcrnet-export took longer than {_LIMIT_S:.0f} s") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["it does not say why"]
        raise NoSessionError(f"dcrnet-export failed: {said[0]}")
    return sorted(folder.glob("*.onnx"))
