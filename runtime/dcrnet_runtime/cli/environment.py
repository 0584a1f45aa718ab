"""What is wrong with an installation before it shows."""

from __future__ import annotations

import re
from importlib import metadata

from dcrnet_runtime.installation import package_command

_CV2_PROVIDERS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)


def cv2_conflict() -> str | None:
    """One line that names providers of ``cv2`` whose versions differ, and the remedy.

    All of them write the same folder, so the one installed last wins silently.
    """
    found = {}
    for name in _CV2_PROVIDERS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    if len(set(found.values())) < 2:
        return None
    listed = ", ".join(f"{name} {version}" for name, version in found.items())
    lowest = min(found.values(), key=lambda v: [int(n) for n in re.findall(r"\d+", v)])
    command = package_command(*(f"{name}=={lowest}" for name in found))
    return f"two versions of cv2 are installed over each other ({listed}): {command}"
