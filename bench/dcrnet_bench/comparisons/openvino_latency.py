"""The latency of the same network in OpenVINO, in fp32 and in int8 by NNCF.

    python -m dcrnet_export.baselines --calib DIR --size 128 --out baselines
    python -m venv ov-env && ov-env/bin/pip install openvino nncf
    python -m dcrnet_bench.comparisons.openvino_latency baselines/stock-128-fp32.onnx \\
        baselines/crops-128.npy --python ov-env/bin/python

OpenVINO and NNCF want other versions than dcrnet-edge's, hence their own environment. The two
models take turns on one thread; the last line is one JSON. Believe it on an idle machine only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dcrnet_bench.comparisons.interpreter import run_worker
from dcrnet_runtime.cli.app import command_app
from dcrnet_runtime.cli.console import reported

app = command_app()


@app.command()
@reported
def openvino_latency(
    model: Annotated[Path, typer.Argument(help="The float model, ONNX.", exists=True)],
    crops: Annotated[Path, typer.Argument(help="(N, S, S, 3) uint8 RGB, NumPy.", exists=True)],
    python: Annotated[
        Path,
        typer.Option(
            help="Interpreter that can import openvino and nncf.", exists=True, dir_okay=False
        ),
    ],
) -> None:
    """Print the median of each model, ms."""
    typer.echo(run_worker(python, "openvino_latency", [model, crops], rival="OpenVINO"))


if __name__ == "__main__":
    app()
