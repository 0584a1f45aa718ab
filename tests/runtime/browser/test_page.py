"""The page in a real Chromium: photos, a camera fed from a clip, and what goes wrong."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import chromium
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.browser.certificate import Certificate
from dcrnet_runtime.detectors.detector import open_detector
from dcrnet_runtime.outputs.page.address import PageAddress
from dcrnet_runtime.recognizer import Recognizer

pytest.importorskip("starlette", reason="needs the serve extra")
pytest.importorskip("uvicorn", reason="needs the serve extra")

from dcrnet_runtime.browser.server import folder_app, folder_server

pytestmark = pytest.mark.skipif(chromium.PATH is None, reason="needs Chromium")

LOADED_S = 240
"""A network of 12 MB is compiled on a machine that has other work."""

STATE = "document.getElementById('status')?.dataset.state"
TEXT = "document.getElementById('status').textContent"
FACES = "JSON.stringify([...document.querySelectorAll('#faces li')].map((item) => item.dataset))"
FAKE_CAMERA = "--use-fake-device-for-media-stream"
GRANTED = "--use-fake-ui-for-media-stream"
ELSEWHERE = "board.test"
"""A host that is not the phone itself; this machine, by the browser's own resolver."""


@contextmanager
def opened(
    folder: Path,
    profile: Path,
    *flags: str,
    query: str = "",
    host: str = "localhost",
    certificate: Certificate | None = None,
) -> Iterator[chromium.Tab]:
    """A phone's tab with the page, once it has loaded or failed."""
    address = PageAddress("127.0.0.1", 0)
    listening = address.listen()
    server = folder_server(folder_app(folder), certificate)
    scheme = "https" if certificate else "http"
    flags = (*flags, f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1")
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        with chromium.Tab(profile, *flags) as tab:
            tab.look(360, 780, "light")
            tab.open(f"{scheme}://{host}:{listening.getsockname()[1]}/{query}")
            tab.wait_for(f"{STATE} && {STATE} !== 'loading'", LOADED_S)
            yield tab
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def give_photo(tab: chromium.Tab, path: Path) -> list[dict[str, str]]:
    """What the page lists for a photo."""
    tab.value("document.getElementById('status').dataset.state = 'asked'")
    document = tab.call("DOM.getDocument")["root"]["nodeId"]
    chooser = tab.call("DOM.querySelector", nodeId=document, selector="#photo")["nodeId"]
    tab.call("DOM.setFileInputFiles", files=[str(path)], nodeId=chooser)
    tab.wait_for(f"['ready', 'failed'].includes({STATE})")
    listed: list[dict[str, str]] = json.loads(tab.value(FACES))
    return listed


def photos(portrait: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    head = portrait[:260, 110:330]
    turned = cv2.getRotationMatrix2D((110, 130), 20, 0.8)
    return {
        "whole": portrait,
        "head": head,
        "small": cv2.resize(portrait, (200, 200), interpolation=cv2.INTER_AREA),
        "turned": cv2.warpAffine(head, turned, (220, 260)),
        "dark": (head // 5).astype(np.uint8),
    }


@pytest.mark.parametrize("query", ["?threads=1", "?threads=2"])
def test_photos_are_answered_as_in_python(
    query: str,
    page_folder: Path,
    int8_file: Path,
    portrait: NDArray[np.uint8],
    tmp_path: Path,
) -> None:
    recognizer = Recognizer(load_model(int8_file), open_detector())
    with opened(page_folder, tmp_path / "profile", query=query) as tab:
        assert tab.value(STATE) == "ready", tab.value(TEXT)
        assert tab.value("document.getElementById('self-test').dataset.passed") == "true"
        threads = tab.value("document.getElementById('engine').textContent")
        assert f"{query[-1]} thread" in threads
        for name, rgb in photos(portrait).items():
            path = tmp_path / f"{name}.png"
            cv2.imwrite(str(path), rgb[:, :, ::-1])
            listed = give_photo(tab, path)
            expected = recognizer.recognize(rgb)
            assert [face["label"] for face in listed] == [face.label for face in expected], name
            for face, wanted in zip(listed, expected, strict=True):
                got = json.loads(face["probabilities"])
                assert np.abs(np.array(got) - wanted.probabilities).max() <= 0.02, name


@pytest.fixture
def camera(portrait: NDArray[np.uint8], tmp_path: Path) -> tuple[str, ...]:
    """Chromium's options for a camera that shows a moving face, and may be used."""
    clip = tmp_path / "clip.mjpeg"
    with clip.open("wb") as file:
        for shift in range(0, 40, 4):
            rgb = np.roll(portrait[:384], shift, axis=1)
            file.write(cv2.imencode(".jpg", rgb[:, :, ::-1])[1].tobytes())
    return GRANTED, FAKE_CAMERA, f"--use-file-for-fake-video-capture={clip}"


def test_a_cameras_frames_are_followed_on_a_narrow_screen(
    page_folder: Path, camera: tuple[str, ...], tmp_path: Path
) -> None:
    with opened(page_folder, tmp_path / "profile", *camera) as tab:
        tab.value("document.getElementById('start').click()")
        tab.wait_for("+document.querySelector('[data-stage=network]')?.dataset.count >= 5")
        stages = "[...document.querySelectorAll('[data-stage]')].map((row) => row.dataset.stage)"
        assert tab.value(stages) == ["grab", "find", "prepare", "network", "draw", "whole frame"]
        (face,) = json.loads(tab.value(FACES))
        assert face["label"] == "happiness"
        assert tab.value("document.documentElement.scrollWidth") <= 360
        tab.value("document.getElementById('stop').click()")
        tab.wait_for(f"{STATE} === 'ready'")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_from_elsewhere_https_gives_the_camera_and_threads(
    page_folder: Path, camera: tuple[str, ...], tmp_path: Path
) -> None:
    certificate = Certificate.make(tmp_path, [ELSEWHERE])
    trusted = "--ignore-certificate-errors"  # what a person does who goes on past the warning
    with opened(
        page_folder,
        tmp_path / "profile",
        *(trusted, *camera),
        query="?threads=2",
        host=ELSEWHERE,
        certificate=certificate,
    ) as tab:
        assert tab.value(STATE) == "ready", tab.value(TEXT)
        assert "2 threads" in tab.value("document.getElementById('engine').textContent")
        tab.value("document.getElementById('start').click()")
        tab.wait_for("+document.querySelector('[data-stage=network]')?.dataset.count >= 2")
        (face,) = json.loads(tab.value(FACES))
        assert face["label"] == "happiness"


def test_from_elsewhere_plain_http_gives_one_thread_and_says_what_a_camera_needs(
    page_folder: Path, camera: tuple[str, ...], tmp_path: Path
) -> None:
    with opened(page_folder, tmp_path / "profile", *camera, host=ELSEWHERE) as tab:
        assert tab.value(STATE) == "ready", tab.value(TEXT)
        assert "1 thread," in tab.value("document.getElementById('engine').textContent")
        tab.value("document.getElementById('start').click()")
        tab.wait_for(f"{STATE} === 'failed'")
        assert "needs HTTPS or localhost" in tab.value(TEXT)


def test_a_browser_without_relaxed_simd_answers_alike_and_says_that_it_is_slow(
    page_folder: Path, int8_file: Path, portrait: NDArray[np.uint8], tmp_path: Path
) -> None:
    folder = copied(page_folder, tmp_path)
    engine = folder / "litertjs/core/dist/index.js"
    asked = "tryWasm(WASM_RELAXED_SIMD_CHECK)"
    assert engine.read_text().count(asked) == 1
    engine.write_text(engine.read_text().replace(asked, "Promise.resolve({ supported: false })"))
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), portrait[:, :, ::-1])
    with opened(folder, tmp_path / "profile", query="?threads=2") as tab:
        assert tab.value(STATE) == "ready", tab.value(TEXT)
        told = tab.value("document.getElementById('engine').textContent")
        assert "1 thread, fixed SIMD" in told
        assert "this browser lacks relaxed SIMD" in told
        (face,) = give_photo(tab, photo)
    (expected,) = Recognizer(load_model(int8_file), open_detector()).recognize(portrait)
    assert face["label"] == expected.label
    got = json.loads(face["probabilities"])
    assert np.abs(np.array(got) - expected.probabilities).max() <= 0.02


def test_a_refused_camera_is_told(page_folder: Path, tmp_path: Path) -> None:
    denied = "--deny-permission-prompts"
    with opened(page_folder, tmp_path / "profile", FAKE_CAMERA, denied) as tab:
        tab.value("document.getElementById('start').click()")
        tab.wait_for(f"{STATE} === 'failed'")
        assert "camera was refused: allow it" in tab.value(TEXT)


def copied(page_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(page_folder, tmp_path / "copy"))


@pytest.mark.parametrize("query", ["?threads=1", "?threads=2"])
def test_a_missing_engine_is_told(query: str, page_folder: Path, tmp_path: Path) -> None:
    folder = copied(page_folder, tmp_path)
    for path in folder.glob("litertjs/core/wasm/*.wasm"):
        path.unlink()
    with opened(folder, tmp_path / "profile", query=query) as tab:
        assert tab.value(STATE) == "failed"
        assert "LiteRT.js did not load" in tab.value(TEXT)
        assert tab.value("document.getElementById('start').disabled")


def test_a_failed_self_test_stops_the_page(page_folder: Path, tmp_path: Path) -> None:
    folder = copied(page_folder, tmp_path)
    golden = json.loads((folder / "golden.json").read_text())
    golden["cases"][2]["probabilities"] = golden["cases"][2]["probabilities"][::-1]
    (folder / "golden.json").write_text(json.dumps(golden))
    with opened(folder, tmp_path / "profile", query="?threads=1") as tab:
        assert tab.value(STATE) == "failed"
        assert "computes the model wrongly" in tab.value(TEXT)
        assert "turned" in tab.value("document.getElementById('self-test').textContent")
        assert tab.value("document.getElementById('start').disabled")
