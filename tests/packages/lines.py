"""The install lines of the pages, and what is done with what they install."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from docs.pages import PAGES

_PIP = re.compile(r"pip install ([^`\n]*?)(?= (?:&&|#)|`|\s*$)", re.MULTILINE)
_OURS = re.compile(r"^(?:dcrnet-edge|\.)(?:\[|$)|-e \.|download\.pytorch")


@dataclass(frozen=True, slots=True)
class Use:
    """Something done with an installed package.

    Attributes:
        what: it is.
        script: for :class:`packages.shell.Shell`, with the environment's programs on PATH.
        says: what its output has to hold, a regular expression.
        back_end: that computes in it; empty for none of the table's.
    """

    what: str
    script: str
    says: str
    back_end: str = ""

    def passed(self, output: str) -> bool:
        """Whether the output is the expected one."""
        return re.search(self.says, output) is not None


@dataclass(frozen=True, slots=True)
class Line:
    """An install line.

    Attributes:
        key: what ``pip install`` is given on the pages, without quotes.
        install: what it is given here.
        uses: of what it installs.
    """

    key: str
    install: str
    uses: tuple[Use, ...]


_PASSED, _HAPPY = r'"passed": ?true', r'"label": ?"happiness"'
_SELF_TEST = Use(
    "self-test of the shipped model", "dcrnet-run --self-test", _PASSED, "ONNX Runtime"
)
_FAST = Use("self-test of the fast model", "dcrnet-run --model fast --self-test", _PASSED)
_LITERT = Use(
    "self-test of an exported int8 TFLite file",
    'dcrnet-run --model "$WORK/int8.tflite" --self-test',
    _PASSED,
    "LiteRT",
)
_TFLITE_RUNTIME = Use(
    "the same by tflite-runtime",
    'dcrnet-run --model "$WORK/int8.tflite" --backend tflite-runtime --self-test',
    _PASSED,
    "tflite-runtime",
)
_PHOTO = Use("a photo", 'dcrnet-run "$WORK/portrait.png"', _HAPPY)
_DEMO = Use(
    "the demo photo, drawn",
    'cd "$SCRATCH" && rm -f drawn.jpg && dcrnet-run --demo --save drawn.jpg && test -s drawn.jpg',
    _HAPPY,
)
_HEIC = Use(
    "a HEIC photo",
    """cd "$SCRATCH" && python - <<'END'
import os, pillow_heif
from PIL import Image
pillow_heif.register_heif_opener()
Image.open(os.environ["WORK"] + "/portrait.png").save("portrait.heic")
END
dcrnet-run portrait.heic""",
    _HAPPY,
)
_PAGE = Use(
    "the live page's health while a stream runs",
    """cd "$SCRATCH" && python - <<'END'
import io, os, socket, subprocess, time, urllib.request
from PIL import Image
jpeg = io.BytesIO()
Image.open(os.environ["WORK"] + "/portrait.png").convert("RGB").save(jpeg, "JPEG")
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
import paho.mqtt.client
command = ["dcrnet-run", "--source", "-", "--serve", str(port)]
pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
with subprocess.Popen(command, stdin=pipe, stdout=nothing) as process:
    for _ in range(600):
        process.stdin.write(jpeg.getvalue())
        process.stdin.flush()
        time.sleep(0.1)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
                print("health", answer.status)
                break
        except OSError:
            if process.poll() is not None:
                raise
    process.terminate()
END""",
    "health 200",
)
_MACS = Use(
    "a bench of three rounds with its MACs",
    'dcrnet-bench --source "$WORK/portrait.png" --runs 3',
    r'"macs": ?9\d{8}\b',
)
_MEDIAPIPE = Use(
    "a photo, its face found by MediaPipe's package",
    'dcrnet-run "$WORK/portrait.png" --detector mediapipe',
    _HAPPY,
)
_WINDOW = Use(
    "OpenCV with a window toolkit (no window was opened)",
    "python -c 'import cv2; print(cv2.getBuildInformation())'",
    r"(?m)^\s+(?:QT|GTK).*YES",
)
_TRAIN = Use(
    "training for an epoch, and evaluation",
    'cd "$SCRATCH" && rm -rf run && dcrnet-train --data "$WORK/faces" --dataset folders'
    " --from-scratch --size 64 --epochs 1 --batch-size 4 --out run"
    ' && dcrnet-eval run/model.safetensors --data "$WORK/faces" --dataset folders',
    "accuracy",
    "torch",
)
_INSPECT = Use(
    "inspecting an exported file",
    'dcrnet-export inspect "$WORK/int8.tflite"',
    r"format\W+tflite\b",
)
_EXPORT = Use(
    "export of the smallest shipped model to ONNX and TFLite, checked against torch",
    'cd "$SCRATCH" && dcrnet-export fast --int8 --out exported'
    " && dcrnet-run --model exported/*-int8.onnx --self-test"
    " && dcrnet-run --model exported/*-int8.tflite --self-test",
    f"(?s){_PASSED}.*{_PASSED}",
    "torch",
)
_PARQUET = Use(
    "a photo's answer in Parquet",
    """cd "$SCRATCH" && rm -f faces.parquet
dcrnet-run "$WORK/portrait.png" --parquet faces.parquet > answers.jsonl
python -c 'import pyarrow.parquet as p; print(*p.read_table("faces.parquet")["label"].to_pylist())'
""",
    r"(?m)^happiness$",
)
_FRAME = Use(
    "its answers read as a pandas frame",
    """cd "$SCRATCH" && dcrnet-run "$WORK/portrait.png" --parquet frame.parquet > answers.jsonl
python - <<'END'
from dcrnet_runtime import read_answers
for file in ("frame.parquet", "answers.jsonl"):
    answers = read_answers(file)
    print(type(answers).__module__, *answers["label"])
END""",
    r"(?m)^pandas\S* happiness\npandas\S* happiness$",
)
_CLUSTER = Use(
    "two photos answered by a worker of a Ray cluster of this machine alone",
    """cd "$SCRATCH" && rm -rf photos parts && mkdir photos
cp "$WORK/portrait.png" photos/1.png && cp "$WORK/portrait.png" photos/2.png
dcrnet-run photos --engine ray --workers 1 --parts parts > answers.jsonl
python -c 'import pyarrow.parquet as p; print(*p.read_table("parts")["label"].to_pylist())'""",
    r"(?m)^happiness happiness$",
)
_CARD = Use(
    "what NVML says where there is no card (none was at hand)",
    """python - <<'END'
from dcrnet_bench.host.gpu.cuda import NoCardError
from dcrnet_bench.host.gpu.nvml import open_card
try:
    open_card(bus_id="0000:01:00.0")
except NoCardError as error:
    print(error)
END""",
    "NVML does not tell of the card",
)
_CHECK = Use("pip's check of what fits together", "pip check", "No broken requirements")
_BASE = (_SELF_TEST, _FAST, _LITERT, _PHOTO)


_EVERYTHING = (*_BASE, _DEMO, _PAGE, _HEIC, _FRAME, _MACS, _CARD, _MEDIAPIPE, _TRAIN, _EXPORT)


def _wheel(extras: str, *uses: Use) -> Line:
    suffix = f"[{extras}]" if extras else ""
    return Line(f"dcrnet-edge{suffix}", f'"$(ls "$WORK"/*.whl){suffix}"', (*uses, _CHECK))


def _editable(extras: str, *uses: Use) -> Line:
    install = f'-c "$WORK/clone/constraints.txt" -e "$WORK/clone[{extras}]"'
    return Line(f"-c constraints.txt -e .[{extras}]", install, (*uses, _CHECK))


LINES = (
    _wheel("", *_BASE),
    _wheel("demo", _SELF_TEST, _DEMO),
    _wheel("serve,mqtt", _PAGE),
    _wheel("heic", _HEIC),
    _wheel("parquet", _PARQUET),
    _wheel("tables", _FRAME),
    _wheel("ray", _CLUSTER),
    _wheel("bench", _MACS),
    _wheel("gpu", _CARD, _SELF_TEST),
    _wheel("gui", _WINDOW, _SELF_TEST),
    _wheel("mediapipe", _MEDIAPIPE, _SELF_TEST),
    _wheel("tflite-runtime", _TFLITE_RUNTIME),
    _wheel("inspect", _INSPECT),
    _wheel("train", _TRAIN),
    _wheel("export", _EXPORT),
    _wheel("export,gpu", _EXPORT, _CARD),
    Line(".[demo]", '"$WORK/clone[demo]"', (_SELF_TEST, _DEMO, _CHECK)),
    _editable("all", *_EVERYTHING),
    _editable("all,ray", _SELF_TEST, _CLUSTER),
)
"""Each in a new environment of its own; a clone's from what the sdist unpacks to."""


@dataclass(frozen=True, slots=True)
class Documented:
    """An install line as pages have it."""

    key: str
    pages: tuple[str, ...] = field(default=())


def documented_lines() -> Iterator[Documented]:
    """Those on the pages that install this package or a torch for it, in order."""
    found: dict[str, list[str]] = {}
    for page in PAGES:
        if page.name == "SUPPORTED.md":
            continue
        for match in _PIP.findall(page.read_text()):
            key = match.replace('"', "").replace("'", "").strip()
            if _OURS.search(key):
                found.setdefault(key, []).append(page.name)
    for key, pages in found.items():
        yield Documented(key, tuple(dict.fromkeys(pages)))
