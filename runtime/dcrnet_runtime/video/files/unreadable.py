"""What is said of a file or a folder that the system does not let read."""

from __future__ import annotations

import os
import shlex


def unreadable(path: str | os.PathLike[str], error: OSError, what: str = "") -> str:
    """Why it cannot be read, and the next command where there is one.

    Args:
        path: of the file or folder.
        error: what the system said.
        what: it is; ``folder`` wants other rights than a file.
    """
    told = f"{what} {path} cannot be read: {error.strerror}".lstrip()
    if not isinstance(error, PermissionError):
        return told
    rights = "rx" if what == "folder" else "r"
    return f"{told}; let this user read it: chmod u+{rights} {shlex.quote(os.fspath(path))}"
