"""OpenVINO's latency and answers for the same network, in fp32 and in int8 by NNCF, beside ours.

    python -m dcrnet_export.baselines --calib DIR --size 128 --out baselines
    python -m dcrnet_export.steps faces --data FERPLUS --size 128 --out baselines/test-128.npz
    python -m venv ov-env
    ov-env/bin/pip install openvino nncf onnxruntime==1.32.0 ai-edge-litert==2.3.0
    python -m dcrnet_bench.comparisons.openvino_latency baselines/stock-128-fp32.onnx \\
        baselines/crops-128.npy --python ov-env/bin/python --test baselines/test-128.npz

OpenVINO and NNCF want other versions than dcrnet-edge's, hence their own environment. All models
take turns on one thread of one process; the last line is one JSON. The ratio is the median of the
turns' own ratios, of OpenVINO's int8 to ours: above 1 ours is faster. Processor time stands beside
wall-clock time, which is to be believed on an idle machine only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dcrnet_bench.comparisons.interpreter import run_worker
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import reported
from dcrnet_runtime.models import shipped_model

_TITLES = {"fp32": "OpenVINO, fp32", "int8": "OpenVINO, NNCF int8", "ours": "ours"}

app = command_app()


@app.command()
@reported
def openvino_latency(
    model: Annotated[Path, typer.Argument(help="The float model, ONNX.", exists=True)],
    crops: Annotated[Path, typer.Argument(help="(N, S, S, 3) uint8 RGB, NumPy.", exists=True)],
    python: Annotated[
        Path,
        typer.Option(
            help="Interpreter that can import openvino, nncf and onnxruntime.",
            exists=True,
            dir_okay=False,
        ),
    ],
    ours: Annotated[
        Path | None,
        typer.Option(
            help="Our int8 file of the same side, ONNX or TFLite; default: the shipped.",
            exists=True,
        ),
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(help="Labelled faces of dcrnet_export.steps; else crops.", exists=True),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Turns of each model.")] = 100,
) -> None:
    """Print a table of the models, and what was measured as JSON."""
    arguments = [model, crops, ours or shipped_model(), test or "", runs]
    line = run_worker(python, "openvino_latency", arguments, rival="OpenVINO")
    typer.echo(table(json.loads(line)))
    typer.echo(line)


def table(measured: dict[str, Any]) -> str:
    """Markdown."""
    rows = [
        "| | median ms | minimum ms | CPU ms | same labels as fp32 | mean abs dp | accuracy |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, title in _TITLES.items():
        accuracy = measured["accuracy"][name]
        cells = [
            title,
            *(f"{measured[key][name]:.2f}" for key in ("median_ms", "minimum_ms", "cpu_ms")),
            f"{measured['same_labels'][name]:.1%}",
            f"{measured['mean_abs_dp'][name]:.4f}",
            "" if accuracy is None else f"{accuracy:.2%}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    ratio = f"OpenVINO's int8 takes {measured['ratio']:.2f} times as long as ours"
    ratio += f" ({measured['cpu_ratio']:.2f} in CPU time), asked about {measured['faces']} faces."
    return "\n".join([*rows, "", ratio])


if __name__ == "__main__":
    app()
