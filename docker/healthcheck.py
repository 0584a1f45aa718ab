#!/usr/bin/env python3
"""Whether the container is well: what the live page says, or the self-test where none is served.

Ends with 0 if it is. The page is found by the ``--serve`` of the running ``dcrnet-run``.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

PROC = Path("/proc")
ASK_S = 10.0
_ANY = frozenset({"", "0.0.0.0", "[::]"})


def page_url(proc: Path) -> str | None:
    """The health address of the page that a process serves, None where none does."""
    for file in sorted(proc.glob("[0-9]*/cmdline")):
        try:
            words = file.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # ended meanwhile
            continue
        if any(Path(word).name == "dcrnet-run" for word in words[:3]):
            address = served(words)
            if address:
                host, _, port = address.rpartition(":")
                return f"http://{'127.0.0.1' if host in _ANY else host}:{port}/healthz"
    return None


def served(words: Sequence[str]) -> str:
    """The ``[ADDR:]PORT`` of a command line, empty for none."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--serve":
            return following
        if word.startswith("--serve="):
            return word.partition("=")[2]
    return ""


def asked(url: str) -> tuple[bool, str]:
    """Whether the page says that frames come, and its words."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=ASK_S) as answer:
            return True, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return False, f"{error.code} {error.read().decode(errors='replace')}"
    except OSError as error:
        return False, str(error)


def main() -> None:
    url = page_url(PROC)
    if url is None:
        os.execvp("dcrnet-run", ["dcrnet-run", "--self-test"])
    is_well, words = asked(url)
    sys.stdout.write(f"{url}: {words}\n")
    sys.exit(not is_well)


if __name__ == "__main__":
    main()
