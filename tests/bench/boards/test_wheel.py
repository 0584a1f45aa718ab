"""The wheel that a board gets: what is installed here, as an installer wants it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

from dcrnet_bench.boards.wheel import write_wheel

ABOUT = """
import sys; sys.path.insert(0, sys.argv[1])
import dcrnet_runtime, dcrnet_bench.targets.worker
from dcrnet_runtime.models import shipped_model
print(dcrnet_runtime.__file__, dcrnet_bench.__file__, shipped_model().stat().st_size)
"""


def test_it_is_installed_by_pip_and_holds_this_code(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path)
    target = tmp_path / "site"
    options = ["--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options], check=True, timeout=300)
    [info] = metadata.distributions(path=[str(target)])
    assert (info.name, info.version) == ("dcrnet-edge", metadata.version("dcrnet-edge"))
    needed = info.requires or []
    assert any(each.startswith("onnxruntime") for each in needed)
    assert any(each.startswith("onnx") and "bench" in each for each in needed)
    assert not any("torch" in each for each in needed)
    code = [sys.executable, "-S", "-c", ABOUT, str(target)]
    paths = [path for path in sys.path if path.endswith("site-packages")]
    environment = {"PYTHONPATH": ":".join(paths)}
    told = subprocess.run(code, env=environment, capture_output=True, text=True, check=True)
    runtime, bench, model_bytes = told.stdout.split()
    assert runtime.startswith(str(target))
    assert bench.startswith(str(target))
    assert int(model_bytes) > 1e6


def test_the_training_package_stays_here(tmp_path: Path) -> None:
    with zipfile.ZipFile(write_wheel(tmp_path)) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {
        "dcrnet_runtime",
        "dcrnet_bench",
    }


def test_the_same_code_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    assert write_wheel(tmp_path / "a").read_bytes() == write_wheel(tmp_path / "b").read_bytes()
