"""Models that can be asked what they look at."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dcrnet_edge.evaluation.answers import CHECKPOINT_SUFFIX
from dcrnet_edge.models.attention import CBAM, Attention
from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.sensitivity import occlusion_sensitivity
from dcrnet_runtime.preprocess.spec import PreprocessSpec

OCCLUSION = "occlusion"
UNTOLD = "not told by an exported file"


@dataclass(frozen=True, slots=True)
class View:
    """One prepared face as a model sees it.

    Attributes:
        probabilities: (labels,) float32.
        maps: (n, n) float32 by name: :data:`OCCLUSION`, and each CBAM's spatial gate 0..1.
    """

    probabilities: NDArray[np.float32]
    maps: dict[str, NDArray[np.float32]]


class Viewer:
    """A checkpoint or an exported model.

    Args:
        path: of its file.

    Attributes:
        spec: its contract.
        labels: its class names.
        attention: ``cbam``, ``se`` or ``none``; :data:`UNTOLD` for an exported file.

    Raises:
        DcrnetError: the file is no model.
    """

    spec: PreprocessSpec
    labels: tuple[str, ...]

    def __init__(self, path: Path) -> None:
        self._network: FaceNetwork | None = None
        if path.suffix == CHECKPOINT_SUFFIX:
            checkpoint = load_checkpoint(path)
            card = checkpoint.card
            self._network = checkpoint.network.eval()
            self.attention = str(getattr(self._network.config, "attention", Attention.NONE))
        else:
            self._model = load_model(path)
            card = self._model.card
            self.attention = UNTOLD
        self.spec, self.labels = card.preprocess, card.labels

    def look(self, crop: NDArray[np.uint8]) -> View:
        """Ask about one prepared face, (S, S, 1 or 3) uint8."""
        crop = np.repeat(crop, 3 // crop.shape[-1], axis=2)
        whole, falls = occlusion_sensitivity(self._answer, crop, self.spec.fill)
        return View(whole, {OCCLUSION: falls, **self._gates(crop)})

    def _answer(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self._network is None:
            return self._model.probabilities(crops)
        with torch.inference_mode():
            codes = torch.from_numpy(crops).permute(0, 3, 1, 2)
            rows: NDArray[np.float32] = self._network(codes).float().softmax(dim=1).numpy()
        return rows

    def _gates(self, crop: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        if self._network is None:
            return {}
        with _spatial_gates(self._network) as gates:
            self._answer(crop[None])
        return gates


@contextmanager
def _spatial_gates(network: FaceNetwork) -> Generator[dict[str, NDArray[np.float32]]]:
    """Gets the spatial gate of each CBAM, (n, n) 0..1, when the network has run on one crop."""
    gates: dict[str, NDArray[np.float32]] = {}
    hooks = []
    for path, module in network.named_modules():
        if isinstance(module, CBAM):
            name = path.rpartition(".")[2].removesuffix("_attention")

            def keep(_module: object, _in: object, out: torch.Tensor, name: str = name) -> None:
                gates[name] = torch.sigmoid(out)[0, 0].float().numpy()

            hooks.append(module.spatial.register_forward_hook(keep))
    try:
        yield gates
    finally:
        for hook in hooks:
            hook.remove()
