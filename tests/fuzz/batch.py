"""One batch of inputs in a process of its own, which says of each what became of it."""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

from fuzz.entries import enter
from fuzz.seeds import SEEDS, drawn


def main(kind: str, seed: int, first: int, count: int, folder: Path) -> None:
    """Write each input to ``folder``, note its number there, enter it, print findings as JSON."""
    logging.disable(logging.CRITICAL)
    found = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print is no finding
    os.dup2(1, 2)
    ending = kind.partition("-")[2].replace("apng", "png") or {"checkpoint": "safetensors"}.get(
        kind, "bin"
    )
    path, place = folder / f"input.{ending}", folder / "number"
    if kind in SEEDS:  # a good one first, so that imports are on no spoilt one's account
        path.write_bytes(SEEDS[kind]())
        with suppress(Exception):
            enter(kind, path)
    for number in range(first, first + count):
        path.write_bytes(drawn(kind, seed, number))
        place.write_text(str(number))
        started, what = time.monotonic(), ""
        try:
            enter(kind, path)
        except BaseException as error:
            what = "".join(traceback.format_exception(error)[-3:])
        finding = {
            "number": number,
            "seconds": round(time.monotonic() - started, 3),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            "traceback": what,
        }
        found.write(json.dumps(finding) + "\n")
        found.flush()


if __name__ == "__main__":
    seed, first, count = map(int, sys.argv[2:5])
    main(sys.argv[1], seed, first, count, Path(sys.argv[5]))
