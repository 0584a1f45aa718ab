"""The counter of instructions, compiled for the QEMU that is here."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from dcrnet_bench.emulation.programs import require, run_program
from dcrnet_runtime.cache import cache_folder
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

SOURCE = Path(__file__).parent / "count_instructions.c"
_FLAGS = ("-O2", "-shared", "-fPIC")
_LIMIT_S = 120.0
_FIRST_OTHER_INTERFACE = 9
"""QEMU's major version from which a plug-in gets an instruction's bytes by another call."""


def build_plugin() -> Path:
    """The compiled plug-in, from the user's cache if it is there.

    Raises:
        DcrnetError: QEMU or a C compiler is missing, or QEMU's interface is another.
    """
    require("qemu-aarch64", "cc")
    version = qemu_version()
    if not version or version[0] >= _FIRST_OTHER_INTERFACE:
        raise DcrnetError(
            f"qemu-aarch64 {'.'.join(map(str, version)) or 'of unknown version'} has another"
            " interface for plug-ins than that of version 1, which instructions are counted by:"
            " use QEMU 6 to 8, as Debian 12's qemu-user"
        )
    key = hashlib.sha256(SOURCE.read_bytes() + " ".join(_FLAGS).encode()).hexdigest()[:16]
    library = cache_folder() / "qemu-plugins" / f"count-instructions-{key}.so"
    if not library.is_file():
        compile_plugin(library)
    return library


def compile_plugin(library: Path) -> None:
    """Write the plug-in to ``library``.

    Raises:
        DcrnetError: the compiler failed.
    """
    with written_beside(library) as beside:
        command = ["cc", *_FLAGS, str(SOURCE), "-o", str(beside)]
        run_program(command, what="the C compiler", limit_s=_LIMIT_S)


def qemu_version() -> tuple[int, ...]:
    """Of ``qemu-aarch64``; empty where it does not tell.

    Raises:
        DcrnetError: it cannot be run.
    """
    told = run_program(["qemu-aarch64", "--version"], what="qemu-aarch64", limit_s=30.0).stdout
    found = re.search(r"version (\d+)\.(\d+)\.(\d+)", told)
    return tuple(map(int, found.groups())) if found else ()
