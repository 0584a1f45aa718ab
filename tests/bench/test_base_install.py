"""The bench of an install without extras: it needs the runtime alone."""

from __future__ import annotations

import json
import subprocess
import sys

from generated import TinyModel

from dcrnet_runtime.installation import extra_command

MISSING = (
    "dcrnet_edge",
    "dcrnet_export",
    "torch",
    "lightning",
    "onnx",
    "sklearn",
    "scipy",
    "matplotlib",
    "jinja2",
    "mediapipe",
    "skimage",
    "tflite_runtime",
)
WITHOUT = f"""
import importlib, pkgutil, sys
for name in {MISSING}:
    sys.modules[name] = None  # whoever imports it is told that it is not installed
"""
IMPORT_ALL = """
import dcrnet_bench
IN_A_RIVALS_INTERPRETER = {"fer_answers", "openvino_latency"}
seen = []
for module in pkgutil.walk_packages(dcrnet_bench.__path__, "dcrnet_bench."):
    parent, _, name = module.name.rpartition(".")
    if not (parent.endswith(".workers") and name in IN_A_RIVALS_INTERPRETER):
        importlib.import_module(module.name)
        seen.append(module.name)
print(*seen)
"""
RUN = """
from dcrnet_bench.cli.bench import app
app(sys.argv[1:])
"""


def run(code: str, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT + code, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_module_is_imported_without_extras() -> None:
    modules = run(IMPORT_ALL)[-1].split()
    assert {"dcrnet_bench.targets.local", "dcrnet_bench.comparisons.loop"} <= set(modules)
    assert len(modules) > 30


def test_a_model_is_measured_without_extras(tiny_model: TinyModel) -> None:
    lines = run(RUN, str(tiny_model()), "--runs", "2", "--operators")
    [model] = json.loads(lines[-1])["models"]
    assert model["latency_ms"]["p90"] > 0
    assert model["macs"] is None
    assert model["macs_reason"] == f"needs {extra_command('bench')}"
