"""What is shipped gives on emulated ARM cores what it gives here; and instructions are counted.

Run with ``pytest -m arm``; the ARM root is built when it is not there yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arm.computed import computed
from arm.emulated_board import EmulatedBoard, emulated_board
from arm.write_counts import FIGURES, count_on
from board_stand_ins import Board, adb_board, ssh_board
from typer.testing import CliRunner

from dcrnet_bench.cli import bench as cli
from dcrnet_bench.emulation.core import Core
from dcrnet_bench.emulation.guest import Guest
from dcrnet_bench.emulation.root import ArmRoot
from dcrnet_runtime.backends.golden import Golden
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.models import shipped_model

pytestmark = pytest.mark.arm

LIMIT_S = 3600.0
COMMAND = "import sys; from dcrnet_runtime.cli.run import app; sys.argv[0] = 'dcrnet-run'; app()"
INT8_TOLERANCE = 0.02
FLOAT_TOLERANCE = 1e-4
REPEATABLE = 2e-4
with_a53 = pytest.mark.xdist_group(Core.CORTEX_A53.value)
with_a76 = pytest.mark.xdist_group(Core.CORTEX_A76.value)


@pytest.fixture(scope="session")
def here(photo: Path, models: Sequence[Path]) -> dict[str, Any]:
    return computed(photo, models)


@pytest.fixture(scope="session")
def there(guest: Guest, photo: Path, models: Sequence[Path]) -> dict[str, Any]:
    script = Path(__file__).with_name("computed.py")
    arguments = [*map(str, (script, photo, *models))]
    told = guest.run(arguments, what="computing", limit_s=LIMIT_S)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def test_every_model_answers_as_here(here: dict[str, Any], there: dict[str, Any]) -> None:
    assert len(here["answers"]) >= 5
    for path, expected in here["answers"].items():
        found = there["answers"][path]
        tolerance = INT8_TOLERANCE if "int8" in path else FLOAT_TOLERANCE
        for key in ("golden", "crop"):
            difference = np.abs(np.subtract(found[key], expected[key])).max()
            assert difference <= tolerance, (path, key, difference)
        recorded = Golden.of(load_model(Path(path)).card)
        given, asked = np.array(found["golden"]), recorded.probabilities[:: found["every"]]
        assert given.shape == asked.shape
        assert np.abs(given - asked).max() <= recorded.tolerance


def test_a_face_is_prepared_as_here(here: dict[str, Any], there: dict[str, Any]) -> None:
    difference = np.abs(np.subtract(there["pixels"], here["pixels"]))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def test_a_face_is_found_as_here(here: dict[str, Any], there: dict[str, Any]) -> None:
    assert there["landmarks"] == here["landmarks"] > 0
    assert np.allclose(there["box"], here["box"], atol=1.0)


def test_self_test_passes(guest: Guest) -> None:
    told = guest.run(["-c", COMMAND, "--self-test"], what="the self-test", limit_s=LIMIT_S)
    assert json.loads(told.stdout)["passed"] is True


def test_the_command_answers_a_photo_as_here(guest: Guest, photo: Path) -> None:
    from dcrnet_runtime.cli.run import app

    expected = CliRunner().invoke(app, ["--source", str(photo)])
    assert expected.exit_code == 0, expected.output
    told = guest.run(["-c", COMMAND, "--source", str(photo)], what="a photo", limit_s=LIMIT_S)
    [ours], [theirs] = (
        json.loads(text)["faces"] for text in (expected.stdout, told.stdout.splitlines()[-1])
    )
    assert theirs["label"] == ours["label"]
    assert np.allclose(theirs["box"], ours["box"], atol=1.0)


def phone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AbstractContextManager[Board]:
    """A board behind the stand-in for adb."""
    return nullcontext(adb_board(folder, monkeypatch))


@pytest.fixture(scope="module", params=[ssh_board, phone])
def board(
    request: pytest.FixtureRequest,
    root: ArmRoot,
    counter: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[EmulatedBoard]:
    """Behind a real sshd, and behind adb."""
    folder = tmp_path_factory.mktemp("board")
    with emulated_board(root, counter, folder, request.param) as found:
        yield found


def bench(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(cli.app, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return document


@pytest.fixture(scope="module")
def from_afar(board: EmulatedBoard, photo: Path) -> dict[str, Any]:
    """The bench's report of the shipped model on that board."""
    return bench(*board.options, "--source", photo)


@with_a76
def test_the_bench_runs_on_an_emulated_board(
    from_afar: dict[str, Any], board: EmulatedBoard
) -> None:
    assert from_afar["emulated"] is True
    assert from_afar["host"]["machine"] == "aarch64"
    assert from_afar["run"]["protocol"] == "emulated"
    assert from_afar["stages"] == []
    [model] = from_afar["models"]
    assert model["path"] == str(shipped_model())
    assert (model["latency_ms"], model["cold"]) == (None, None)
    assert (model["energy"]["gross_j"], model["energy"]["net_j"]) == (None, None)
    assert model["macs"] > 9e8
    assert max(model["answer"], key=model["answer"].get) == "happiness"
    assert model["instructions"]["core"] == "cortex-a76"
    assert board.board.leftovers == []


def emulated(core: Core, photo: Path) -> dict[str, Any]:
    """The shipped model as ``--emulate`` counts it."""
    options = ("--device", "arm", "--emulate", "--cpu", core, "--source", photo)
    [model] = bench(*options)["models"]
    return dict(model)


@pytest.fixture(scope="module")
def emulated_a76(photo: Path, counter: Path) -> dict[str, Any]:
    return emulated(Core.CORTEX_A76, photo)


@with_a76
def test_counts_repeat_and_are_those_of_the_kernels(
    emulated_a76: dict[str, Any], from_afar: dict[str, Any]
) -> None:
    """The board is another process of another folder, and counts the same."""
    model = emulated_a76
    first, second = (each["instructions"] for each in (model, from_afar["models"][0]))
    assert abs(first["total"] / second["total"] - 1) < REPEATABLE
    # Each SDOT or UDOT is 16 products.
    assert 0.9 < first["by_kind"]["dot"] * 16 / model["macs"] < 1.1
    assert first["by_kind"]["matrix"] == 0
    assert first["total"] == sum(first["by_kind"].values())
    recorded = recorded_counts(Core.CORTEX_A76, shipped_model())["inference"]
    assert first["total"] == pytest.approx(recorded["total"], rel=0.001)


def test_a_frame_executes_what_the_figures_say(guest: Guest, counter: Path, photo: Path) -> None:
    """Of the smaller model: what surrounds the inference is the other's as well."""
    small = shipped_model("fast")
    found = count_on(guest.core, guest.root, counter, photo, [small])[small.name]
    recorded = recorded_counts(guest.core, small)
    for part in ("inference", "frame"):
        assert found[part]["total"] == pytest.approx(recorded[part]["total"], rel=0.03)


def recorded_counts(core: Core, model: Path) -> dict[str, Any]:
    """What docs/figures says of a model on a core."""
    cores = json.loads(FIGURES.read_text())["cores"]
    counts: dict[str, Any] = cores[core][model.name]
    return counts


@with_a53
def test_a_core_without_dot_products_executes_none(counter: Path, photo: Path) -> None:
    told = emulated(Core.CORTEX_A53, photo)["instructions"]
    assert told["by_kind"]["dot"] == 0
    assert told["by_kind"]["widening"] > 1e8
    recorded = recorded_counts(Core.CORTEX_A53, shipped_model())["inference"]
    assert told["total"] == pytest.approx(recorded["total"], rel=0.001)
