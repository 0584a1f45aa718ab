"""What each step of the rewrite gains, in time and in labels.

    python -m dcrnet_export.steps write --data FERPLUS --out steps
    python -m dcrnet_export.steps compare steps/*.onnx --data FERPLUS
    python -m dcrnet_export.steps faces --data FERPLUS --out test-128.npz

``write`` makes a file for each step, its card inside. ``compare`` takes any exported files: they
answer the same Test faces in turns, one thread each, and are held to the first one's answers. Its
times are to be believed on an idle machine only; ``--faces`` says how many faces are asked.
``faces`` keeps such faces for who cannot read data sets: ``crops``, (N, S, S, 3) uint8 RGB, and
``labels``, (N,) in the checkpoint's order.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import onnx
import typer
from numpy.typing import NDArray

from dcrnet_edge.data.train_faces import train_batches
from dcrnet_edge.datasets.sample import Split
from dcrnet_edge.models.checkpoint import Checkpoint, load_checkpoint
from dcrnet_edge.weights import shipped_checkpoint
from dcrnet_export.baselines import describe_file, quantize_file, write_stock
from dcrnet_export.calibration.ranges import stored_calibration
from dcrnet_export.cli.labelled import DatasetOption, LandmarksOption, required_source
from dcrnet_export.emitters.onnx_float import onnx_float
from dcrnet_export.emitters.onnx_int8 import onnx_int8
from dcrnet_export.ir.graph import Affine, Array, AvgPool, Clamp, Concat, Conv, Graph, MaxPool
from dcrnet_export.ir.lowering import arranged, lower, transcribed
from dcrnet_export.ir.simplification import simplified
from dcrnet_export.job import DataSource
from dcrnet_export.passes.channel_equalization import equalize_channels
from dcrnet_export.passes.quantization import QuantizedGraph, WeightLimit, coding_of, quantize
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import Model
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import reported
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.preprocess.spec import PreprocessSpec
from dcrnet_runtime.timing import NS_PER_MS, round_ns

CALIBRATION_FACES = 256
app = command_app()
DataOption = Annotated[Path, typer.Option(help="A labelled data set.")]


@app.command()
@reported
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
    source = required_source(dataset, data, landmarks).open()
    batches = train_batches(source, card.preprocess)
    crops = np.concatenate([batch.numpy() for batch in batches])
    crops = crops[:: max(1, len(crops) // CALIBRATION_FACES)].transpose(0, 2, 3, 1)
    out.mkdir(parents=True, exist_ok=True)
    write_stock(loaded.network, card, crops, out / "0-stock-fp32.onnx", out / "0-stock-int8.onnx")
    folded = out / "2-folded-int8.onnx"
    onnx.save(onnx_float(_unclamped(loaded, size)), folded)
    quantize_file(folded, folded, crops, operators=("Conv", "Relu"))
    describe_file(folded, card)
    for name, quantized in _integer_steps(loaded, size):
        path = out / f"{name}-int8.onnx"
        onnx.save(onnx_int8(quantized), path)
        describe_file(path, card)


def _integer_steps(loaded: Checkpoint, size_px: int) -> Iterator[tuple[str, QuantizedGraph]]:
    graph = lower(loaded.network, size_px, stored_calibration(loaded, size_px).ranges)
    yield "3-clamps", quantize(_one_range_a_block(graph), WeightLimit.REDUCED)
    equal = quantize(equalize_channels(graph), WeightLimit.REDUCED)
    yield "4-coordinates", _affine_maps_in_float(equal)
    yield "5-all", equal


@app.command()
@reported
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
    crops, truth = _test_faces(required_source(dataset, data, landmarks), spec, faces)
    runs = _in_turns(loaded, crops)
    typer.echo("| file | median ms | gain | minimum ms | same labels | mean \\|dp\\| | accuracy |")
    typer.echo("|---|---|---|---|---|---|---|")
    for path, run in zip(models, runs, strict=True):
        typer.echo(run.row(path.name, runs[0], truth))
    typer.echo(f"\n{faces} Test faces at {spec.size_px} px.")


@app.command(name="faces")
@reported
def keep_faces(
    data: DataOption,
    dataset: DatasetOption = "ferplus",
    landmarks: LandmarksOption = None,
    size: Annotated[int, typer.Option(help="Input side in px.")] = 128,
    faces: Annotated[int, typer.Option(help="How many Test faces, evenly spread.")] = 1000,
    out: Annotated[Path, typer.Option(help="The file.")] = Path("test-128.npz"),
    checkpoint: Annotated[Path | None, typer.Option(help="Default: the shipped weights.")] = None,
) -> None:
    """Write labelled Test faces as the checkpoint wants them."""
    spec = load_checkpoint(checkpoint or shipped_checkpoint()).at(size).card.preprocess
    crops, truth = _test_faces(required_source(dataset, data, landmarks), spec, faces)
    with written_beside(out) as beside, beside.open("wb") as file:
        np.savez_compressed(file, crops=np.stack([_rgb(crop) for crop in crops]), labels=truth)


def _test_faces(
    source: DataSource, spec: PreprocessSpec, count: int
) -> tuple[Iterator[NDArray[np.uint8]], NDArray[np.int64]]:
    """So many, evenly spread: crops, (S, S, 1) or (S, S, 3) uint8, and their labels."""
    opened = source.open()
    samples = opened.samples(Split.TEST)
    chosen = np.linspace(0, len(samples) - 1, count).round().astype(int)
    crops = opened.crops(Split.TEST, spec)
    return (crops[index] for index in chosen), np.array([samples[i].label for i in chosen])


def _rgb(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(crop, 3 // crop.shape[-1], axis=-1)


def _in_turns(models: Sequence[Model], crops: Iterable[NDArray[np.uint8]]) -> list[FileTrial]:
    """Every model on each crop, (S, S, 1) or (S, S, 3) uint8, before the next one."""
    runs = [FileTrial([], []) for _ in models]
    for crop in crops:
        rgb = _rgb(crop)[None]
        asked = [partial(_ask, model, rgb, run) for model, run in zip(models, runs, strict=True)]
        for run, ns in zip(runs, round_ns(asked, time.perf_counter_ns), strict=True):
            run.ms.append(ns / NS_PER_MS)
    return runs


def _ask(model: Model, rgb: NDArray[np.uint8], run: FileTrial) -> None:
    run.answers.append(model.probabilities(rgb))


@dataclass(frozen=True, slots=True)
class FileTrial:
    """Times of one file, ms, and its answers, (1, labels) each."""

    ms: list[float]
    answers: list[NDArray[np.float32]]

    def row(self, name: str, first: FileTrial, truth: NDArray[np.int64]) -> str:
        """A row of the table."""
        mine, others = np.concatenate(self.answers), np.concatenate(first.answers)
        labels, median = mine.argmax(axis=1), float(np.median(self.ms))
        return (
            f"| {name} | {median:.2f} | {np.median(first.ms) / median:.2f}x | {min(self.ms):.2f}"
            f" | {(labels == others.argmax(axis=1)).mean():.1%}"
            f" | {np.abs(mine - others).max(axis=1).mean():.4f} | {(labels == truth).mean():.2%} |"
        )


def _unclamped(loaded: Checkpoint, size_px: int) -> Graph:
    """Steps 1 and 2: BN and ReLU stay where clamps would be."""
    return arranged(simplified(transcribed(loaded.network, size_px), clamp=False))


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


def _affine_maps_in_float(quantized: QuantizedGraph) -> QuantizedGraph:
    """Without step 5."""
    maps = {node.name for node in quantized.graph.nodes if isinstance(node.op, Affine)}
    return replace(quantized, integer=quantized.integer - maps)


if __name__ == "__main__":
    app()
