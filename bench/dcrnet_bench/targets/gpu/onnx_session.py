"""The program's own path on a GPU: ONNX Runtime's CUDA provider, with a CUDA graph.

Options and the conditions of a graph (all nodes on CUDA, buffers bound to fixed places):
https://onnxruntime.ai/docs/execution-providers/CUDA-ExecutionProvider.html.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.profiling.placement import Placement, node_shares
from dcrnet_bench.targets.gpu.requirements import GPU_PACKAGE, PROVIDER
from dcrnet_bench.timing.gpu.execution import Execution, GpuPrecision, GpuRow
from dcrnet_bench.timing.gpu.session import GpuNetwork, NoSessionError
from dcrnet_runtime.backends.model import INPUT_NAME, OUTPUT_NAME, Model
from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.backends.provider import CPU_PROVIDER
from dcrnet_runtime.installation import package_command

_ENGINE = "onnxruntime"
_PRECISIONS = {
    None: (GpuPrecision.FP32, GpuPrecision.TF32),
    Precision.FP32: (GpuPrecision.FP32, GpuPrecision.TF32),
    Precision.FP16: (GpuPrecision.FP16,),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session computes.

    Attributes:
        provider: ONNX Runtime's name.
        device: ONNX Runtime's name of its memory.
    """

    provider: str = PROVIDER
    device: str = "cuda"


CUDA = Place()


def onnx_network(name: str, path: Path, model: Model, place: Place = CUDA) -> GpuNetwork:
    """What an ONNX file can be run as.

    Args:
        name: in the tables.
        path: of the file.
        model: itself on the CPU, which gives the reference answers.
        place: where it is to compute.
    """

    def open_session(row: GpuRow) -> OnnxSession:
        return OnnxSession(path, row, model.card.preprocess.size_px, place)

    precisions = _PRECISIONS.get(model.card.precision, (GpuPrecision.INT8,))
    batch = _batch(path)
    batches = [] if batch is None else [batch]
    return GpuNetwork(name, _ENGINE, precisions, batches, open_session, model.probabilities)


def onnx_placement(path: Path, side: int, place: Place = CUDA) -> Placement:
    """Which share of a file's nodes the provider runs, and which falls to the CPU."""
    crop = np.zeros((_batch(path) or 1, side, side, 3), np.uint8)
    providers = list(dict.fromkeys((place.provider, CPU_PROVIDER)))
    shares = node_shares(path, crop, providers)
    return Placement(f"onnxruntime, {place.provider}", shares)


class OnnxSession:
    """A session with its input and output bound to buffers on the device."""

    def __init__(self, path: Path, row: GpuRow, side: int, place: Place = CUDA) -> None:
        """Of the file at ``path`` for crops of (``row.batch``, ``side``, ``side``, 3).

        Raises:
            NoSessionError: the provider does not load, or the graph cannot be had.
        """
        import onnxruntime

        self._session = _session(path, row, place)
        codes = np.zeros((row.batch, side, side, 3), np.uint8)
        self._codes = onnxruntime.OrtValue.ortvalue_from_numpy(codes, place.device, 0)
        self._binding = self._session.io_binding()
        self._binding.bind_ortvalue_input(INPUT_NAME, self._codes)
        labels = self._session.get_outputs()[0].shape[1]
        self._rows = onnxruntime.OrtValue.ortvalue_from_shape_and_type(
            [row.batch, labels], np.float32, place.device, 0
        )
        self._binding.bind_ortvalue_output(OUTPUT_NAME, self._rows)
        try:
            self.run()  # records the graph
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise NoSessionError(_first_line(error)) from error

    def fill(self, crops: NDArray[np.uint8]) -> None:
        self._codes.update_inplace(np.ascontiguousarray(crops))
        self._binding.synchronize_inputs()

    def run(self) -> None:
        self._session.run_with_iobinding(self._binding)
        self._binding.synchronize_outputs()

    def answers(self) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = self._rows.numpy()
        return rows

    def close(self) -> None:
        del self._binding, self._codes, self._rows, self._session


def _batch(path: Path) -> int | None:
    """Faces that a file takes at once; None for any number."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=[CPU_PROVIDER])
    count = session.get_inputs()[0].shape[0]
    return count if isinstance(count, int) else None


def _session(path: Path, row: GpuRow, place: Place) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    settings = _settings(row) if place.provider == PROVIDER else {}
    if place.provider == PROVIDER and hasattr(onnxruntime, "preload_dlls"):
        # It prints what it does not find; a session then says it better.
        with contextlib.redirect_stdout(sys.stderr):
            onnxruntime.preload_dlls()
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=[(place.provider, settings)]
        )
    except Exception as error:  # onnxruntime's exceptions share no base class
        raise NoSessionError(_first_line(error)) from error
    if place.provider not in session.get_providers():
        raise NoSessionError(
            f"{place.provider} does not load, its libraries are missing or too old:"
            f" {package_command(GPU_PACKAGE)}"
        )
    return session


def _settings(row: GpuRow) -> dict[str, str]:
    return {
        "device_id": "0",
        "enable_cuda_graph": str(int(row.execution is Execution.GRAPH)),
        "use_tf32": str(int(row.precision is GpuPrecision.TF32)),
        "cudnn_conv_algo_search": "EXHAUSTIVE",
    }


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
