"""MediaPipe's face networks, as published; NOTICE.txt names their authors and licence."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import repair_command

TASK_FILE = "face_landmarker.task"
TASK_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"


def shipped_landmarks() -> Path:
    """The ``face_landmarker.task`` bundle inside the package, with whose networks its weights
    were trained.

    Raises:
        DcrnetError: the installation lacks it.
    """
    path = Path(str(resources.files("dcrnet_runtime") / "landmarks" / TASK_FILE))
    if not path.is_file():
        raise DcrnetError(
            f"this installation has no face networks at {path}: {repair_command()},"
            " or name a face_landmarker.task bundle"
        )
    return path
