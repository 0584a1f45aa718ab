"""A wheel of the installed runtime and bench, so that a board measures this very code."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import dcrnet_runtime

_DISTRIBUTION = "dcrnet-edge"
_SKIPPED = ("__pycache__", ".pyc")
_DATE = (1980, 1, 1, 0, 0, 0)


def write_wheel(folder: Path) -> Path:
    """Write it into ``folder``; the same code gives the same bytes.

    The binary wheel format: https://packaging.python.org/en/latest/specifications/
    binary-distribution-format/. The training package stays here: a board needs none of it.
    """
    version = metadata.version(_DISTRIBUTION)
    stem = f"{_DISTRIBUTION.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    files = {
        **dict(_package_files()),
        f"{info}/METADATA": _metadata(version).encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: dcrnet-bench\n"
        b"Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{info}/RECORD"
    lines = [_record_line(name, content) for name, content in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED, 1)
    return path


def _package_files() -> Iterator[tuple[str, bytes]]:
    for top in (Path(dcrnet_runtime.__path__[0]), Path(__file__).parents[1]):
        for path in sorted(top.rglob("*")):
            relative = path.relative_to(top.parent).as_posix()
            if path.is_file() and not any(each in relative for each in _SKIPPED):
                yield relative, path.read_bytes()


def _metadata(version: str) -> str:
    """What an installer needs: of the extras, bench's alone."""
    lines = ["Metadata-Version: 2.1", f"Name: {_DISTRIBUTION}", f"Version: {version}"]
    found = metadata.metadata(_DISTRIBUTION)
    lines.append(f"Requires-Python: {found['Requires-Python']}")
    lines.append("Provides-Extra: bench")
    for each in metadata.requires(_DISTRIBUTION) or ():
        extra = each.partition("extra ==")[2].strip().strip("'\")")
        if extra in ("", "bench"):
            lines.append(f"Requires-Dist: {each}")
    return "\n".join([*lines, "", ""])


def _record_line(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}"
