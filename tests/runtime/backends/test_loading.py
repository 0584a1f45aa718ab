"""Who runs a model: chosen by the file, by name, and never silently another."""

from __future__ import annotations

import logging
import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from generated import TinyModel

from dcrnet_runtime.backends import loading as backends
from dcrnet_runtime.backends import provider
from dcrnet_runtime.backends.interpreter import InterpreterPackage, load_interpreter
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import Backend
from dcrnet_runtime.backends.provider import Provider, onnx_providers
from dcrnet_runtime.detectors.litert import FaceNetworks
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import extra_command
from dcrnet_runtime.landmarks import shipped_landmarks

CPU, CUDA, QNN = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "QNN"))


def test_a_model_says_what_it_runs_on(tiny_model: TinyModel) -> None:
    assert load_model(tiny_model()).runs_on == f"onnxruntime, {CPU}"


def test_faces_are_one_batch_where_the_model_takes_it(tiny_model: TinyModel) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    one_by_one = load_model(tiny_model()).probabilities(crops)
    free = load_model(tiny_model(batch="faces"))
    assert free.probabilities(crops) == pytest.approx(one_by_one, abs=1e-6)
    assert one_by_one.shape == (5, 7)
    calls: list[tuple[Any, ...]] = []
    session = free._session  # type: ignore[attr-defined]

    def run(*arguments: Any) -> Any:
        calls.append(arguments)
        return session.run(*arguments)

    free._session = SimpleNamespace(run=run)  # type: ignore[attr-defined]
    free.probabilities(crops)
    assert len(calls) == 1


def test_a_model_of_four_faces_a_run_takes_five(tiny_model: TinyModel) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    one_by_one = load_model(tiny_model()).probabilities(crops)
    four = load_model(tiny_model(batch=4)).probabilities(crops)
    assert four == pytest.approx(one_by_one, abs=1e-6)


@pytest.mark.parametrize("name", ["cuda", "CUDA", CUDA])
def test_providers_are_known_by_short_and_long_names(name: str) -> None:
    chosen, missing = onnx_providers([Provider(name, {"device_id": "1"})], [CUDA, CPU], [CUDA])
    assert chosen == [(CUDA, {"device_id": "1"}), (CPU, {})]
    assert missing == []


def test_the_order_of_providers_is_kept_and_the_cpu_not_named_twice() -> None:
    wanted = [Provider("qnn"), Provider("cpu"), Provider("cuda")]
    chosen, missing = onnx_providers(wanted, [CUDA, QNN, CPU], [QNN, CPU])
    assert [name for name, _ in chosen] == [QNN, CPU]
    assert missing == [CUDA]


def test_a_provider_that_is_not_there_is_reported_or_refused(
    tiny_model: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    path = tiny_model()
    with caplog.at_level(logging.WARNING):
        model = load_model(path, providers=[Provider("rknpu")])
    assert model.runs_on == f"onnxruntime, {CPU}"
    assert "RknpuExecutionProvider was asked for and cannot be used" in caplog.text
    assert f"now it is {CPU}" in caplog.text
    with pytest.raises(DcrnetError, match="RknpuExecutionProvider was asked for"):
        load_model(path, providers=[Provider("rknpu")], is_strict=True)
    assert load_model(path, providers=[Provider("cpu")], is_strict=True).runs_on.endswith(CPU)


def test_strict_refuses_a_graph_that_falls_to_the_cpu(
    tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every wheel has Azure's provider, which takes none of a graph's nodes."""
    onnxruntime = pytest.importorskip("onnxruntime")
    if "AzureExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has no second provider")
    path = tiny_model()
    with pytest.raises(DcrnetError, match="has no provider azure"):
        load_model(path, providers=[Provider("azure")])
    monkeypatch.setattr(provider, "_REMOTE", "")
    with pytest.raises(DcrnetError, match=r"parts of .* would run on the CPU"):
        load_model(path, providers=[Provider("azure")], is_strict=True)


def test_an_unknown_provider_is_named(tiny_model: TinyModel) -> None:
    with pytest.raises(DcrnetError, match=r"no provider warp: choose of .*cpu, cuda"):
        load_model(tiny_model(), providers=[Provider("warp")])


def test_options_are_read() -> None:
    parsed = Provider.parse("qnn:backend_path=/lib/libQnnHtp.so,htp_mode=burst")
    assert parsed.options == {"backend_path": "/lib/libQnnHtp.so", "htp_mode": "burst"}
    for text in ("", "qnn:burst", ":a=b", "qnn:=b"):
        with pytest.raises(DcrnetError, match="write NAME or NAME:KEY=VALUE"):
            Provider.parse(text)


@pytest.mark.parametrize("backend", [Backend.LITERT, Backend.TFLITE_RUNTIME])
def test_a_back_end_that_does_not_run_such_files(backend: Backend, tiny_model: TinyModel) -> None:
    with pytest.raises(DcrnetError, match=rf"{backend} does not run .*an onnx file"):
        load_model(tiny_model(), backend=backend)


def test_an_absurdly_large_model_is_not_read(
    tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "MAX_MODEL_BYTES", 100)
    with pytest.raises(DcrnetError, match="has more than"):
        load_model(tiny_model())


@pytest.mark.parametrize("location", ["weights.bin", "../secret", "/etc/passwd"])
def test_a_model_that_refers_to_other_files_is_refused(
    location: str, tiny_model: TinyModel, tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx")
    path = tiny_model()
    model = onnx.load(path)
    (weights,) = model.graph.initializer
    (tmp_path / "weights.bin").write_bytes(weights.raw_data)
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=location)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(DcrnetError, match="refers to tensors in other files"):
        load_model(path)


networks = FaceNetworks.from_task(shipped_landmarks())


@pytest.mark.parametrize(
    "package",
    [
        InterpreterPackage.LITERT,
        pytest.param(InterpreterPackage.TFLITE_RUNTIME, marks=pytest.mark.tflite_runtime),
    ],
)
def test_an_interpreter_is_of_the_package_that_was_named(package: InterpreterPackage) -> None:
    interpreter = load_interpreter(networks.detector, 1, package)
    assert type(interpreter).__module__.startswith(package.replace("-", "_"))


def test_tensors_that_no_memory_holds_are_refused_before_they_are_made() -> None:
    """The shape of its input, as a damaged or hostile file has it."""
    shape, vast = struct.pack("<4i", 1, 128, 128, 3), struct.pack("<4i", 1, 30_000, 30_000, 3)
    assert shape in networks.detector
    with pytest.raises(DcrnetError, match=r"states tensors of \d+ MB, where 1024 are allowed"):
        load_interpreter(networks.detector.replace(shape, vast), 1)


def test_a_delegate_that_does_not_load_is_named() -> None:
    with pytest.raises(DcrnetError, match=r"delegate libNone.so does not load .*shared library"):
        load_interpreter(networks.detector, 1, delegates=[Provider("libNone.so")])


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", None)
    with pytest.raises(DcrnetError) as told:
        load_interpreter(b"", 1, InterpreterPackage.TFLITE_RUNTIME)
    assert str(told.value).endswith(extra_command("tflite-runtime"))


@pytest.mark.parametrize("path", [None, b"model.onnx", 3])
def test_what_is_no_path_is_told(path: Any) -> None:
    with pytest.raises(DcrnetError, match=r"`path` is a .*, not the path of a model"):
        load_model(path)
