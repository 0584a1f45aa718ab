"""What a user gets without dcrnet-export: torch's own ONNX export, and stock int8 of it.

    python -m dcrnet_export.baselines --calib DIR --size 224 --out baselines
    dcrnet-bench baselines/*.onnx dcrnet-export/*.onnx

Writes ``stock-<size>-fp32.onnx`` (``torch.onnx.export``, nothing folded but what ONNX Runtime
folds itself) and ``stock-<size>-int8.onnx`` (``onnxruntime.quantization.quantize_static``: QDQ,
MinMax, uint8 activations, int8 weights per channel). Both bear the checkpoint's card, so that
dcrnet-bench and dcrnet-eval take them. ``crops-<size>.npy`` holds the faces that calibrated int8,
for the bench's comparison with OpenVINO.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnx
import torch
import typer
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from torch import Tensor, nn

from dcrnet_edge.models.checkpoint import load_checkpoint
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_edge.weights import shipped_checkpoint
from dcrnet_export.calibration.folder import folder_faces
from dcrnet_export.emitters.onnx_writer import OPSET, set_card
from dcrnet_runtime.backends.card import CARD_KEY, ModelCard
from dcrnet_runtime.backends.model import INPUT_NAME, OUTPUT_NAME
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import reported


class Interface(nn.Module):
    """uint8 (1, S, S, 3) to probabilities (1, labels), as dcrnet-export's files have it."""

    def __init__(self, network: FaceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, codes: Tensor) -> Tensor:
        return torch.softmax(self.network(codes.permute(0, 3, 1, 2)), dim=1)


class CropReader(CalibrationDataReader):  # type: ignore[misc]
    """Prepared crops, one at a time."""

    def __init__(self, crops: NDArray[np.uint8]) -> None:
        self._left: Iterator[NDArray[np.uint8]] = iter(crops)

    def get_next(self) -> dict[str, Any] | None:
        crop = next(self._left, None)
        return None if crop is None else {INPUT_NAME: crop[None]}


app = command_app()


@app.command()
@reported
def main(
    calib: Annotated[Path, typer.Option(help="Folder of face images.")],
    size: Annotated[int, typer.Option(help="Input side in px.")] = 224,
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("baselines"),
    checkpoint: Annotated[Path | None, typer.Option(help="Default: the shipped weights.")] = None,
    reduce_range: Annotated[
        bool, typer.Option(help="7-bit weights, which processors without VNNI need.")
    ] = True,
) -> None:
    """Write the stock float and int8 ONNX files, and the calibration faces."""
    loaded = load_checkpoint(checkpoint or shipped_checkpoint()).at(size)
    card = loaded.card
    crops = folder_faces(calib, card.preprocess).crops
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / f"crops-{size}.npy", crops)
    plain, quantized = out / f"stock-{size}-fp32.onnx", out / f"stock-{size}-int8.onnx"
    write_stock(loaded.network, card, crops, plain, quantized, reduce_range=reduce_range)


def write_stock(
    network: FaceNetwork,
    card: ModelCard,
    crops: NDArray[np.uint8],
    plain: Path,
    quantized: Path,
    *,
    reduce_range: bool = True,
) -> None:
    """Write the float and the int8 file.

    Args:
        network: in eval mode.
        card: goes into both, and names the size.
        crops: (N, S, S, 3) uint8 to calibrate int8 with.
        plain: where float goes.
        quantized: where int8 goes.
        reduce_range: 7-bit weights.
    """
    size = card.preprocess.size_px
    torch.onnx.export(
        Interface(network).eval(),
        (torch.zeros(1, size, size, 3, dtype=torch.uint8),),
        str(plain),
        dynamo=False,
        opset_version=OPSET,
        input_names=[INPUT_NAME],
        output_names=[OUTPUT_NAME],
    )
    quantize_file(plain, quantized, crops, reduce_range=reduce_range)
    for path in (plain, quantized):
        describe_file(path, card)


def quantize_file(
    plain: Path,
    quantized: Path,
    crops: NDArray[np.uint8],
    *,
    operators: Sequence[str] = (),
    reduce_range: bool = True,
) -> None:
    """ONNX Runtime's static int8 of a float file.

    Args:
        plain: the float file.
        quantized: where int8 goes; may be the same.
        crops: (N, S, S, 3) uint8 to calibrate with.
        operators: the kinds to quantize; empty for all.
        reduce_range: 7-bit weights.
    """
    quantize_static(
        str(plain),
        str(quantized),
        CropReader(crops),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=list(operators) or None,
        per_channel=True,
        reduce_range=reduce_range,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def describe_file(path: Path, card: ModelCard) -> None:
    """Put a card into an ONNX file."""
    model = onnx.load(path)
    set_card(model, CARD_KEY, card.to_json())
    onnx.save(model, path)


if __name__ == "__main__":
    app()
