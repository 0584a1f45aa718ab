"""The record of an image that docker/check has built and tried; it calls this when all passed.

PYTHONPATH=tests:runtime python3 -m packages.container amd64 IMAGE_ROOT
"""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from dcrnet_runtime.version import __version__
from packages.records import LineRecord, Record, UseRecord, write_record

KEY = "docker/check"
CORE = "cortex-a76"
"""What docker/check lets QEMU play."""

_USES = ("self-test", "a photo", "the live page", "the health check")
_DISTRIBUTION = re.compile(r"(?P<name>[\w.]+)-(?P<version>[^-]+)\.dist-info")


def record(architecture: str, root: Path, *, is_emulated: bool) -> Record:
    """What passed in an image.

    Args:
        architecture: Docker's name of it.
        root: the image's files.
        is_emulated: whether it is not this machine's.
    """
    release = (root / "etc/os-release").read_text()
    found = [_DISTRIBUTION.fullmatch(path.name) for path in root.rglob("*.dist-info")]
    packages = {each["name"].replace("_", "-").lower(): each["version"] for each in found if each}
    named = re.search(r'^PRETTY_NAME="(.*)"$', release, re.M)
    line = LineRecord(
        key=KEY,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        version=__version__,
        wheel_sha256="",
        installed=True,
        packages=dict(sorted(packages.items())),
        uses=tuple(UseRecord(each, "ONNX Runtime", passed=True) for each in _USES),
    )
    return Record(
        environment=f"container-{architecture}",
        python=_python(root),
        system=named[1] if named else "",
        machine="aarch64" if architecture == "arm64" else "x86_64",
        core=CORE if is_emulated else "",
        lines=(line,),
    )


def _python(root: Path) -> str:
    """The version of the image's Python, such as 3.11."""
    found = sorted({path.name.removeprefix("python") for path in root.glob("usr/lib/python3.*")})
    return found[-1] if found else ""


if __name__ == "__main__":
    here = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine)
    write_record(record(sys.argv[1], Path(sys.argv[2]), is_emulated=sys.argv[1] != here))
