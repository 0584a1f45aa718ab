"""What http addresses give: snapshots, HLS, video, and reasons why not."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import av
import pytest
from generated import FixedDetector, TinyModel
from mjpeg_server import jpeg_of
from recordings import write_recording
from web_server import refuse, send, serving

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.stream import Stream, StreamOptions
from dcrnet_runtime.video.capture import CaptureRequest
from dcrnet_runtime.video.source import resolve

BASIC = "Basic bWU6c2VjcmV0"  # me:secret


@pytest.fixture
def recognizer(tiny_model: TinyModel) -> Recognizer:
    return Recognizer(load_model(tiny_model()), FixedDetector())


def told(address: str, read_s: float = 5.0) -> str:
    with pytest.raises(DcrnetError) as caught:
        resolve(address).opener(CaptureRequest(), read_s, read_s)()
    return str(caught.value)


def test_a_snapshot_address_is_asked_at_a_steady_rate(recognizer: Recognizer) -> None:
    numbers = iter(range(100))
    with serving(lambda handler: send(handler, jpeg_of(next(numbers)), "image/jpeg")) as server:
        options = StreamOptions(request=CaptureRequest(fps=10))
        began_s = time.monotonic()
        with Stream(recognizer, server.address("/snap.jpg"), options) as stream:
            seen = [o for o, _ in zip(stream, range(6), strict=False)]
    assert [int(o.frame.rgb[0, 0, 0]) for o in seen] == [n * 10 for n in range(6)]
    assert 0.45 <= time.monotonic() - began_s < 5
    assert len(server.asked) <= 8


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (401, "it refuses the name or the password (401)"),
        (403, "it refuses access (403)"),
        (404, "it has no such path (404)"),
        (500, "it answers 500"),
    ],
)
def test_refusals_are_told_apart(code: int, why: str) -> None:
    with serving(lambda handler: refuse(handler, code)) as server:
        assert why in told(server.address("/"))


def test_what_does_not_answer_is_told_apart() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    for scheme in ("http", "rtsp", "rtmp"):
        told_by = told(f"{scheme}://127.0.0.1:{port}/1")
        assert "nothing listens there (connection refused)" in told_by
    assert "the host nowhere.invalid is not known" in told("http://nowhere.invalid/1")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"http://127.0.0.1:{mute.getsockname()[1]}/"
        assert "it does not answer in time" in told(address, read_s=0.5)


def test_a_page_is_no_video() -> None:
    with serving(lambda handler: send(handler, b"<html>hello</html>", "text/html")) as server:
        assert "what it sends (text/html) is no video or picture" in told(server.address("/"))


def test_credentials_cross_to_no_other_origin(recognizer: Recognizer) -> None:
    with serving(lambda handler: send(handler, jpeg_of(1), "image/jpeg")) as other:

        def lead(handler: BaseHTTPRequestHandler) -> None:
            if handler.path == "/here":
                refuse(handler, 302, Location="/there")
            elif handler.path == "/there":
                send(handler, jpeg_of(2), "image/jpeg")
            else:
                refuse(handler, 302, Location=other.address("/snap"))

        with serving(lead) as server:
            for path in ("/here", "/away"):
                capture = resolve(server.address(path, "me:secret@")).opener(CaptureRequest())()
                assert capture.grab()
                capture.close()
    assert server.asked == [("/here", BASIC), ("/there", BASIC), ("/away", BASIC)]
    assert other.asked == [("/snap", None)]


@pytest.mark.parametrize("challenge", ["Digest realm=", "Digest a", 'Digest nonce="b"', "Basic"])
def test_a_challenge_that_is_none_is_refused(challenge: str) -> None:
    with serving(lambda handler: refuse(handler, 401, WWW_Authenticate=challenge)) as server:
        assert "gave no frame" in told(server.address("/", "me:secret@"))


def test_a_redirect_to_a_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(jpeg_of(1))
    place = f"file://{tmp_path}/secret.jpg"
    with serving(lambda handler: refuse(handler, 302, Location=place)) as server:
        assert "gave no frame" in told(server.address("/"))


def test_a_digest_is_proven_without_the_password() -> None:
    challenge = 'Digest realm="cam", nonce="abc", qop="auth", algorithm=MD5'

    def ask(handler: BaseHTTPRequestHandler) -> None:
        if (handler.headers["Authorization"] or "").startswith("Digest "):
            send(handler, jpeg_of(1), "image/jpeg")
        else:
            refuse(handler, 401, WWW_Authenticate=challenge)

    with serving(ask) as server:
        capture = resolve(server.address("/1", "me:secret@")).opener(CaptureRequest())()
        assert capture.grab()
    assert 'username="me"' in (server.asked[-1][1] or "")


@pytest.fixture(scope="module")
def clip() -> bytes:
    buffer = io.BytesIO()
    write_recording(
        buffer, [n / 25 for n in range(50)], "libx264", "mpegts", options={"bf": "0", "g": "10"}
    )
    return buffer.getvalue()


def test_a_server_with_one_client_is_asked_once(clip: bytes, recognizer: Recognizer) -> None:
    """As ffmpeg -listen 1 is one: video without a stated length, and nobody else is let in."""

    def serve() -> None:
        connection, _ = listener.accept()
        listener.close()
        connection.recv(10_000)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n" + clip)
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/live"
        seen = []
        for observation in Stream(recognizer, address):
            seen.append(observation)
            if observation.frame.time_s > 1.7:
                break
    assert len(seen) + seen[-1].counters.dropped >= 40
    assert seen[-1].counters.dropped <= 4  # it came at once, and is shown at its own pace
    assert seen[-1].counters.reconnects == 0


def test_a_recording_on_a_server_is_read_in_parts(recognizer: Recognizer, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"  # whose index lies at its end
    write_recording(path, [n / 25 for n in range(20)])
    content = path.read_bytes()

    def give(handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers["Range"]
        first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        handler.send_response(206 if wanted else 200)
        handler.send_header("Content-Type", "video/mp4")
        handler.send_header("Accept-Ranges", "bytes")
        handler.send_header("Content-Length", str(len(content) - first))
        handler.end_headers()
        handler.wfile.write(content[first:])

    with serving(give) as server:
        seen = list(Stream(recognizer, server.address("/clip.mp4")))
    assert [round(o.frame.time_s, 2) for o in seen] == [n / 25 for n in range(20)]


def segments(clip: bytes) -> list[bytes]:
    """Transport streams of ten frames each."""
    groups: list[list[av.Packet]] = []
    with av.open(io.BytesIO(clip), format="mpegts") as old:
        (stream,) = old.streams.video
        for packet in old.demux(stream):
            if packet.is_keyframe:
                groups.append([])
            if packet.dts is not None:
                groups[-1].append(packet)
        return [_segment(stream, group) for group in groups]


def _segment(stream: av.VideoStream, packets: list[av.Packet]) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mpegts") as new:
        copied = new.add_stream_from_template(stream)
        for packet in packets:
            packet.stream = copied
            new.mux(packet)
    return buffer.getvalue()


def playlist(names: list[str], *, is_over: bool) -> bytes:
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n"
    listed = "".join(f"#EXTINF:0.4,\n{name}\n" for name in names)
    return (head + listed + ("#EXT-X-ENDLIST\n" if is_over else "")).encode()


def test_hls_gives_its_segments(clip: bytes, recognizer: Recognizer) -> None:
    parts = segments(clip)

    def give(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/live.m3u8":
            names = [f"{n}.ts" for n in range(len(parts))]
            send(handler, playlist(names, is_over=True), "application/vnd.apple.mpegurl")
        else:
            send(handler, parts[int(handler.path[1:-3])], "video/mp2t")

    with serving(give) as server:
        seen = list(Stream(recognizer, server.address("/live.m3u8", "me:secret@")))
    assert len(seen) == 50
    assert {secret for _, secret in server.asked} == {BASIC}


def test_hls_whose_pieces_are_none_is_given_up() -> None:
    """A live playlist would be asked for again and again."""

    def give(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/live.m3u8":
            send(handler, playlist(["0.ts"], is_over=False), "application/x-mpegurl")
        else:
            send(handler, b"no video", "video/mp2t")

    with serving(give) as server:
        assert "gave no frame" in told(server.address("/live.m3u8"), 1.0)


def test_hls_whose_pieces_have_no_readable_names_is_lost(
    clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and where a playlist that was good names them when it is asked for again."""
    names = [b"0.ts"]

    def give(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/live.m3u8":
            listed = playlist(["NAME"], is_over=True).replace(b"NAME", names[0])
            send(handler, listed, "application/x-mpegurl")
        else:
            send(handler, clip, "video/mp2t")

    def unreadable() -> Iterator[str]:
        yield b"\xe1.ts".decode()

    with serving(give) as server:
        address = server.address("/live.m3u8")
        capture = resolve(address).opener(CaptureRequest())()
        monkeypatch.setattr(capture, "_packets", unreadable())
        with pytest.raises(OSError, match="names pieces that are no UTF-8"):
            list(iter(capture.grab, False))
        capture.close()
        names[0] = b"\xe1.ts"
        assert "names pieces that are no UTF-8" in told(address, 5.0)


@pytest.mark.parametrize("kind", ["file", "host", "redirect"])
def test_hls_opens_nothing_elsewhere(
    kind: str, clip: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret.ts"
    secret.write_bytes(clip)
    with serving(lambda handler: send(handler, clip, "video/mp2t")) as other:
        elsewhere = other.address("/0.ts").replace("127.0.0.1", "localhost")
        name = {"file": f"file://{secret}", "host": elsewhere, "redirect": "away.ts"}[kind]

        def give(handler: BaseHTTPRequestHandler) -> None:
            if handler.path == "/away.ts":
                refuse(handler, 302, Location=elsewhere)
            else:
                send(handler, playlist([name], is_over=True), "application/x-mpegurl")

        with serving(give) as server:
            text = told(server.address("/live.m3u8"))
    said = {"file": "outside its own host", "host": "outside its own host"}
    assert said.get(kind, "leads to another host") in text
    assert capfd.readouterr().err == ""
    if kind != "redirect":
        assert other.asked == []
