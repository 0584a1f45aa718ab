"""What the built wheel and sdist hold, and that a build can be repeated."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest
from docs.pages import ROOT

from dcrnet_runtime.version import __version__
from packages.distribution import Distributions, build, copied_tree

pytest.importorskip("hatchling", reason="needs the dev extra")

WEIGHTS = {".safetensors", ".onnx", ".tflite"}
TERMS = "LicenseRef-dcrnet-weights-research-only"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def wheel(built: Distributions) -> Iterator[ZipFile]:
    with ZipFile(built.wheel) as opened:
        yield opened


@pytest.fixture(scope="module")
def metadata(wheel: ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


@pytest.mark.slow  # other tests change the tree meanwhile; `python -m tests.packages` does it, too
def test_a_build_elsewhere_gives_the_same_bytes(built: Distributions, tmp_path: Path) -> None:
    again = build(tmp_path / "dist", copied_tree(tmp_path / "tree"))
    assert again.hashes == built.hashes


def test_the_metadata_names_the_weights_terms_beside_the_codes(metadata: Message) -> None:
    assert metadata["License-Expression"] == f"Apache-2.0 AND {TERMS}"
    assert f"LICENSES/{TERMS}.txt" in metadata.get_all("License-File", [])


def test_the_texts_of_all_licences_are_in_it(wheel: ZipFile, metadata: Message) -> None:
    files = metadata.get_all("License-File", [])
    assert {"LICENSE", "NOTICE"} < set(files)
    folder = f"dcrnet_edge-{__version__}.dist-info/licenses"
    for file in files:
        assert wheel.read(f"{folder}/{file}") == (ROOT / file).read_bytes()


def test_every_file_that_is_no_text_of_ours_has_a_notice(wheel: ZipFile) -> None:
    notice = (ROOT / "NOTICE").read_text()
    terms = (ROOT / "LICENSES" / f"{TERMS}.txt").read_text()
    binary = [name for name in wheel.namelist() if b"\0" in wheel.read(name)[:65536]]
    assert len(binary) == 5
    for name in binary:
        assert name in notice
        if PurePosixPath(name).suffix in WEIGHTS:
            assert name in terms


def test_it_holds_four_packages_and_no_leavings(wheel: ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    packages = {"dcrnet_bench", "dcrnet_edge", "dcrnet_export", "dcrnet_runtime"}
    assert tops == {*packages, f"dcrnet_edge-{__version__}.dist-info"}
    assert [name for name in wheel.namelist() if "__pycache__" in name or "/tests/" in name] == []


def test_the_version_is_that_of_the_changelogs_newest_section(metadata: Message) -> None:
    heading = re.search(r"^## (\S+) \(([^)]+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert heading is not None
    is_unreleased = heading[2] == "unreleased"
    assert metadata["Version"] == __version__
    assert __version__ == heading[1] + (".dev0" if is_unreleased else "")


def test_the_version_stands_in_one_place() -> None:
    stated = [
        path.relative_to(ROOT)
        for package in ("runtime", "dcrnet_edge", "export", "bench")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"^__version__\s*=", path.read_text(), re.M)
    ]
    assert stated == [Path("runtime/dcrnet_runtime/version.py")]
    assert not re.search(r"^version\s*=", (ROOT / "pyproject.toml").read_text(), re.M)


def test_the_changelogs_sections_are_newest_first() -> None:
    named = re.findall(r"^## (\d+)\.(\d+)\.(\d+) ", (ROOT / "CHANGELOG.md").read_text(), re.M)
    versions = [tuple(map(int, each)) for each in named]
    assert versions == sorted(versions, reverse=True)


def test_the_sdist_holds_what_building_and_testing_need(built: Distributions) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = ("pyproject.toml", "LICENSE", "NOTICE", "constraints.txt", "tests/conftest.py")
    assert set(wanted) < names
    assert [name for name in names if "__pycache__" in name] == []
