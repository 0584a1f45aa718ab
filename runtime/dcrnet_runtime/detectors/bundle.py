"""The one file that may be downloaded: MediaPipe's face landmarker bundle."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import platformdirs

from dcrnet_runtime.errors import DcrnetError

TASK_NAME = "face_landmarker.task"
TASK_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
TASK_URL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
    + TASK_NAME
)


def cache_folder() -> Path:
    """Where fetched and computed files are kept; not created here."""
    return Path(platformdirs.user_cache_dir("dcrnet-edge", appauthor=False))


def cached_task() -> Path | None:
    """The bundle in the cache, if it is there."""
    path = cache_folder() / TASK_NAME
    return path if path.is_file() else None


def fetch_task() -> Path:
    """Download the bundle into the cache (3.8 MB, Apache-2.0) unless it is there, and check it.

    Raises:
        DcrnetError: no network, or another file came; names the file, its hash and its place.
    """
    import pooch

    folder = cache_folder()
    try:
        pooch.get_logger().setLevel("ERROR")
        path = pooch.retrieve(TASK_URL, f"sha256:{TASK_SHA256}", TASK_NAME, folder)
    except Exception as error:  # requests', urllib3's and pooch's errors share no base class
        raise DcrnetError(
            f"{TASK_NAME} could not be fetched from {TASK_URL} ({type(error).__name__}): copy the"
            f" file with sha256 {TASK_SHA256} to {folder / TASK_NAME}, or name it with --landmarks"
        ) from error
    return Path(path)


def check_task(path: Path) -> None:
    """Refuse a bundle in the cache that is not the published one.

    Raises:
        DcrnetError: the hash differs.
    """
    if sha256(path.read_bytes()).hexdigest() != TASK_SHA256:
        raise DcrnetError(
            f"{path} is not the published {TASK_NAME} (sha256 {TASK_SHA256}): delete it and run"
            " dcrnet-run --fetch-landmarks"
        )
