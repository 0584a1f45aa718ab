"""What a file is: told by its bytes, listed once, and never a door to another file."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from generated import synthetic_frame
from mjpeg_server import jpeg_of
from PIL import Image, ImageFile
from recordings import encoded, write_recording

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.capture import CaptureRequest
from dcrnet_runtime.video.files.inputs import inputs_of
from dcrnet_runtime.video.files.listing import listing_of, matches, names_of
from dcrnet_runtime.video.files.signature import Media, signature_of
from dcrnet_runtime.video.images import MAX_PIXELS, decode_frame, decode_image, decode_photo
from dcrnet_runtime.video.source import resolve

PLAYLISTS = {
    "M3U": "#EXTM3U\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile {secret}\n",
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "DASH": "<MPD><BaseURL>file://{secret}</BaseURL></MPD>",
    "XML": '<?xml version="1.0"?>\n<MPD><BaseURL>file://{secret}</BaseURL></MPD>',
    "PLS": "[playlist]\nFile1={secret}\n",
    "ASX": "<asx><entry><ref href='file://{secret}'/></entry></asx>",
}


@pytest.mark.parametrize("name", ["list", "list.mp4", "list.jpg", "list.ts"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_is_refused_whatever_its_name(kind: str, name: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.avi"
    write_recording(secret, [0.0, 0.1])
    path = tmp_path / name
    path.write_text("\ufeff" + PLAYLISTS[kind].format(secret=secret))
    with pytest.raises(DcrnetError, match=f"is a playlist .{kind}.*never opens another one"):
        resolve(str(path))


def frames_of(path: Path) -> list[tuple[int, float | None]]:
    """Kind by kind: each frame's middle grey and its time."""
    capture = resolve(str(path)).opener(CaptureRequest())()
    seen = []
    while capture.grab():
        rgb = capture.retrieve()
        assert rgb is not None
        seen.append((int(rgb[24, 32, 0]), capture.position_s()))
    capture.close()
    return seen


@pytest.mark.parametrize("name", ["five.mjpeg", "five.jpg", "five"])
def test_jpegs_in_one_file_are_a_recording(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"".join(jpeg_of(number) for number in range(5)))
    assert frames_of(path) == [(number * 10, number / 25) for number in range(5)]


def test_a_phones_second_picture_is_no_second_frame(tmp_path: Path) -> None:
    """A preview of the same size behind the photo, which the photo's head announces."""
    body = b"MPF\0" + bytes(20)
    announced = b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body
    first = jpeg_of(1)
    path = tmp_path / "phone.jpg"
    path.write_bytes(first[:2] + announced + first[2:] + jpeg_of(2))
    assert resolve(str(path)).kind.name == "image"
    smaller = tmp_path / "gain-map.jpg"
    smaller.write_bytes(jpeg_of(1) + jpeg_of(2, 32, 24))
    assert resolve(str(smaller)).kind.name == "image"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animations_have_the_times_at_which_they_are_shown(kind: str, tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (64, 48), (grey, grey, grey)) for grey in (10, 120, 230)]
    path = tmp_path / "moving"
    options = {"lossless": True} if kind == "WEBP" else {}
    pictures[0].save(
        path, kind, save_all=True, append_images=pictures[1:], duration=[200, 300, 100], **options
    )
    times = [0.0, 0.2, 0.5]
    for (grey, time_s), wanted, at in zip(frames_of(path), (10, 120, 230), times, strict=True):
        assert abs(grey - wanted) <= 2
        assert time_s == pytest.approx(at)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_one_picture_is_a_photo(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "still"
    path.write_bytes(encoded(kind))
    assert resolve(str(path)).kind.name == "image"


def test_an_animation_that_ends_in_its_second_picture_is_bad_input(tmp_path: Path) -> None:
    """Where that picture is asked for, since the first is whole."""
    pictures = [Image.new("RGB", (64, 48), (value, 0, 0)) for value in (0, 200)]
    buffer = BytesIO()
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:])
    content = buffer.getvalue()
    second = content.rindex(b"\x2c\0\0\0\0\x40\0\x30\0")  # its place and size
    path = tmp_path / "short.gif"
    path.write_bytes(content[: second + 10])
    assert resolve(str(path)).kind.name == "animation"
    with pytest.raises(DcrnetError, match=r"short\.gif has a broken picture behind the first 1"):
        frames_of(path)


@pytest.mark.parametrize("size", [1 << 40, (1 << 64) - 1])
def test_a_box_that_states_more_than_a_file_can_have_is_bad_input(
    size: int, tmp_path: Path
) -> None:
    path = tmp_path / "vast.mp4"
    path.write_bytes(struct.pack(">I4sQ", 1, b"free", size) + bytes(64))
    with pytest.raises(DcrnetError, match=r"vast\.mp4 is no image or video"):
        frames_of(path)


def test_a_broken_animation_is_bad_input(tmp_path: Path) -> None:
    """Its second picture lies outside the first one's place."""
    pictures = [Image.new("RGB", (64, 48), (value, 0, 0)) for value in (0, 200)]
    buffer = BytesIO()
    pictures[0].save(buffer, "PNG", save_all=True, append_images=pictures[1:])
    content = bytearray(buffer.getvalue())
    second = content.rindex(b"fcTL")
    content[second + 16 : second + 20] = (99).to_bytes(4, "big")  # where it begins
    checked = bytes(content[second : second + 30])
    content[second + 30 : second + 34] = zlib.crc32(checked).to_bytes(4, "big")
    path = tmp_path / "outside.png"
    path.write_bytes(content)
    assert resolve(str(path)).kind.name == "animation"
    with pytest.raises(DcrnetError, match=r"outside\.png has a broken picture behind the first 1"):
        frames_of(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_that_a_photo_states_is_applied(kind: str, orientation: int) -> None:
    if kind == "AVIF":
        from PIL import features

        if not features.check("avif"):
            pytest.skip("this Pillow was built without AVIF")
    shown = np.zeros((48, 64, 3), np.uint8)
    shown[:24, :32] = 250  # bright at the top left, and nowhere else
    turns = {
        1: shown,
        2: shown[:, ::-1],
        3: shown[::-1, ::-1],
        4: shown[::-1],
        5: shown.transpose(1, 0, 2),
        6: np.rot90(shown),
        7: shown[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(shown, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(kind, np.ascontiguousarray(turns[orientation]), exif=exif)
    upright = decode_image(content, "photo")
    assert upright.shape == (48, 64, 3)
    assert upright[12, 16].min() > 200
    assert max(upright[12, 48].max(), upright[36, 16].max(), upright[36, 48].max()) < 50


@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp", ".tiff", ".webp", ".ppm"])
@pytest.mark.parametrize("pixels", ["colour", "grey", "alpha", "sixteen"])
def test_pixels_are_those_that_opencv_decodes(ending: str, pixels: str) -> None:
    """What was trained with and cached was decoded by OpenCV."""
    rgb = cv2.GaussianBlur(synthetic_frame(101, 77), (0, 0), 3)
    if (pixels, ending) == ("grey", ".ppm"):
        ending = ".pgm"
    if pixels in ("alpha", "sixteen") and ending not in (".png", ".tiff"):
        pytest.skip("the format has no such pixels")
    if pixels == "sixteen" and ending == ".tiff":
        rgb = rgb[:, :, 0]  # of colours in 16 bits OpenCV rounds one way, Pillow the other
    shaped = {
        "colour": rgb,
        "grey": rgb[:, :, 0] if rgb.ndim == 3 else rgb,
        "alpha": np.dstack([rgb, rgb])[:, :, :4],
        "sixteen": rgb.astype(np.uint16) * 250,
    }
    content = cv2.imencode(ending, shaped[pixels])[1].tobytes()
    theirs = np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    assert np.array_equal(decode_image(content, "photo"), theirs[:, :, ::-1])


@pytest.mark.parametrize("size", [(640, 360), (641, 547), (1280, 720), (3, 2000), (2000, 3)])
def test_a_jpegs_pixels_are_opencvs_however_many_pieces_they_come_in(
    size: tuple[int, int],
) -> None:
    """Of a live stream's size in one, of others in some, the last of which is not full."""
    content = cv2.imencode(".jpg", synthetic_frame(size[1], size[0]))[1].tobytes()
    rgb = decode_frame(content, "frame")
    theirs = np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    assert rgb.shape == (size[1], size[0], 3)
    assert np.array_equal(rgb, theirs[:, :, ::-1])
    assert ImageFile.MAXBLOCK >= 640 * 360 * 3


def test_a_photo_beyond_the_limit_is_decoded_at_a_part_of_its_size() -> None:
    width, height = 12_000, 9_000
    picture = Image.new("RGB", (width, height))
    picture.paste((250, 250, 250), (0, 0, width // 2, height // 2))
    buffer = BytesIO()
    picture.save(buffer, "JPEG")
    photo = decode_photo(buffer.getvalue(), "photo")
    assert photo.scale == 2
    assert photo.rgb.shape == (height // 2, width // 2, 3)
    assert photo.rgb.shape[0] * photo.rgb.shape[1] <= MAX_PIXELS
    assert photo.rgb[height // 8, width // 8].min() > 200
    assert photo.rgb[3 * height // 8, 3 * width // 8].max() < 50
    with pytest.raises(DcrnetError, match="declares more than 67 megapixels"):
        decode_image(buffer.getvalue(), "photo")
    buffer = BytesIO()
    picture.save(buffer, "JPEG", progressive=True)
    with pytest.raises(DcrnetError, match="declares more than 67 megapixels"):
        decode_photo(buffer.getvalue(), "photo")


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (b"\x76\x2f\x31\x01", "OpenEXR"),
        (b"#?RADIANCE\n", "Radiance HDR"),
        (b"\x59\xa6\x6a\x95", "Sun raster"),
        (b"%!PS-Adobe", "PostScript"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"8BPS", "Photoshop"),
    ],
)
def test_formats_that_are_not_read_are_named(head: bytes, format: str) -> None:
    with pytest.raises(DcrnetError, match=f"x is {format}, which is not read: convert it to JPEG"):
        decode_image(head + bytes(100), "x")


def test_a_raw_photos_thumbnail_is_not_taken_for_the_photo() -> None:
    tags = Image.Exif()
    tags[254] = 1  # a picture of less resolution than another one in the file
    with pytest.raises(DcrnetError, match="is a camera's raw file"):
        decode_image(encoded("TIFF", exif=tags), "x")


def test_a_photo_that_is_cut_off_is_no_photo(tmp_path: Path) -> None:
    for kind in ("JPEG", "PNG"):
        content = encoded(kind)
        with pytest.raises(DcrnetError, match="is no image that can be decoded"):
            decode_image(content[: len(content) // 2], "x")


@pytest.mark.parametrize("kept", [12, 300])
def test_a_jpeg_that_is_cut_off_in_its_head_says_so(kept: int) -> None:
    with pytest.raises(DcrnetError, match=r"since it is cut off: copy it again$"):
        decode_image(encoded("JPEG")[:kept], "x")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<html>404</html>\n", "it holds text"),
        (b"\0\0\0\x18ftypisom" + bytes(90), "it holds MP4"),
        (bytes(90), "it begins as no image does"),
    ],
)
def test_what_is_no_image_at_all_says_what_it_is(content: bytes, why: str) -> None:
    with pytest.raises(DcrnetError, match=f"x is no image .* since {why}: copy the image there"):
        decode_image(content, "x")


def test_heic_is_read_or_its_remedy_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the heic extra")
    buffer = BytesIO()
    rgb = np.zeros((640, 1200, 3), np.uint8)
    rgb[:320, :600] = 250
    pillow_heif.from_pillow(Image.fromarray(rgb)).save(buffer, quality=90)
    content = buffer.getvalue()
    assert signature_of(content[:100]).format == "HEIC"
    read = decode_image(content, "x")
    assert read.shape == (640, 1200, 3)
    assert read[100, 100].min() > 200
    assert read[500, 1000].max() < 50

    from dcrnet_runtime.video import images

    def missing(format: str) -> object:
        raise ImportError(format)

    monkeypatch.setattr(images, "_load_reader", missing)
    with pytest.raises(DcrnetError, match=r"x is HEIC.*pip install.*\[heic\]"):
        decode_image(content, "x")


def test_what_the_first_bytes_say() -> None:
    def iso(*brands: bytes) -> bytes:
        body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
        return (len(body) + 4).to_bytes(4, "big") + body

    assert signature_of(iso(b"avif", b"mif1")).format == "AVIF"
    assert signature_of(iso(b"mif1", b"avif")).format == "AVIF"
    assert signature_of(iso(b"heic", b"mif1")).format == "HEIC"
    assert signature_of(iso(b"mif1", b"heic")).format == "HEIC"
    assert signature_of(iso(b"isom", b"avc1")).format == "MP4"
    assert signature_of((b"\x47" + bytes(187)) * 3).format == "MPEG-TS"
    assert signature_of(b"\0\0\0\x01\x67\x42\0\x1e").format == "H.264"
    assert signature_of(b"\0\0\0\x01\x09\xf0\0\0").format == "H.264"
    assert signature_of(b"\0\0\0\x01\x40\x01\x0c\x01").format == "H.265"
    assert signature_of(b"\0\0\x01\xba\x44").format == "MPEG-PS"
    assert signature_of(b"").media is Media.EMPTY
    assert signature_of(b"no video").media is Media.OTHER


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Photos in folders, with a link that leads back to their top."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("x.jpg", "a/x.jpg", "a/b/x.jpg", "a/b/y.jpg"):
        (tmp_path / name).write_bytes(jpeg_of(1))
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    return tmp_path


def test_a_recursive_pattern_walks_a_loop_of_links_once(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = ["a/b/x.jpg", "a/b/y.jpg", "a/x.jpg", "x.jpg"]
    found = sorted(str(path.relative_to(tree)) for path in matches(f"{tree}/**/*.jpg"))
    assert found == wanted
    monkeypatch.chdir(tree)
    assert sorted(map(str, matches("**/*.jpg"))) == wanted
    linked = ["a/b/up/x.jpg", "a/b/x.jpg", "a/x.jpg"]  # what lies above is reached by the link
    assert sorted(map(str, matches("a/**/x.jpg"))) == linked


def test_names_tell_files_apart(tree: Path) -> None:
    inputs = inputs_of([f"{tree}/**/*.jpg"])
    top = tree.name
    assert dict(zip(inputs.names, inputs.paths, strict=True)) == {
        "b/x.jpg": tree / "a" / "b" / "x.jpg",
        "y.jpg": tree / "a" / "b" / "y.jpg",
        "a/x.jpg": tree / "a" / "x.jpg",
        f"{top}/x.jpg": tree / "x.jpg",
    }
    assert names_of([Path("clip.mp4")]) == ["clip.mp4"]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg_of(1))
    (tmp_path / "photo-without-a-name").write_bytes(encoded("WEBP"))
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    write_recording(tmp_path / "clip.avi", [0.0, 0.1])
    (tmp_path / "._a.jpg").write_bytes(b"\0\x05\x16\x07" + bytes(50))
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n")
    (tmp_path / "folder.jpg").mkdir()
    listing = listing_of(tmp_path.iterdir())
    names = [path.name for path in listing.paths]
    assert names == ["a.jpg", "broken.jpg", "clip.avi", "photo-without-a-name"]
    assert listing.has_videos
    assert dict(listing.skipped) == {
        "resource forks of macOS": 1,
        "files that are no picture or video": 1,
        "playlists": 1,
    }


def test_a_pattern_of_videos(tmp_path: Path) -> None:
    for name in ("1.avi", "2.avi"):
        write_recording(tmp_path / name, [0.0, 0.1])
    inputs = inputs_of([f"{tmp_path}/*.avi"])
    assert inputs.feed == "files"
    assert inputs.names == ("1.avi", "2.avi")
