"""The checkpoint itself in torch, as a reference; the one module here that needs torch.

Torch and ``dcrnet_edge`` are loaded when a checkpoint is opened, so that the base install's bench
does without. How a CUDA graph is recorded: https://docs.pytorch.org/docs/stable/notes/cuda.html,
"CUDA Graphs".
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_bench.timing.gpu.execution import Execution, GpuPrecision, GpuRow
from dcrnet_bench.timing.gpu.session import GpuNetwork
from dcrnet_runtime.backends.card import ModelCard

if TYPE_CHECKING:
    from dcrnet_edge.models.network import FaceNetwork

_ENGINE = "torch"
_WARM_UP_RUNS = 3


@dataclass(frozen=True, slots=True, eq=False)
class OpenedCheckpoint:
    """A checkpoint.

    Attributes:
        card: what it says of itself.
        network: what torch runs of it.
    """

    card: ModelCard
    network: GpuNetwork


def shipped_checkpoint() -> Path:
    """The weights inside the package.

    Raises:
        DcrnetError: the installation lacks them.
    """
    from dcrnet_edge.weights import shipped_checkpoint as find

    return find()


def open_checkpoint(path: Path, device: str = "cuda", cuda: Any = None) -> OpenedCheckpoint:
    """What torch can run of a checkpoint, at its own input size.

    Args:
        path: a ``.safetensors`` file.
        device: torch's name of where it is to compute.
        cuda: ``torch.cuda``, or what stands in for it.

    Raises:
        DcrnetError: the file is missing, damaged or foreign.
    """
    import torch

    from dcrnet_edge.models.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(path)
    side = checkpoint.card.preprocess.size_px

    def open_session(row: GpuRow) -> TorchSession:
        network = copy.deepcopy(checkpoint.network)
        return TorchSession(network, row, side, device, cuda or torch.cuda)

    precisions: Sequence[GpuPrecision] = (
        GpuPrecision.FP32,
        GpuPrecision.TF32,
        GpuPrecision.FP16,
    )

    def reference(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits = checkpoint.network(torch.from_numpy(crops).permute(0, 3, 1, 2))
            rows: NDArray[np.float32] = logits.softmax(dim=1).numpy()
        return rows

    network = GpuNetwork(path.name, _ENGINE, precisions, [], open_session, reference)
    return OpenedCheckpoint(checkpoint.card, network)


class TorchSession:
    """A network with a fixed input on the device; plain torch, channels first."""

    def __init__(
        self, network: FaceNetwork, row: GpuRow, side: int, device: str, cuda: Any
    ) -> None:
        """For crops of (``row.batch``, ``side``, ``side``, 3), ``network`` being changed."""
        import torch

        self._torch, self._cuda = torch, cuda
        _allow_tf32(row.precision is GpuPrecision.TF32)
        if row.precision is GpuPrecision.FP16:
            _halve(network)
        self._network = network.to(device).eval()
        self._codes = torch.zeros((row.batch, 3, side, side), dtype=torch.uint8, device=device)
        self._graph: Any = None
        if row.execution is Execution.GRAPH:
            self._graph = self._recorded()
        else:
            self._rows = self._infer()

    def fill(self, crops: NDArray[np.uint8]) -> None:
        self._codes.copy_(self._torch.from_numpy(crops).permute(0, 3, 1, 2))
        self._cuda.synchronize()

    def run(self) -> None:
        if self._graph is None:
            self._rows = self._infer()
        else:
            self._graph.replay()
        self._cuda.synchronize()

    def answers(self) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = self._rows.float().cpu().numpy()
        return rows

    def close(self) -> None:
        self._graph = None
        del self._network, self._codes, self._rows
        self._cuda.empty_cache()

    def _infer(self) -> Any:
        with self._torch.inference_mode():
            return self._network(self._codes).float().softmax(dim=1)

    def _recorded(self) -> Any:
        """The graph; libraries choose their kernels before it is recorded, on a side stream."""
        stream = self._cuda.Stream()
        stream.wait_stream(self._cuda.current_stream())
        with self._cuda.stream(stream):
            for _ in range(_WARM_UP_RUNS):
                self._infer()
        self._cuda.current_stream().wait_stream(stream)
        graph = self._cuda.CUDAGraph()
        with self._cuda.graph(graph):
            self._rows = self._infer()
        return graph


def _allow_tf32(is_allowed: bool) -> None:
    """For the whole process, as torch has it; sessions of two precisions take no turns."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = is_allowed
    torch.backends.cudnn.allow_tf32 = is_allowed
    torch.backends.cudnn.benchmark = True


def _halve(network: FaceNetwork) -> None:
    """Weights and activations in fp16; the codes are normalised in fp32 before."""
    normalise = network.normalise
    network.half()
    setattr(network, "normalise", lambda codes: normalise(codes).half())  # noqa: B010
