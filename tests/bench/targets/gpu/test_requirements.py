"""What is missing on a machine, part by part, from modules that stand in for the real ones."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from dcrnet_bench.cli import bench as cli
from dcrnet_bench.host.gpu.cuda import Card, NoCardError
from dcrnet_bench.targets.gpu.requirements import PROVIDER, Requirements, read_requirements
from dcrnet_runtime.installation import extra_command, package_command

CARD = Card("NVIDIA H100", "0000:0B:00.0", "9.0", 85.0, "12.8")


def onnxruntime(*providers: str) -> Any:
    return SimpleNamespace(__version__="1.32.0", get_available_providers=lambda: [*providers])


def torch(version: str, cuda: str | None, is_available: bool) -> Any:
    return SimpleNamespace(
        __version__=version,
        version=SimpleNamespace(cuda=cuda),
        cuda=SimpleNamespace(is_available=lambda: is_available),
    )


def requirements(card: Card | None, **modules: Any) -> Requirements:
    modules["dcrnet_edge.models.checkpoint"] = object()

    def find() -> Card:
        if card is None:
            raise NoCardError("no NVIDIA driver is loaded")
        return card

    def load(name: str) -> Any:
        if name not in modules:
            raise ImportError(name)
        return modules[name]

    return read_requirements(find, load)


CUDA_RUNTIME = onnxruntime(PROVIDER, "CPUExecutionProvider")
CUDA_TORCH = torch("2.13.0+cu130", "13.0", True)


def test_nothing_is_missing_where_all_is_there() -> None:
    there = requirements(CARD, onnxruntime=CUDA_RUNTIME, torch=CUDA_TORCH)
    assert there == Requirements(CARD, (), True, True)


def test_each_missing_part_is_named_with_what_to_do() -> None:
    there = requirements(
        None,
        onnxruntime=onnxruntime("CPUExecutionProvider"),
        torch=torch("2.13.0+cpu", None, False),
    )
    card, provider, build = there.missing
    assert card == "card: no NVIDIA driver is loaded"
    assert provider.startswith(
        "provider package: onnxruntime 1.32.0 is built without CUDAExecutionProvider:"
        f" uninstall it, then {package_command('onnxruntime-gpu[cuda,cudnn]')}"
    )
    assert build.startswith("torch: 2.13.0+cpu is built without CUDA: ")
    assert "pip install --force-reinstall torch" in build
    assert (there.card, there.has_provider, there.has_torch) == (None, False, False)


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (None, f"it is not installed: {extra_command('train')}"),
        (
            torch("2.13.0", "13.0", False),
            "2.13.0 wants CUDA 13.0 and finds no card (the driver runs up to 12.8): update the"
            " driver, or install an older torch",
        ),
    ],
)
def test_an_engine_that_is_missing_leaves_the_other(build: Any, why: str) -> None:
    modules = {} if build is None else {"torch": build}
    there = requirements(CARD, onnxruntime=CUDA_RUNTIME, **modules)
    assert (there.has_provider, there.has_torch) == (True, False)
    assert there.missing == (f"torch: {why}",)


def test_the_command_without_a_card_names_all_that_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = Requirements(None, ("card: none", "torch: none"), False, False)
    monkeypatch.setattr("dcrnet_bench.targets.gpu.target.read_requirements", lambda: there)
    result = CliRunner().invoke(cli.app, ["--device", "gpu"])
    assert (result.exit_code, result.stderr) == (
        2,
        "error: --device gpu cannot be measured here. Missing: card: none; torch: none\n",
    )


def test_the_command_with_a_card_that_nothing_can_use_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = Requirements(CARD, ("provider package: none", "torch: none"), False, False)
    monkeypatch.setattr("dcrnet_bench.targets.gpu.target.read_requirements", lambda: there)
    result = CliRunner().invoke(cli.app, ["--device", "gpu"])
    assert result.exit_code == 2
    assert "Missing: provider package: none; torch: none" in result.stderr
