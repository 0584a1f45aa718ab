"""What each step of the rewrite gains, in time and in labels.

    python docs/steps.py write --data FERPLUS --landmarks face_landmarker.task --out steps
    python docs/steps.py compare steps/*.onnx --data FERPLUS --landmarks face_landmarker.task

``write`` makes a file for each step, its card inside. ``compare`` takes any exported files: they
answer the same Test faces in turns, one thread each, and are held to the first one's answers. Its
times are to be believed on an idle machine only; ``--faces`` says how many faces are asked.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import onnx
import typer
from baselines import CropReader, write_stock
from numpy.typing import NDArray
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

from dcrnet_edge.datasets.sample import Split
from dcrnet_edge.models.checkpoint import Checkpoint, load_checkpoint
from dcrnet_edge.models.dcrnet import DCRNet
from dcrnet_edge.weights import shipped_checkpoint
from dcrnet_export.calibration.ranges import stored_calibration
from dcrnet_export.cli.datasource import DatasetOption, DataSource, LandmarksOption
from dcrnet_export.emitters.onnx_float import onnx_float
from dcrnet_export.emitters.onnx_int8 import onnx_int8
from dcrnet_export.emitters.onnx_writer import set_card
from dcrnet_export.ir.folding import affine_of, fold_before
from dcrnet_export.ir.graph import Affine, Array, AvgPool, Clamp, Concat, Conv, Graph, MaxPool
from dcrnet_export.ir.lowering import lower
from dcrnet_export.passes.channel_equalization import equalize_channels
from dcrnet_export.passes.quantization import QuantizedGraph, WeightLimit, coding_of, quantize
from dcrnet_runtime.backends.card import CARD_KEY, ModelCard
from dcrnet_runtime.backends.loading import load_model

CALIBRATION_FACES = 256
app = typer.Typer(add_completion=False)
DataOption = Annotated[Path, typer.Option(help="A labelled data set.")]


@app.command()
def write(
    data: DataOption,
    dataset: DatasetOption = "ferplus",
    landmarks: LandmarksOption = None,
    size: Annotated[int, typer.Option(help="Input side in px.")] = 128,
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("steps"),
    checkpoint: Annotated[Path | None, typer.Option(help="Default: the shipped weights.")] = None,
) -> None:
    """Write a file for each step; stock int8 is calibrated on Train faces."""
    loaded = load_checkpoint(checkpoint or shipped_checkpoint()).at(size)
    card = loaded.card
    source = DataSource.asked(dataset, data, landmarks).open()
    crops = np.concatenate([batch.numpy() for batch in source.calibration(card.preprocess)])
    crops = crops[:: max(1, len(crops) // CALIBRATION_FACES)].transpose(0, 2, 3, 1)
    out.mkdir(parents=True, exist_ok=True)
    write_stock(loaded.network, card, crops, out / "0-stock-fp32.onnx", out / "0-stock-int8.onnx")
    _write_folded(loaded, card, crops, out / "2-folded-int8.onnx")
    graph = lower(loaded.network, size, stored_calibration(loaded, size).ranges)
    for name, quantized in (
        ("3-clamps", quantize(_one_range_a_block(graph), WeightLimit.REDUCED)),
        (
            "4-coordinates",
            _norm5_in_float(quantize(equalize_channels(graph), WeightLimit.REDUCED)),
        ),
        ("5-all", quantize(equalize_channels(graph), WeightLimit.REDUCED)),
    ):
        model = onnx_int8(quantized)
        set_card(model, CARD_KEY, card.to_json())
        onnx.save(model, out / f"{name}-int8.onnx")


@app.command()
def compare(
    models: Annotated[list[Path], typer.Argument(help="The first is what the rest is held to.")],
    data: DataOption,
    dataset: DatasetOption = "ferplus",
    landmarks: LandmarksOption = None,
    faces: Annotated[int, typer.Option(help="How many Test faces, evenly spread.")] = 1000,
) -> None:
    """Print time, labels kept and accuracy of files that take turns on each face."""
    loaded = [load_model(path) for path in models]
    spec = loaded[0].card.preprocess
    source = DataSource.asked(dataset, data, landmarks).open()
    crops = source.crops(Split.TEST, spec)
    truth = np.array([sample.label for sample in source.samples(Split.TEST)])
    chosen = np.linspace(0, len(crops) - 1, faces).round().astype(int)
    runs = [Run([], []) for _ in loaded]
    for index in chosen:
        row = crops[index]
        rgb = np.repeat(row, 3 // row.shape[-1], axis=-1)[None]
        for model, run in zip(loaded, runs, strict=True):
            start = time.perf_counter()
            answer = model.probabilities(rgb)
            run.ms.append(1e3 * (time.perf_counter() - start))
            run.answers.append(answer)
    typer.echo("| file | median ms | gain | minimum ms | same labels | mean \\|dp\\| | accuracy |")
    typer.echo("|---|---|---|---|---|---|---|")
    for path, run in zip(models, runs, strict=True):
        typer.echo(run.row(path.name, runs[0], truth[chosen]))
    typer.echo(f"\n{faces} Test faces at {spec.size_px} px.")


@dataclass(frozen=True, slots=True)
class Run:
    """Times of one file, ms, and its answers, (1, labels) each."""

    ms: list[float]
    answers: list[NDArray[np.float32]]

    def row(self, name: str, first: Run, truth: NDArray[np.int64]) -> str:
        """A row of the table."""
        mine, others = np.concatenate(self.answers), np.concatenate(first.answers)
        labels, median = mine.argmax(axis=1), float(np.median(self.ms))
        return (
            f"| {name} | {median:.2f} | {np.median(first.ms) / median:.2f}x | {min(self.ms):.2f}"
            f" | {(labels == others.argmax(axis=1)).mean():.1%}"
            f" | {np.abs(mine - others).max(axis=1).mean():.4f} | {(labels == truth).mean():.2%} |"
        )


def _write_folded(
    loaded: Checkpoint, card: ModelCard, crops: NDArray[np.uint8], path: Path
) -> None:
    """Steps 1 and 2, quantized by ONNX Runtime's tools: norm1 is left between float values."""
    graph = _unclamped(lower(loaded.network, card.preprocess.size_px), loaded.network)
    onnx.save(onnx_float(graph), path)
    quantize_static(
        str(path),
        str(path),
        CropReader(crops),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "Relu"],
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    model = onnx.load(path)
    set_card(model, CARD_KEY, card.to_json())
    onnx.save(model, path)


def _unclamped(graph: Graph, network: DCRNet) -> Graph:
    """The graph with BN and ReLU in place of each clamp, and its readers as they were."""
    maps: dict[str, Affine] = {}
    nodes = []
    for node in graph.nodes:
        given = maps.get(node.inputs[0]) if node.inputs else None
        match node.op:
            case Clamp():
                norm = network.get_submodule(f"backbone.features.{node.name}")
                affine = affine_of(norm)  # type: ignore[arg-type]
                maps[node.name] = affine
                node = replace(node, op=replace(affine, relu=True))
            case AvgPool() if given is not None:
                maps[node.name] = given
            case Conv() as conv if given is not None:
                node = replace(node, op=fold_before(_inverse(given), conv))
        nodes.append(node)
    return Graph(tuple(nodes))


def _inverse(affine: Affine) -> Affine:
    """``(y - b) / a``; 0 where a is 0, as the reader's column is there."""
    live = affine.scale != 0
    scale = np.where(live, 1 / np.where(live, affine.scale, 1.0), 0.0)
    return Affine(scale, -affine.shift * scale)


def _one_range_a_block(graph: Graph) -> Graph:
    """Step 3 alone: the features of a block share its widest range; limits are whole codes."""
    ranges = dict(graph.ranges)
    for node in reversed(graph.nodes):
        if isinstance(node.op, Concat | MaxPool) and node.name in ranges:
            low, high = ranges[node.name].min(), ranges[node.name].max()
            for name in (node.name, *node.inputs):
                ranges[name] = np.stack(
                    [np.full_like(ranges[name][0], each) for each in (low, high)]
                )
    moved: dict[str, Array] = {}
    nodes = []
    for node in graph.nodes:
        given = moved.get(node.inputs[0]) if node.inputs else None
        match node.op:
            case Clamp(low, high):
                limits = ranges[node.inputs[0]]
                coding = coding_of(limits)
                acting = np.where(np.isfinite(low), np.maximum(low, limits[0]), 0.0)
                acting = np.where(np.isfinite(high), np.minimum(high, limits[1]), acting)
                moved[node.name] = acting - coding.decode(coding.encode(acting))
                snapped = (coding.decode(coding.encode(each)) for each in (low, high))
                node = replace(node, op=Clamp(*snapped))
            case AvgPool() if given is not None:
                moved[node.name] = given
            case Conv() as conv if given is not None:
                shift = conv.weight.sum(axis=(2, 3)) @ given
                node = replace(node, op=replace(conv, bias=conv.bias + shift))
        nodes.append(node)
    return Graph(tuple(nodes), ranges)


def _norm5_in_float(quantized: QuantizedGraph) -> QuantizedGraph:
    """Without step 5."""
    weights = {name: each for name, each in quantized.weights.items() if name != "norm5"}
    return replace(quantized, weights=weights)


if __name__ == "__main__":
    app()
