"""Options and sources that come from files: ``--config`` and ``--from``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import pytest
import typer
from generated import FixedDetector, TinyModel, synthetic_face, synthetic_frame
from typer.testing import CliRunner, Result

from dcrnet_runtime.cli import run as cli
from dcrnet_runtime.cli.address_list import read_addresses
from dcrnet_runtime.cli.settings_file import read_options
from dcrnet_runtime.errors import DcrnetError


def run(*arguments: object, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments], input=stdin)


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector",
        lambda *_, **__: FixedDetector(synthetic_face()),
    )
    path = tmp_path / "a photo.png"
    cv2.imwrite(str(path), synthetic_frame())
    return path


def params() -> list[Any]:
    return list(typer.main.get_command(cli.app).params)


def test_a_file_holds_any_option(tmp_path: Path) -> None:
    """Of every kind, by the option's own name, dashes or underscores alike."""
    path = tmp_path / "run.toml"
    path.write_text(
        "source = 0\nmax-faces = 3\nstall_timeout = 2.5\nfar = false\nblur-faces = true\n"
        'provider = ["cuda", "coreml"]\nmqtt = "mqtt://hub/kitchen"\nfrom = "list.txt"\n'
    )
    assert read_options(path, params()) == {
        "source": 0,
        "max_faces": 3,
        "stall_timeout": 2.5,
        "far": False,
        "blur_faces": True,
        "provider": ["cuda", "coreml"],
        "mqtt": "mqtt://hub/kitchen",
        "from_": "list.txt",
    }
    every = {param.name for param in params()} - {"config", "version", "help", "sources"}
    path.write_text("zzzzzzzz = 1\n")
    with pytest.raises(DcrnetError, match="known are") as told:
        read_options(path, params())
    listed = str(told.value).partition("known are ")[2].split(", ")
    assert {"from_" if name == "from" else name.replace("-", "_") for name in listed} >= every


def test_the_file_is_what_the_command_line_leaves_out(
    tiny_model: TinyModel, photo: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run.toml"
    table, other = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text(
        f'source = "{photo}"\nmodel = "{tiny_model()}"\ncsv = "{table}"\njsonl = "-"\n'
    )
    result = run("--config", path)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["source"] == photo.name
    assert len(table.read_text().splitlines()) == 2
    table.unlink()
    result = run("--config", path, "--csv", other)
    assert result.exit_code == 0, result.output
    assert (table.exists(), other.exists()) == (False, True)


def test_a_source_on_the_command_line_goes_before_the_files(
    tiny_model: TinyModel, photo: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run.toml"
    path.write_text(f'camera = 97\nmodel = "{tiny_model()}"\n')
    assert run("--config", path, "--source", photo).exit_code == 0
    path.write_text(f'source = "{photo}"\ncamera = 97\n')
    assert "exclude each other" in run("--config", path).stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sorce = 'x'", "has the unknown key sorce: did you mean source?"),
        ("config = 'x'", "has the unknown key config"),
        ("[outputs]\ncsv = 'x'", "has the unknown key outputs"),
        ("demo = 'yes'", "demo wants true or false"),
        ("frames = true", "frames wants a text or a number"),
        ("provider = [1, [2]]", "provider wants a list of texts"),
        ("frames = 0", " --help lists what there is"),
        ("frames = 'many'", "--frames: "),
        ("frames", "is no TOML (Expected '=' after a key"),
        ("a = '\xe9'", "is no TOML (it is no UTF-8): mend"),
        (None, "cannot be read: No such file"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(
    text: str | None, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.toml"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    result = run("--config", path)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert expected in line


@pytest.mark.parametrize(
    ("content", "is_nul_separated", "expected"),
    [
        (b"a.jpg\nrtsp://me:pw@hall/1\n", False, ["a.jpg", "rtsp://me:pw@hall/1"]),
        (b"a b.jpg\r\n\r\n\n=c.jpg", False, ["a b.jpg", "=c.jpg"]),
        (b"\xef\xbb\xbfa.jpg\n", False, ["a.jpg"]),
        (b"two\nlines.jpg\0b.jpg\0", True, ["two\nlines.jpg", "b.jpg"]),
        (b"\xff.jpg\n", False, ["\udcff.jpg"]),
    ],
)
def test_a_list_of_sources(
    content: bytes, is_nul_separated: bool, expected: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "list"
    path.write_bytes(content)
    assert read_addresses(str(path), is_nul_separated=is_nul_separated) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"", "holds no address and no path"), (b"a\0b\0", "holds zero bytes: -0 reads what find")],
)
def test_a_list_of_nothing(content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(content)
    with pytest.raises(DcrnetError, match=expected):
        read_addresses(str(path))
    with pytest.raises(DcrnetError, match="cannot be read"):
        read_addresses(str(tmp_path / "none"))


def test_a_source_may_come_from_a_file_or_standard_input(
    tiny_model: TinyModel, photo: Path, tmp_path: Path
) -> None:
    model = ["--model", tiny_model()]
    (tmp_path / "list").write_text(f"{photo}\n")
    for arguments, stdin in (
        (["--from", tmp_path / "list"], ""),
        (["--from", "-"], f"{photo}\n"),
        (["--from", "-", "-0"], f"{photo}\0"),
    ):
        result = run(*arguments, *model, stdin=stdin)
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["source"] == photo.name
    assert "-0 is of what --from reads" in run("--demo", "-0").stderr
    assert "exclude each other" in run("--demo", "--from", "-").stderr
