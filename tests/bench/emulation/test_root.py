"""An ARM root is kept by what went into it, and appears under its name when it is whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from board_stand_ins import write_program

from dcrnet_bench.emulation import root as module
from dcrnet_bench.emulation.core import Core, write_cpuinfo
from dcrnet_bench.emulation.recipe import recipe
from dcrnet_bench.emulation.root import build_root, find_root
from dcrnet_bench.host.clusters import read_clusters
from dcrnet_runtime.errors import DcrnetError

Build = Callable[[str], None]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins that make what the real ones make, and note how they were asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    write_program(
        folder / "mmdebstrap",
        f'echo "$@" >>{tmp_path}/asked; for to; do :; done; doc=$to/usr/share/doc'
        "\nmkdir -p $to/usr/bin $to/var/lib/dpkg $doc/libc6 $doc/libuuid1"
        "\ntouch $to/var/lib/dpkg/status"
        '\nputs() { echo "$1 ($2) bookworm; urgency=medium" | gzip >$doc/$1/changelog.$3.gz; }'
        "\nputs libc6 2.36-9 Debian; puts libuuid1 2.38.1-5 Debian; puts libuuid1 2.39 upstream"
        "\nputs libuuid1 2.38.1-5+b1 Debian.arm64; ln -s libuuid1 $doc/uuid-runtime",
    )
    write_program(folder / "qemu-aarch64", "true")
    python = write_program(
        folder / "python",
        f'echo "$@" >>{tmp_path}/asked; while [ "$1" != --target ]; do shift; done;'
        ' mkdir -p "$2/numpy-1.26.4.dist-info"',
    )
    monkeypatch.setattr("dcrnet_bench.emulation.root.sys.executable", str(python))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def test_what_is_asked_for(cache: Path, programs: Path, tmp_path: Path) -> None:
    told: list[str] = []
    root = build_root(told.append)
    assert len(told) == 2
    debian, wheels = (tmp_path / "asked").read_text().splitlines()
    assert "--variant=extract --architectures=arm64 --include=python3.11,libstdc++6" in debian
    assert "--platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64" in wheels
    assert "--only-binary=:all:" in wheels
    assert "onnxruntime==" in wheels
    assert json.loads((root.folder / "root.json").read_text())["debian"] == {
        "libc6": "2.36-9",
        "libuuid1": "2.38.1-5+b1",
        "uuid-runtime": "2.38.1-5+b1",
    }
    assert find_root().folder == root.folder
    build_root(told.append)
    assert len(told) == 2  # it was there


def test_what_fails_half_way_leaves_nothing(cache: Path, programs: Path) -> None:
    write_program(programs / "python", "echo 'ERROR: No matching distribution' >&2; exit 1")
    with pytest.raises(DcrnetError, match=r"^pip failed with code 1: ERROR: No matching"):
        build_root(lambda text: None)
    assert [*(cache / "arm-roots").iterdir()] == []
    with pytest.raises(DcrnetError, match=r"no ARM root .*: python -m dcrnet_bench\.emulation"):
        find_root()


def test_what_is_missing_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(DcrnetError, match="apt-get install mmdebstrap qemu-user"):
        build_root(lambda text: None)


def test_the_key_is_of_all_that_goes_in() -> None:
    wanted = recipe()
    others = [
        replace(wanted, suite="trixie"),
        replace(wanted, packages=()),
        replace(wanted, requirements=("numpy==1.26.0",)),
        replace(wanted, platforms=()),
        replace(wanted, python="3.12"),
    ]
    assert len({each.key for each in (wanted, *others, recipe())}) == 6


def test_requirements_are_the_runtimes_in_the_versions_that_are_here() -> None:
    import numpy

    names = {each.partition("==")[0] for each in recipe().requirements}
    assert {"onnxruntime", "ai-edge-litert", "opencv-python-headless"} <= names
    assert not names & {"torch", "pytest", "mediapipe", "onnx", "matplotlib"}
    assert f"numpy=={numpy.__version__}" in recipe().requirements


@pytest.mark.parametrize("core", list(Core))
def test_a_core_is_shown_as_linux_shows_it(core: Core, tmp_path: Path) -> None:
    write_cpuinfo(core, tmp_path)
    clusters = read_clusters(tmp_path)
    assert {each.core for each in clusters} == {core.value}
    has_dot = "asimddp" in (tmp_path / "proc/cpuinfo").read_text()
    assert has_dot is (core is Core.CORTEX_A76)
