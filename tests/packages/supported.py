"""SUPPORTED.md, made of the records alone.

python -m tests.packages --page
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from docs.pages import ROOT

from packages.lines import documented_lines
from packages.records import BUILD, FOLDER, LineRecord, Record, read_records

PAGE = ROOT / "SUPPORTED.md"
COMMAND = "python -m tests.packages"
NOT_RUN = "not run"
_WIDTH = 99


@dataclass(frozen=True, slots=True)
class Platform:
    """A row of the table, also where nothing was run.

    Attributes:
        record: of the environment that stands for it.
        title: a short name.
        python: that it has.
        system: that it has.
        architecture: of its processor.
        remark: how the record stands for it.
    """

    record: str
    title: str
    python: str
    system: str
    architecture: str
    remark: str = ""


PLATFORMS = (
    Platform("linux-x86_64-3.11", "Linux 3.11", "3.11", "Linux", "x86-64"),
    Platform("linux-x86_64-3.12", "Linux 3.12", "3.12", "Linux", "x86-64"),
    Platform("linux-x86_64-3.13", "Linux 3.13", "3.13", "Linux", "x86-64"),
    Platform("trixie-amd64", "Debian 13", "3.13", "Debian 13 (trixie)", "x86-64"),
    Platform("bookworm-arm64", "Debian 12, ARM", "3.11", "Debian 12 (bookworm)", "aarch64"),
    Platform("trixie-arm64", "Debian 13, ARM", "3.13", "Debian 13 (trixie)", "aarch64"),
    Platform(
        *("bookworm-arm64", "", "3.11", "Raspberry Pi OS (bookworm), 64-bit", "aarch64"),
        "by Debian's packages, of which it is made; its own kernel and image were not run",
    ),
    Platform(
        *("trixie-arm64", "", "3.13", "Raspberry Pi OS (trixie), 64-bit", "aarch64"),
        "likewise",
    ),
    Platform("jetpack-7", "", "3.12", "Jetson, JetPack 7, by pip", "aarch64"),
    Platform(
        *("container-amd64", "", "3.11", "the container", "x86-64"),
        "on Debian's own Python, which stood in for its base image",
    ),
    Platform("container-arm64", "", "3.11", "the container", "aarch64", "likewise"),
    Platform(
        *("container-arm64", "", "3.11", "Jetson, JetPack 6, by the container", "aarch64"),
        "the container as above; JetPack 6 itself has Python 3.10, which is too old",
    ),
    Platform("macos-arm64", "", "3.11 or later", "macOS", "arm64"),
    Platform("windows-x86_64", "", "3.11 or later", "Windows", "x86-64"),
)
BACK_ENDS = ("ONNX Runtime", "LiteRT", "tflite-runtime", "torch")
_PACKAGES = {
    "ONNX Runtime": "onnxruntime",
    "LiteRT": "ai-edge-litert",
    "tflite-runtime": "tflite-runtime",
    "torch": "torch",
}
GPUS = ("CUDA", "TensorRT", "the Jetson's GPU", "QNN", "NNAPI", "Core ML")


def page(folder: Path = FOLDER) -> str:
    """The whole page, Markdown."""
    records = read_records(folder)
    return "\n".join(
        [
            "# What was installed and used, and where",
            "",
            f"<!-- made by {COMMAND} --page from docs/supported/*.json: not to be edited -->",
            "",
            *_wrapped(
                "`run`: on a real processor. `emulated`: the real programs of that architecture,"
                " on a core that QEMU plays, which proves answers and tells no times. `not run`:"
                " nobody tried. A cell says when, and with which version. What each did is in"
                f" [docs/supported](docs/supported); `{COMMAND}` does it again"
                " ([CONTRIBUTING.md](CONTRIBUTING.md#packages))."
            ),
            "",
            *_platforms(records),
            "",
            *_wrapped(
                f"On accelerators ({', '.join(GPUS)}): {_accelerated(records)}. How the files for"
                " them are made is in [docs/export.md](docs/export.md)."
            ),
            "",
            "## Install lines",
            "",
            *_lines(records),
            "",
            "## Wheel and sdist",
            "",
            *_wrapped(_build(folder)),
            "",
        ]
    )


def _platforms(records: Mapping[str, Record]) -> list[str]:
    rows = [["Python", "system", "processor", *BACK_ENDS, ""]]
    for each in PLATFORMS:
        record = records.get(each.record)
        is_itself = record is not None and bool(each.title)
        python = record.python if record is not None and is_itself else each.python
        system = record.system if record is not None and is_itself else each.system
        core = f" ({record.core})" if record is not None and record.core else ""
        cells = [_back_end(record, name) for name in BACK_ENDS]
        rows.append([python, system, f"{each.architecture}{core}", *cells, each.remark])
    return _table(rows)


def _back_end(record: Record | None, name: str) -> str:
    """The newest use of a back end there."""
    used = [
        (line, use)
        for line in (record.lines if record else ())
        for use in line.uses
        if use.back_end == name
    ]
    if record is None or not used:
        return NOT_RUN
    line, use = max(used, key=lambda pair: pair[0].date)
    version = line.packages.get(_PACKAGES[name], "")
    return f"{_way(record, passed=use.passed)}, {line.date} ({version})"


def _accelerated(records: Mapping[str, Record]) -> str:
    used = {use.back_end for record in records.values() for x in record.lines for use in x.uses}
    return f"run: {', '.join(sorted(used & set(GPUS)))}" if used & set(GPUS) else NOT_RUN


def _lines(records: Mapping[str, Record]) -> list[str]:
    shown = [each for each in PLATFORMS if each.title]
    rows = [["line", *(each.title for each in shown)]]
    documented = [each.key for each in documented_lines()]
    tried = [x.key for each in shown if each.record in records for x in records[each.record].lines]
    for key in dict.fromkeys([*documented, *tried]):
        cells = [_line(records.get(each.record), key) for each in shown]
        rows.append([f"`{key}`", *cells])
    return _table(rows)


def _line(record: Record | None, key: str) -> str:
    line: LineRecord | None = record.line(key) if record else None
    if record is None or line is None:
        return NOT_RUN
    return f"{_way(record, passed=line.passed)}, {line.date}"


def _way(record: Record, *, passed: bool) -> str:
    way = "emulated" if record.core else "run"
    return way if passed else f"{way}: FAILED"


def _build(folder: Path) -> str:
    path = folder / f"{BUILD}.json"
    if not path.is_file():
        return f"Built twice and checked: {NOT_RUN}."
    found = json.loads(path.read_text())
    tools = " and ".join(f"`{tool.replace('==', ' ')}`" for tool in found["tools"])
    return (
        f"Version {found['version']}, {found['date']}: built twice, in two folders, to the same"
        f" bytes; checked by {tools} without a complaint."
    )


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], f"|{'---|' * len(rows[0])}", *lines[1:]]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_on_hyphens=False, break_long_words=False)
