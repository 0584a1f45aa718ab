"""What the page's folder is made of, and what is refused."""

from __future__ import annotations

import base64
import json
import re
import tarfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import dcrnet_runtime
from dcrnet_runtime.backends.interpreter import load_interpreter
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.browser import engine
from dcrnet_runtime.browser.batch import one_at_a_time
from dcrnet_runtime.browser.folder import check_model, write_page
from dcrnet_runtime.cli.run import app
from dcrnet_runtime.detectors.litert import FaceNetworks
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.landmarks import shipped_landmarks
from dcrnet_runtime.preprocess.spec import Colour, Interpolation

STATIC = Path(dcrnet_runtime.__file__).parent / "browser" / "static"


def signature(content: bytes) -> list[int]:
    interpreter = load_interpreter(content, 1)
    return [int(v) for v in interpreter.get_input_details()[0]["shape_signature"]]


def test_the_mesh_takes_one_picture_and_gives_the_same() -> None:
    network = FaceNetworks.from_task(shipped_landmarks()).landmarks
    closed = one_at_a_time(network)
    assert (signature(network)[0], signature(closed)[0]) == (-1, 1)
    assert len(closed) == len(network)
    picture = np.random.default_rng(0).random((1, *signature(closed)[1:])).astype(np.float32)
    answers = []
    for content in (network, closed):
        interpreter = load_interpreter(content, 1)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
        interpreter.invoke()
        details = interpreter.get_output_details()
        answers.append([interpreter.get_tensor(detail["index"]) for detail in details])
    for one, other in zip(*answers, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_no_tflite_file_is_refused() -> None:
    with pytest.raises(DcrnetError, match="is no TFLite file"):
        one_at_a_time(b"\xff\xff\xff\x7f")


def test_the_shipped_onnx_is_refused_with_the_command(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["--write-page", str(tmp_path / "page")])
    assert answer.exit_code == 2
    assert "--model is what dcrnet-export --int8 --size 128 writes" in answer.stderr
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"colour": Colour.RGB}, "it wants rgb"),
        ({"interpolation": Interpolation.LINEAR}, "it wants linear interpolation"),
    ],
)
def test_a_contract_that_the_page_does_not_cover_is_refused(
    change: dict[str, Any], told: str, int8_file: Path
) -> None:
    model = load_model(int8_file)
    check_model(model, int8_file)
    model.card = replace(model.card, preprocess=replace(model.card.preprocess, **change))
    with pytest.raises(DcrnetError, match=told):
        check_model(model, int8_file)


def test_without_the_engine_its_command_is_told(int8_file: Path, tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match=r"python -m dcrnet_runtime\.browser\.engine fetches it"):
        write_page(tmp_path / "page", load_model(int8_file), int8_file)
    assert not (tmp_path / "page").exists()


def test_other_content_than_the_pinned_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "npm"
    other = tmp_path / "other.tgz"
    with tarfile.open(other, "w:gz"):
        pass
    npm.write_text(f"#!/bin/sh\ncp {other} litertjs-core-{engine.VERSION}.tgz\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(DcrnetError, match=r"npm gave @litertjs/core .* expected a9766"):
        engine.fetch_engine()
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(DcrnetError, match="npm is not installed"):
        engine.fetch_engine()


def test_the_page_contacts_nobody() -> None:
    page = (STATIC / "index.html").read_text()
    found = re.search(r'<script type="importmap">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    digest = base64.b64encode(sha256(found[1].encode()).digest()).decode()
    policy = page.partition("Content-Security-Policy")[2].partition(">")[0]
    assert f"'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'self';" in policy
    for path in STATIC.glob("*.js"):
        assert not re.search(r"https?://", path.read_text()), path.name


def test_the_folder_holds_everything(page_folder: Path, int8_file: Path) -> None:
    assert (page_folder / "model.tflite").read_bytes() == int8_file.read_bytes()
    assert "Apache License" in (page_folder / "licences.txt").read_text()
    modules = json.loads(
        re.findall(r'importmap">(.*?)</script>', (page_folder / "index.html").read_text())[0]
    )
    for target in modules["imports"].values():
        assert (page_folder / target).is_file()
    for path in page_folder.glob("*.js"):
        for name in re.findall(r'from "\./(.+?)"', path.read_text()):
            assert (page_folder / name).is_file(), name
