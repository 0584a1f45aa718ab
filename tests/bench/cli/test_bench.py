"""``dcrnet-bench`` as a user and a script see it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from bench_reports import emulated
from generated import LABELS, FixedDetector, TinyModel, synthetic_face, synthetic_frame
from typer.testing import CliRunner, Result

from dcrnet_bench.cli import bench as cli
from dcrnet_bench.host.throttling import Throttling
from dcrnet_bench.report.report import Report
from dcrnet_bench.targets.target import Plan
from dcrnet_runtime.preprocess.spec import PreprocessSpec


def bench(*arguments: object) -> Result:
    given = [*map(str, arguments)]
    runs = [] if "--runs" in given else ["--runs", "3"]
    return CliRunner().invoke(cli.app, [*given, *runs])


def complaint(result: Result) -> str:
    """The one line of a refusal; warnings may precede it, a traceback may not."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1
    return lines[0].removeprefix("error: ")


@pytest.fixture
def one_face(monkeypatch: pytest.MonkeyPatch) -> FixedDetector:
    """Every frame has the synthetic face."""
    detector = FixedDetector(synthetic_face((320.0, 240.0), side=200.0))
    monkeypatch.setattr("dcrnet_bench.timing.pipeline.open_detector", lambda: detector)
    return detector


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    assert cv2.imwrite(str(path), synthetic_frame())
    return path


def test_last_line_is_json_with_all_figures(
    tiny_model: TinyModel, one_face: FixedDetector, photo: Path, tmp_path: Path
) -> None:
    target = tmp_path / "figures.json"
    small = tiny_model(name="small.onnx")
    large = tiny_model(PreprocessSpec(size_px=128), name="large.onnx")
    result = bench(small, large, "--source", photo, "--json", target)
    assert result.exit_code == 0, result.output
    last = result.stdout.splitlines()[-1]
    figures = json.loads(last)
    assert target.read_text() == last + "\n"
    assert not list(tmp_path.glob(".*"))
    assert [model["name"] for model in figures["models"]] == ["small.onnx", "large.onnx"]
    assert [model["input_px"] for model in figures["models"]] == [64, 128]
    model = figures["models"][0]
    assert model["size_mb"] == small.stat().st_size / 1e6
    assert (model["macs"], model["flops"]) == (3 * len(LABELS), 2 * 3 * len(LABELS))
    latency = model["latency_ms"]
    assert 0 < latency["min"] <= latency["median"] <= latency["p90"]
    stages = [(stage["stage"], stage["model"]) for stage in figures["stages"]]
    parts = ("prepare", "inference", "whole, one face")
    assert model["placement"]["node_shares"] == {"CPUExecutionProvider": 1.0}
    assert model["cold"]["load_ms"] > 0
    assert stages == [("find faces", "")] + [
        (part, name) for name in ("small.onnx", "large.onnx") for part in parts
    ] + [("live loop but finding and inference", "")]
    assert figures["run"]["runs"] == 3
    assert figures["run"]["threads"] == 1
    assert figures["run"]["face_count"] == 1
    assert (figures["run"]["protocol"], figures["run"]["inputs"]) == ("runs", 8)


def test_operators_are_told_only_when_asked_for(
    tiny_model: TinyModel, one_face: FixedDetector, photo: Path
) -> None:
    model = tiny_model(name="small.onnx")
    plain = json.loads(bench(model, "--source", photo).stdout.splitlines()[-1])
    assert plain["operators"] == []
    assert plain["peak"]["float_gmacs"] > 0
    assert 0 < plain["models"][0]["peak_share"] < 1
    assert plain["models"][0]["bytes_moved"] > 64 * 64 * 3
    asked = json.loads(bench(model, "--source", photo, "--operators").stdout.splitlines()[-1])
    assert "MatMul" in {row["operator"] for row in asked["operators"]}
    assert asked["peak"]["float_gmacs"] > 0
    [count] = asked["models"][0]["macs_by_kind"]
    macs = 3 * len(LABELS)
    assert count == {"kind": "matrix product", "is_int8": False, "layers": 1, "macs": macs}
    for row in asked["operators"]:
        assert row["model"] == "small.onnx"
        assert row["nodes"] >= 1
        assert row["median_ms"] >= 0


def test_nothing_is_timed_on_an_emulated_processor(
    tiny_model: TinyModel,
    one_face: FixedDetector,
    photo: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dcrnet_bench.host.facts.find_emulator", lambda: "QEMU user emulation")
    result = bench(tiny_model(), "--source", photo)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout.splitlines()[-1])
    assert (figures["emulated"], figures["run"]["protocol"]) == (True, "emulated")
    assert (figures["stages"], figures["peak"], figures["run"]["runs"]) == ([], None, 1)
    model = figures["models"][0]
    assert (model["latency_ms"], model["cold"], model["peak_share"]) == (None, None, None)
    assert (model["energy"]["gross_j"], model["energy"]["net_j"]) == (None, None)
    assert "QEMU user emulation" in model["energy"]["reason"]
    assert sum(model["answer"].values()) == pytest.approx(1, abs=1e-4)
    assert "Answers to the first face" in result.stdout
    assert "no latency of any machine" in result.stderr


@pytest.mark.parametrize(
    ("options", "takes_minutes"), [((), True), (("--quick",), False), (("--emulate",), False)]
)
def test_minutes_are_announced_where_they_are_spent(
    options: tuple[str, ...], takes_minutes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Target:
        def measure(self, plan: Plan, warn: object) -> Report:
            return emulated()

    monkeypatch.setattr("dcrnet_bench.targets.registry.open_target", lambda *_: Target())
    result = CliRunner().invoke(cli.app, ["--device", "arm", *options])
    assert result.exit_code == 0, result.output
    assert ("ten minutes or more" in result.stderr) is takes_minutes


def test_same_model_twice_is_told_apart(
    tiny_model: TinyModel, one_face: FixedDetector, photo: Path
) -> None:
    path = tiny_model()
    result = bench(path, path, "--source", photo)
    names = [m["name"] for m in json.loads(result.stdout.splitlines()[-1])["models"]]
    assert names == [f"{path} (1)", f"{path} (2)"]


def test_brackets_are_printed(
    tiny_model: TinyModel,
    one_face: FixedDetector,
    photo: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = tiny_model(name="my[v2].onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = bench(model, "--source", photo.rename(photo.with_name("me[b].png")))
    assert result.exit_code == 0, result.output
    tables = "".join(result.stdout.splitlines()[:-1])
    for text in ("my[v2].onnx", "me[b].png", "[bench]"):
        assert text in tables


def test_without_the_portrait_noise_is_labelled_as_such(
    tiny_model: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "skimage.data", None)
    monkeypatch.setattr("dcrnet_bench.timing.pipeline.open_detector", FixedDetector)
    result = bench(tiny_model())
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout.splitlines()[-1])
    assert figures["run"]["source"] == "synthetic noise, no face in it"
    assert figures["run"]["face_count"] == 0
    assert any("the detector saw no face" in note for note in figures["notes"])


@pytest.mark.parametrize("machine", ["x86_64", "riscv64"])
def test_arm_elsewhere_names_machine_and_remedy(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcrnet_bench.host.facts.platform.machine", lambda: machine)
    monkeypatch.setattr("dcrnet_bench.host.facts.find_emulator", lambda: "")
    assert complaint(bench("--device", "arm")) == (
        f"--device arm: this machine is {machine}, not ARM: name the board with --host"
        " (user@board by ssh, adb:SERIAL by adb), or install dcrnet-edge on the board and"
        " run the same command there, or --emulate a core here for answers and counts of"
        " instructions"
    )


def test_arm_of_32_bits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcrnet_bench.host.facts.platform.machine", lambda: "armv7l")
    text = complaint(bench("--device", "arm"))
    assert text.startswith("this machine has a 32-bit system (armv7l), for which onnxruntime")
    assert "install a 64-bit one (Raspberry Pi 3 and later: Raspberry Pi OS 64-bit" in text


@pytest.mark.parametrize("machine", ["aarch64", "arm64"])
def test_arm_on_a_board_is_its_cpu_and_says_whether_that_is_emulated(
    machine: str,
    tiny_model: TinyModel,
    one_face: FixedDetector,
    photo: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dcrnet_bench.host.facts.platform.machine", lambda: machine)
    monkeypatch.setattr("dcrnet_bench.host.facts.find_emulator", lambda: "")
    result = bench(tiny_model(), "--device", "arm", "--source", photo)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["run"]["device"] == "arm"
    monkeypatch.setattr("dcrnet_bench.host.facts.find_emulator", lambda: "QEMU")
    result = bench(tiny_model(), "--device", "arm", "--source", photo)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["emulated"] is True


def test_missing_model() -> None:
    text = complaint(bench("nowhere.onnx"))
    assert text == (
        "model nowhere.onnx cannot be read (No such file or directory): name a file that"
        " dcrnet-export wrote"
    )


def test_model_without_card(tiny_model: TinyModel) -> None:
    assert "carries no dcrnet-edge card" in complaint(bench(tiny_model(card_json="")))


def test_photo_without_face(
    tiny_model: TinyModel, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcrnet_bench.timing.pipeline.open_detector", FixedDetector)
    text = complaint(bench(tiny_model(), "--source", photo))
    assert text == "no face is found in photo.png: name an image of a face with --source"


def test_source_that_is_no_image(tiny_model: TinyModel, tmp_path: Path) -> None:
    path = tmp_path / "text.jpg"
    path.write_text("no image")
    assert "is no image" in complaint(bench(tiny_model(), "--source", path))


def test_target_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    target = tmp_path / "none" / "figures.json"
    text = complaint(bench("nowhere.onnx", "--json", target))
    assert text == f"--json {target} cannot be written: name a file in a writable folder"


def test_a_quiet_host_can_be_required(
    tiny_model: TinyModel,
    one_face: FixedDetector,
    photo: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dcrnet_bench.host.state.load_average", lambda: 0.0)
    arguments = [tiny_model(), "--source", photo, "--require-quiet-host"]
    assert bench(*arguments).exit_code == 0
    monkeypatch.setattr("dcrnet_bench.host.state.load_average", lambda: 99.0)
    assert complaint(bench(*arguments)).startswith("--require-quiet-host: load average 99.00 on")
    assert bench(*arguments[:-1]).exit_code == 0


def test_a_baseline_is_measured_beside_and_divides(
    tiny_model: TinyModel, one_face: FixedDetector, photo: Path
) -> None:
    base = tiny_model(PreprocessSpec(size_px=224), name="base.onnx")
    result = bench(tiny_model(), "--baseline", base, "--source", photo, "--runs", "20")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout.splitlines()[-1])
    small, large = figures["models"]
    [ratio] = figures["ratios"]
    assert (ratio["model"], ratio["baseline"], ratio["pairs"]) == ("tiny.onnx", "base.onnx", 20)
    assert ratio["interval"][0] <= ratio["ratio"] <= ratio["interval"][1]
    medians = small["latency_ms"]["median"], large["latency_ms"]["median"]
    assert ratio["ratio"] == pytest.approx(medians[0] / medians[1], rel=0.5)


def test_each_model_is_kept_under_load_for_the_time_that_was_asked_for(
    tiny_model: TinyModel, one_face: FixedDetector, photo: Path
) -> None:
    figures = json.loads(
        bench(tiny_model(), "--source", photo, "--sustained", "0.2s").stdout.splitlines()[-1]
    )
    [run] = figures["sustained"]
    assert (run["model"], len(run["points"])) == ("tiny.onnx", 1)
    assert 0.2 <= run["seconds"] < 2
    assert run["points"][0]["n"] > 10


def test_a_page_is_written(
    tiny_model: TinyModel, one_face: FixedDetector, photo: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "reports" / "today"
    result = bench(tiny_model(), "--source", photo, "--report", folder)
    assert result.exit_code == 0, result.output
    assert [path.name for path in folder.iterdir()] == ["index.html"]
    assert "tiny.onnx" in (folder / "index.html").read_text()


def test_a_page_without_its_extra_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    text = complaint(bench("nowhere.onnx", "--report", tmp_path))
    assert text.startswith("matplotlib is not installed: ")
    assert "pip install" in text
    assert "[bench]" in text


def test_a_host_that_throttles_in_the_run_is_told_by_the_report(
    tiny_model: TinyModel,
    one_face: FixedDetector,
    photo: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts = iter([Throttling((), 3, True), Throttling((), 8, True)])
    monkeypatch.setattr("dcrnet_bench.host.state.read_throttling", lambda: next(counts))
    figures = json.loads(bench(tiny_model(), "--source", photo).stdout.splitlines()[-1])
    assert "throttled" in [doubt["flag"] for doubt in figures["preflight"]["doubts"]]
    assert any("throttled during the run" in note for note in figures["notes"])


def test_a_quiet_host_that_throttles_in_the_run_ends_with_2_and_its_figures(
    tiny_model: TinyModel,
    one_face: FixedDetector,
    photo: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts = iter([Throttling((), 3, True), Throttling((), 8, True)])
    monkeypatch.setattr("dcrnet_bench.host.state.read_throttling", lambda: next(counts))
    monkeypatch.setattr("dcrnet_bench.host.state.load_average", lambda: 0.0)
    result = bench(tiny_model(), "--source", photo, "--require-quiet-host")
    assert result.exit_code == 2
    assert "error: --require-quiet-host: the processor throttled during the run" in result.stderr
    assert json.loads(result.stdout.splitlines()[-1])["models"][0]["latency_ms"]["p90"] > 0


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_loads_nothing_heavy(option: str) -> None:
    heavy = "('numpy', 'cv2', 'onnx', 'onnxruntime', 'ai_edge_litert', 'torch', 'psutil')"
    code = (
        "import sys\nfrom dcrnet_bench.cli.bench import app\n"
        f"try:\n    app(['{option}'])\n"
        f"finally:\n    assert not [m for m in {heavy} if m in sys.modules]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
