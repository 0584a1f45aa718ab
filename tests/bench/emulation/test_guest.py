"""The emulated Python finds this checkout and the root's packages, and compiles them once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from board_stand_ins import write_program

import dcrnet_runtime
from dcrnet_bench.emulation.core import Core
from dcrnet_bench.emulation.guest import Guest
from dcrnet_bench.emulation.root import ArmRoot

TELL = (
    "import dcrnet_runtime, wheel_of_arm as w; print(dcrnet_runtime.__file__); print(w.__cached__)"
)


@pytest.fixture
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guest:
    """Of a root with one package; this machine's own Python plays the emulated one."""
    root = ArmRoot(tmp_path / "root")
    root.packages.mkdir(parents=True)
    (root.packages / "wheel_of_arm.py").write_text("")
    emulator = tmp_path / "bin" / "qemu-aarch64"
    emulator.parent.mkdir()
    write_program(emulator, f'shift; exec env -u PYTHONHOME {sys.executable} "$@"')
    monkeypatch.setenv("PATH", f"{emulator.parent}:{os.environ['PATH']}")
    return Guest(root, Core.CORTEX_A53)


def test_what_is_compiled_is_kept_with_the_root_and_not_beside_sources(guest: Guest) -> None:
    ours, compiled = guest.run(["-c", TELL], what="telling", limit_s=60.0).stdout.splitlines()
    assert ours == dcrnet_runtime.__file__
    assert Path(compiled).is_file()
    assert Path(compiled).is_relative_to(guest.root.bytecode)
    assert [each.name for each in guest.root.packages.iterdir()] == ["wheel_of_arm.py"]
