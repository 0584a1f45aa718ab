"""Sources: what an address is, JPEG pictures in a row, and pictures that are too large."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from io import BytesIO
from itertools import chain, repeat
from pathlib import Path

import cv2
import numpy as np
import pytest
from mjpeg_server import jpeg_of

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.capture import CaptureFacts
from dcrnet_runtime.video.captures.jpegs import JpegCapture
from dcrnet_runtime.video.files.image_size import declared_size
from dcrnet_runtime.video.images import decode_image, read_image
from dcrnet_runtime.video.source import resolve

PICTURES = [jpeg_of(number) for number in range(6)]
FACTS = CaptureFacts("pipe", is_live=True, is_endless=False)


def with_thumbnail(jpeg: bytes, thumbnail: bytes) -> bytes:
    """A JPEG that carries another one in its EXIF, as cameras write it."""
    body = b"Exif\0\0" + thumbnail
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def greys(content: bytes, chunk: int = 1000) -> list[int | None]:
    """Every picture's grey, None for a broken one; the pipe gives ``chunk`` bytes at a time."""
    pipe = BytesIO(content)
    capture = JpegCapture(FACTS, lambda size: pipe.read(min(size, chunk)))
    seen: list[int | None] = []
    while capture.grab():
        rgb = capture.retrieve()
        seen.append(None if rgb is None else int(rgb[0, 0, 0]))
    return seen


EXPECTED = [number * 10 for number in range(6)]


@pytest.mark.parametrize("chunk", [1, 7, 1000, 1 << 16])
def test_pictures_behind_each_other(chunk: int) -> None:
    assert greys(b"".join(PICTURES), chunk) == EXPECTED


@pytest.mark.parametrize("chunk", [1, 1000])
def test_pictures_behind_their_length(chunk: int) -> None:
    content = b"".join(struct.pack(">I", len(jpeg)) + jpeg for jpeg in PICTURES)
    assert greys(content, chunk) == EXPECTED


def test_pictures_as_a_camera_serves_them() -> None:
    head = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"
    assert greys(b"".join(head + jpeg + b"\r\n" for jpeg in PICTURES)) == EXPECTED


def test_a_thumbnail_is_no_picture_of_its_own() -> None:
    content = b"".join(with_thumbnail(jpeg, jpeg_of(20, 16, 16)) for jpeg in PICTURES)
    assert greys(content) == EXPECTED


@pytest.mark.parametrize("is_prefixed", [False, True])
def test_a_picture_is_here_as_soon_as_it_is_whole(is_prefixed: bool) -> None:
    """A live pipe pauses behind each picture; whoever reads on waits for the next one."""
    jpeg = PICTURES[3]
    parts = iter([struct.pack(">I", len(jpeg)) + jpeg if is_prefixed else jpeg])

    def read(_: int) -> bytes:
        for part in parts:
            return part
        raise AssertionError("read on behind a whole picture")

    capture = JpegCapture(FACTS, read)
    assert capture.grab()
    rgb = capture.retrieve()
    assert rgb is not None
    assert rgb[0, 0, 0] == 30


def test_a_pipe_that_ends_in_a_picture_gives_those_before() -> None:
    whole = b"".join(PICTURES)
    assert greys(whole[:-100]) == EXPECTED[:-1]
    assert greys(whole[:-1]) == EXPECTED[:-1]


def test_damage_costs_no_more_than_the_pictures_around_it() -> None:
    broken = bytearray(PICTURES[2])
    broken[40:200] = bytes(160)
    content = b"".join([*PICTURES[:2], bytes(broken), *PICTURES[3:]])
    seen = [grey for grey in greys(content) if grey is not None]
    assert {0, 10, 40, 50} <= set(seen)


@pytest.mark.parametrize("seed", range(20))
def test_noise_gives_no_picture_and_ends(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, 20_000, dtype=np.uint8).tobytes()
    with_start = noise[: seed * 100] + b"\xff\xd8\xff" + noise
    assert all(grey is None for grey in greys(with_start))


def test_a_picture_without_an_end_is_refused() -> None:
    chunks = chain([b"\xff\xd8\xff\xda\0\x02"], repeat(bytes(1 << 20)))
    capture = JpegCapture(FACTS, lambda _: next(chunks))
    with pytest.raises(DcrnetError, match="no picture of less than 16 MB"):
        capture.grab()


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("0", "camera"),
        ("/dev/video3", "camera"),
        ("rtsp://camera/1", "stream"),
        ("-", "stdin"),
        ("no/such/*.jpg", "glob"),
    ],
)
def test_what_an_address_is(address: str, kind: str) -> None:
    assert resolve(address).kind.name == kind


def test_a_password_is_in_no_name() -> None:
    source = resolve("rtsp://me:se%40cret@camera:554/1?a=b")
    assert source.name == "rtsp://camera:554/1?..."
    assert "secret" in source.address.replace("%40", "")


def test_a_pattern_names_photos(tmp_path: Path) -> None:
    for name in ("b1.png", "b2.png", "c.png", "b.txt"):
        (tmp_path / name).write_bytes(b"")
    found = resolve(f"{tmp_path}/b*").files()
    assert [path.name for path in found] == ["b1.png", "b2.png"]
    with pytest.raises(DcrnetError, match="holds no image and no video"):
        resolve(f"{tmp_path}/*.txt").files()
    with pytest.raises(DcrnetError, match=r"no file matches .*/z\*: name another pattern"):
        resolve(f"{tmp_path}/z*").files()


def png_that_declares(width: int, height: int) -> bytes:
    """A few bytes that say they are an enormous picture: a decompression bomb's header."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checked = kind + body
        return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + rows + chunk(b"IEND", b"")


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    """In an own process, whose memory is its own."""
    sizes = [(30_000, 30_000), (9000, 9000), (40_000, 10), (10, 40_000), (2**31 - 1, 1)]
    for number, size in enumerate(sizes):
        (tmp_path / f"{number}.png").write_bytes(png_that_declares(*size))
    code = """
import sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.images import read_image
before = getrusage(RUSAGE_SELF).ru_maxrss
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        read_image(path)
    except DcrnetError as error:
        print(error)
print((getrusage(RUSAGE_SELF).ru_maxrss - before) / 1024 < 50)
"""
    run = [sys.executable, "-c", code, str(tmp_path)]
    *errors, is_frugal = subprocess.check_output(run, text=True).splitlines()
    assert len(errors) == len(sizes)
    assert all("declares more than 67 megapixels" in error for error in errors[:4])
    assert is_frugal == "True"


@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp", ".tiff", ".webp", ".pgm", ".ppm"])
def test_a_header_tells_the_size_that_is_decoded(ending: str) -> None:
    shape = (40, 57, 3)[: 2 if ending == ".pgm" else 3]
    content = cv2.imencode(ending, np.zeros(shape, np.uint8))[1].tobytes()
    assert declared_size(content) == (57, 40)
    assert declared_size(content[:6]) is None
    assert decode_image(content, "photo").shape == (40, 57, 3)


def test_lossless_and_extended_webp_tell_their_size() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (41, 300, 4), dtype=np.uint8)
    for quality in (101, 80):  # above 100 it is lossless
        content = cv2.imencode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
        assert declared_size(content) == (300, 41)


@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp", ".tiff", ".webp"])
def test_fuzzed_photos_are_read_or_refused(ending: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    whole = cv2.imencode(ending, pixels)[1].tobytes()
    path = tmp_path / f"fuzzed{ending}"
    for _ in range(40):
        content = bytearray(whole[: rng.integers(1, len(whole) + 1)])
        for at in rng.integers(0, len(content), rng.integers(1, 20)):
            content[at] = rng.integers(0, 256)
        path.write_bytes(content)
        try:
            rgb = read_image(path)
        except DcrnetError:
            continue
        assert rgb.dtype == np.uint8
        assert rgb.ndim == 3
