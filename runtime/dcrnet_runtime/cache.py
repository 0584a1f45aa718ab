"""Where computed files are kept on this machine."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The user's folder for faces and crops of data sets; not created here."""
    return Path(platformdirs.user_cache_dir("dcrnet-edge", appauthor=False))
