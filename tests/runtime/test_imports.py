"""What an import loads: a board has no torch, and --help must not wait for OpenCV."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

TRAINING = ("torch", "onnx", "sklearn", "lightning")
HEAVY = (*TRAINING, "numpy", "cv2", "onnxruntime", "mediapipe", "ai_edge_litert", "av")
COMMANDS = {
    "dcrnet-train": "dcrnet_edge.cli.entry:train",
    "dcrnet-eval": "dcrnet_edge.cli.eval:app",
    "dcrnet-export": "dcrnet_export.cli.export:app",
    "dcrnet-run": "dcrnet_runtime.cli.run:app",
    "dcrnet-bench": "dcrnet_bench.cli.bench:app",
    "dcrnet-study": "dcrnet_edge.studies.command:app",
}


def loaded(code: str, modules: tuple[str, ...]) -> list[str]:
    """Which of the modules a fresh interpreter has after running the code."""
    script = f"{code}\nimport sys; print(*(m for m in {modules!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1].split()


def test_the_runtime_loads_no_training_package() -> None:
    code = (
        "import dcrnet_runtime as r;"
        "[getattr(r, name) for name in r.__all__];"
        "import dcrnet_runtime.outputs.publisher, dcrnet_runtime.video.source;"
        "import dcrnet_runtime.detectors.litert"
    )
    assert loaded(code, TRAINING) == []


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(command: str, option: str) -> None:
    module, _, entry = COMMANDS[command].partition(":")
    code = f"""
import contextlib, io, sys
from {module} import {entry}
sys.argv = [{command!r}, {option!r}]
with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
    {entry}()
assert shown.getvalue()
"""
    assert loaded(code, HEAVY) == []


def test_the_commands_are_installed() -> None:
    installed = {
        entry.name: entry.value
        for entry in metadata.distribution("dcrnet-edge").entry_points
        if entry.group == "console_scripts"
    }
    assert installed == COMMANDS


@pytest.mark.parametrize(
    "use",
    [
        "from dcrnet_runtime import load_model; load_model(Path(sys.executable))",
        "from dcrnet_export.emitters.onnx_float import onnx_float; import onnxsim, onnxruntime",
    ],
    ids=["runtime", "export"],
)
def test_telemetry_is_off_before_onnxruntime_loads(use: str) -> None:
    if "dcrnet_export" in use:
        pytest.importorskip("torch", reason="needs the export extra")
    code = f"""
import os, sys
from pathlib import Path
os.environ.pop("ORT_DISABLE_TELEMETRY", None)
seen = []
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            seen.append(os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Watch())
try:
    {use}
except Exception as error:
    assert type(error).__name__ == "DcrnetError", error
assert seen[0] == "1", seen
"""
    assert loaded(code, ("onnxruntime",)) == ["onnxruntime"]
