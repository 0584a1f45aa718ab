"""What addresses keep secret reaches no output and no error, whatever goes wrong."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from generated import FixedDetector, TinyModel, synthetic_face
from mjpeg_server import MjpegServer
from typer.testing import CliRunner

from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.cli import run as cli
from dcrnet_runtime.cli.console import note_logs
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs import FrameFacts, OutputPlan, open_publisher
from dcrnet_runtime.outputs.mqtt.broker import Broker
from dcrnet_runtime.outputs.mqtt.discovery import discovery_messages
from dcrnet_runtime.outputs.page.address import PageAddress
from dcrnet_runtime.recognizer import Recognizer
from dcrnet_runtime.redaction import ENCODING_HINT, is_ambiguous, redacted, redacted_text
from dcrnet_runtime.stream import Stream
from dcrnet_runtime.video.source import resolve

MARK = "S3CRET"
PARTS = ("S3C", "RET")
PLACE = "127.0.0.1:9"
ADDRESSES = {
    f"http://{PLACE}/mjpg?user=admin&pwd={MARK}": f"http://{PLACE}/mjpg?...",
    f"http://{PLACE}/mjpg?{MARK}": f"http://{PLACE}/mjpg?...",
    f"http://{PLACE}/mjpg#{MARK}": f"http://{PLACE}/mjpg?...",
    f"http://{PLACE}/{MARK}TOKEN/mjpg": f"http://{PLACE}/.../mjpg",
    f"rtsp://admin:{MARK}@{PLACE}/1": f"rtsp://{PLACE}/1",
    f"rtsp://{MARK}@{PLACE}/Streaming/Channels/101": f"rtsp://{PLACE}/Streaming/Channels/101",
    f"rtsp://admin:S3C@RET@{PLACE}/h264/ch1": f"rtsp://{PLACE}/h264/ch1",
    f"rtsp://admin:S3C/RET@{PLACE}/1": "rtsp://...",
    f"rtsp://admin:S3C?RET@{PLACE}/1": "rtsp://...",
    f"rtsp://admin:S3C#RET@{PLACE}/1": "rtsp://...",
    f"rtsp://admin:{MARK}": "rtsp://...",
    f"http://{PLACE}/?pwd=S3C@RET": "http://...",
    "rtsp://admin:S3C%2FRET@[::1]:9/1": "rtsp://[::1]:9/1",
}
MISTYPED = (
    f"rtsp:/admin:{MARK}@{PLACE}/1",
    f"admin:{MARK}@{PLACE}/1",
    f"{PLACE}/mjpg?user=admin&pwd={MARK}",
    f"http:/{PLACE}/mjpg?pwd={MARK}",
)


def tells(text: str) -> list[str]:
    return [part for part in PARTS if part in text]


@pytest.mark.parametrize(("address", "shown"), ADDRESSES.items())
def test_what_is_shown_of_an_address(address: str, shown: str) -> None:
    assert redacted(address) == shown
    assert resolve(address).name == shown
    assert not tells(redacted_text(f"Cannot open '{address}', says the library."))


@pytest.mark.parametrize(
    "name",
    ["clip.mp4", "12:30.mp4", "/dev/video0", "0", "-", "a@b.jpg", "file:///home/me/clip.mp4"],
)
def test_what_is_no_address_of_a_camera_is_shown_whole(name: str) -> None:
    assert redacted(name) == name


@pytest.mark.parametrize("address", MISTYPED)
def test_a_mistyped_address_is_not_repeated(address: str) -> None:
    with pytest.raises(DcrnetError, match=r"\.\.\.") as told:
        resolve(address).files()
    assert not tells(str(told.value))


@pytest.fixture
def command(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Runs dcrnet-run; gives its exit code and all that it and native libraries have written."""
    monkeypatch.delenv("DCRNET_TOKEN", raising=False)

    def run(*arguments: object, stdin: str = "") -> tuple[int, str]:
        capfd.readouterr()
        result = CliRunner().invoke(cli.app, [str(each) for each in arguments], input=stdin)
        return result.exit_code, result.output + "".join(capfd.readouterr())

    return run


def assert_refused(code: int, told: str) -> None:
    assert code == 2, told
    assert not tells(told), told
    assert "Traceback" not in told
    assert told.count("error: ") == 1


@pytest.mark.parametrize("address", [*ADDRESSES, *MISTYPED])
def test_a_source_that_cannot_be_opened_tells_no_secret(
    address: str, tiny_model: TinyModel, command: Callable[..., tuple[int, str]]
) -> None:
    model = ["--model", tiny_model(), "--detector", "cascade", "--max-reconnects", 0]
    for arguments, stdin in ((["--source", address], ""), (["--from", "-"], f"{address}\n")):
        code, told = command(*arguments, *model, stdin=stdin)
        assert_refused(code, told)
        assert (ENCODING_HINT in told) == is_ambiguous(address)


FIRST = f"http://admin:{MARK}@{PLACE}/{MARK}?pwd={MARK}"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--camera", FIRST],
        [f"--nowhere={FIRST}"],
        ["--fps", FIRST, "--demo"],
        ["--demo", "--mqtt", f"mqtt://u:S3C/RET@{PLACE}/t"],
        ["--demo", "--mqtt", f"mqtt://u:1/RET@{PLACE}/t"],
        ["--demo", "--mqtt", f"mqtt://u:S3C#RET@{PLACE}/t"],
        ["--demo", "--serve", "0.0.0.0:8080", "--token", MARK],
    ],
)
def test_a_wrong_command_line_tells_no_secret(
    arguments: list[str], command: Callable[..., tuple[int, str]]
) -> None:
    assert_refused(*command(*arguments))


@pytest.mark.parametrize(
    "text",
    [f"source = {FIRST}", f"demo = '{FIRST}'", f"camera = '{FIRST}'", f"sorce = '{FIRST}'"],
)
def test_a_wrong_settings_file_tells_no_secret(
    text: str, tmp_path: Path, command: Callable[..., tuple[int, str]]
) -> None:
    (tmp_path / "run.toml").write_text(f"{text}\n")
    assert_refused(*command("--config", tmp_path / "run.toml"))


def test_a_source_that_is_lost_tells_no_secret(tiny_model: TinyModel) -> None:
    """In a process of its own, with every line of its loop and of libraries."""
    server = MjpegServer()
    host = server.address.partition("://")[2].partition("/")[0]
    address = f"http://admin:{MARK}@{host}/{MARK}TOKEN?pwd={MARK}"
    code = "import sys; from dcrnet_runtime.cli.run import app; app(sys.argv[1:])"
    options = ["--detector", "cascade", "--max-reconnects", "1", "--model", str(tiny_model())]
    server.kill_after(20)
    done = subprocess.run(
        [sys.executable, "-c", code, "--source", address, *options],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )
    assert done.returncode == 3, done.stderr
    assert f"http://{host}/...?... is lost" in done.stderr
    assert json.loads(done.stdout.splitlines()[0])["source"] == f"http://{host}/...?..."
    assert not tells(done.stdout + done.stderr)


def test_no_output_tells_a_secret(
    tiny_model: TinyModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """From a camera whose address has a password, a token and a query, into every output."""
    recognizer = Recognizer(load_model(tiny_model()), FixedDetector(synthetic_face()))
    labels = recognizer.model.card.labels
    server = MjpegServer()
    host = server.address.partition("://")[2].partition("/")[0]
    address = f"http://admin:{MARK}@{host}/{MARK}TOKEN?pwd={MARK}"
    with Stream(recognizer, address) as stream:
        seen = next(iter(stream))
        facts = str(stream.facts)
    server.kill()
    assert seen.frame.name == f"http://{host}/...?..."
    files = {name: tmp_path / f"a.{name}" for name in ("jsonl", "csv", "avi")}
    url = f"mqtt://u:{MARK}@{PLACE}/t"
    plan = OutputPlan.of(
        FrameFacts(labels),
        jsonl=str(files["jsonl"]),
        csv=files["csv"],
        save=files["avi"],
        mqtt=url,
        mqtt_discovery=True,
    )
    publisher = open_publisher(plan)
    publisher.publish(seen)
    publisher.close()
    said = [facts, plan.notice(), repr(discovery_messages(Broker.parse(url).topic, labels))]
    said += [path.read_bytes().decode("latin-1") for path in files.values()]
    pytest.importorskip("starlette", reason="needs the serve extra")
    pytest.importorskip("uvicorn", reason="needs the serve extra")
    from dcrnet_runtime.outputs.page.server import LivePage

    with closing(LivePage(PageAddress("127.0.0.1", 0), MARK, blur_faces=False)) as page:
        page.offer(seen, 0.0)
        for path in ("", "metrics", "healthz"):
            said.append(fetched(f"{page.address.url}{path}"))
        said.append(fetched(f"{page.address.url}events", until=b"\n\n", parts=2))
    assert "dcrnet_frames_total 1.0" in said[-3]
    assert '"source"' in said[-1]
    assert caplog.text  # the broker is away
    for text in [*said, caplog.text]:
        assert text
        assert not tells(text), text


def fetched(url: str, until: bytes = b"", parts: int = 0) -> str:
    """What is served there, or its first parts."""
    request = Request(url, headers={"Authorization": f"Bearer {MARK}"})
    with urlopen(request, timeout=10) as response:
        if not until:
            return str(response.read().decode())
        content = b""
        while content.count(until) < parts:
            content += response.read1()
        return content.decode()


def test_what_libraries_log_is_shown_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, root.handlers = root.handlers, []
    try:
        note_logs()
        logging.getLogger("library").warning("cannot open %s, it says\x1b[31m\ntwice", FIRST)
    finally:
        root.handlers = before
    shown = capsys.readouterr().err
    assert shown == f"WARNING: cannot open http://{PLACE}/...?..., it says\\x1b[31m\\ntwice\n"
