"""What checks found, as JSON files beside the pages: all that SUPPORTED.md is made of."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from docs.pages import ROOT

from dcrnet_runtime.outfile import written_beside

FOLDER = ROOT / "docs" / "supported"
BUILD = "build"
"""The record of the distributions themselves."""


@dataclass(frozen=True, slots=True)
class UseRecord:
    """Whether one use did what it has to."""

    what: str
    back_end: str
    passed: bool


@dataclass(frozen=True, slots=True)
class LineRecord:
    """One install line that was run.

    Attributes:
        key: of the line, as the pages have it.
        date: of the run, ISO 8601, UTC.
        version: of this package.
        wheel_sha256: of the wheel.
        installed: whether the line itself ended well.
        packages: versions of what it requires directly, as installed.
        uses: of what it installed.
    """

    key: str
    date: str
    version: str
    wheel_sha256: str
    installed: bool
    packages: dict[str, str]
    uses: tuple[UseRecord, ...]

    @property
    def passed(self) -> bool:
        """Whether all of it did."""
        return self.installed and all(use.passed for use in self.uses)


@dataclass(frozen=True, slots=True)
class Record:
    """What was run in one environment.

    Attributes:
        environment: its name.
        python: version.
        system: its name of itself.
        machine: the processor's architecture by its kernel.
        core: that was emulated; empty where the processor was real.
        lines: that were run there.
    """

    environment: str
    python: str
    system: str
    machine: str
    core: str
    lines: tuple[LineRecord, ...]

    def line(self, key: str) -> LineRecord | None:
        """What was run of a line."""
        return next((each for each in self.lines if each.key == key), None)


def write_record(record: Record, folder: Path = FOLDER) -> None:
    """Write it, with the lines of an earlier run of the same environment that were not run now."""
    earlier = read_records(folder).get(record.environment)
    now = {line.key for line in record.lines}
    kept = [line for line in earlier.lines if line.key not in now] if earlier else []
    document = asdict(record) | {"lines": [asdict(each) for each in (*kept, *record.lines)]}
    write_json(document, record.environment, folder)


def read_records(folder: Path = FOLDER) -> dict[str, Record]:
    """All, by environment."""
    records = {}
    for path in sorted(folder.glob("*.json")):
        if path.stem != BUILD:
            document = json.loads(path.read_text())
            lines = tuple(_line(each) for each in document.pop("lines"))
            records[path.stem] = Record(**document, lines=lines)
    return records


def write_json(document: object, name: str, folder: Path = FOLDER) -> None:
    """Write one file, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with written_beside(folder / f"{name}.json") as beside:
        beside.write_text(json.dumps(document, indent=1) + "\n")


def _line(document: dict[str, object]) -> LineRecord:
    uses = document.pop("uses")
    assert isinstance(uses, list)
    found: dict[str, object] = {**document, "uses": tuple(UseRecord(**each) for each in uses)}
    return LineRecord(**found)  # type: ignore[arg-type]
