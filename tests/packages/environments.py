"""Empty environments: Pythons of this machine, and Debian's, also of another processor."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dcrnet_bench.emulation.core import Core, write_cpuinfo
from packages.distribution import CheckError, checked
from packages.pip_settings import pip_cache, pip_settings
from packages.shell import Shell

_ENTER = Path(__file__).with_name("enter-root.sh")
_QEMU = "qemu-aarch64-static"
_PACKAGES = "base-files,coreutils,dash,libgomp1,libstdc++6,python3,python3-venv"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class Environment(Protocol):
    """Where install lines are tried."""

    @property
    def name(self) -> str:
        """Of its record."""

    @property
    def core(self) -> str:
        """That is emulated; empty for this machine's own."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Keys of the install lines that are tried, one over the other; none: all, each alone."""

    def open(self, folder: Path, work: Path) -> Shell:
        """Make it in an empty ``folder``, with ``work`` in its reach.

        Raises:
            CheckError: it cannot be had here; says why.
        """


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python of this machine, by PATH, pyenv or uv."""

    version: str
    lines: tuple[str, ...] = ()
    core: str = ""

    @property
    def name(self) -> str:
        """Of its record."""
        return f"linux-x86_64-{self.version}"

    def open(self, folder: Path, work: Path) -> Shell:
        """Find the interpreter."""
        python = find_python(self.version)
        if python is None:
            raise CheckError(f"there is no Python {self.version} here")
        home = folder / "home"
        home.mkdir(parents=True)
        return Shell(
            (),
            {
                **pip_settings(in_root=False),
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": str(home),
                "PIP_CACHE_DIR": str(pip_cache()),
                "PIP_NO_COMPILE": "1",
                "PYTHON": str(python),
                "WORK": str(work),
                "SCRATCH": str(folder),
            },
        )


@dataclass(frozen=True, slots=True)
class DebianRoot:
    """A Debian with its own Python, made by mmdebstrap without root's rights.

    Attributes:
        suite: Debian's release.
        architecture: Debian's name of it.
        core: that QEMU plays; empty where it is this machine's architecture.
    """

    suite: str
    architecture: str
    lines: tuple[str, ...]
    core: str = ""

    @property
    def name(self) -> str:
        """Of its record."""
        return f"{self.suite}-{self.architecture}"

    def open(self, folder: Path, work: Path) -> Shell:
        """Extract Debian's packages, and enter them by namespaces."""
        folder.mkdir(parents=True)
        qemu, cpuinfo = "-", "-"
        if self.core:
            qemu = str(_static_qemu(folder))
            write_cpuinfo(Core(self.core), folder)
            cpuinfo = str(folder / "proc/cpuinfo")
        root = folder / "root"
        arguments = ["--quiet", "--variant=extract", f"--architectures={self.architecture}"]
        checked(["mmdebstrap", *arguments, f"--include={_PACKAGES}", self.suite, str(root)])
        certificates = root / _CERTIFICATES.relative_to("/")
        certificates.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_CERTIFICATES, certificates)
        for name in ("resolv.conf", "hosts"):
            shutil.copy(Path("/etc") / name, root / "etc" / name)
        namespaces = ("--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child")
        words = (root, work, pip_cache(), qemu, cpuinfo)
        return Shell(
            ("/usr/bin/unshare", *namespaces, "/bin/sh", str(_ENTER), *map(str, words)),
            {
                **pip_settings(in_root=True),
                "PIP_CERT": str(_CERTIFICATES),
                "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                "HOME": "/tmp",
                "PIP_CACHE_DIR": "/pip-cache",
                "PIP_NO_COMPILE": "1",
                "OMP_NUM_THREADS": "1",
                "PYTHON": "/usr/bin/python3",
                "WORK": "/work",
                "SCRATCH": "/tmp",
                **({"QEMU_CPU": self.core} if self.core else {}),
            },
        )


def find_python(version: str) -> Path | None:
    """An interpreter of a version, such as 3.12, that runs and can make environments."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = shutil.which(f"python{version}")
    candidates = [
        *sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True),
        *([Path(on_path)] if on_path else []),
        *_managed_by_uv(version),
    ]
    probe = f"import ssl, venv, sys; sys.exit(sys.version_info[:2] != {_pair(version)})"
    for each in candidates:
        if subprocess.run([each, "-c", probe], capture_output=True, check=False).returncode == 0:
            return each
    return None


def _pair(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _managed_by_uv(version: str) -> list[Path]:
    if shutil.which("uv") is None:
        return []
    command = ["uv", "python", "find", "--no-python-downloads", version]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [Path(found.stdout.strip())] if found.returncode == 0 else []


def _static_qemu(folder: Path) -> Path:
    """Debian's static qemu: the installed one, or unpacked, which leaves the machine as it is."""
    installed = shutil.which(_QEMU)
    if installed is not None:
        return Path(installed)
    checked(["apt-get", "download", "qemu-user-static"], cwd=folder)
    (package,) = folder.glob("qemu-user-static_*.deb")
    checked(["dpkg", "--extract", str(package), str(folder / "qemu")])
    return folder / "qemu/usr/bin" / _QEMU


ARM_LINES = ("dcrnet-edge", "dcrnet-edge[demo]")
LATER_LINES = (
    *("dcrnet-edge", "dcrnet-edge[demo]", "dcrnet-edge[serve,mqtt]", "dcrnet-edge[heic]"),
    *("dcrnet-edge[parquet]", "dcrnet-edge[tables]", "dcrnet-edge[bench]", "dcrnet-edge[gpu]"),
    *("dcrnet-edge[inspect]", "dcrnet-edge[mediapipe]"),
)
ENVIRONMENTS: tuple[Environment, ...] = (
    Interpreter("3.11"),
    Interpreter("3.12", LATER_LINES),
    Interpreter("3.13", LATER_LINES),
    DebianRoot("trixie", "amd64", ("dcrnet-edge", "dcrnet-edge[demo]")),
    DebianRoot("bookworm", "arm64", ARM_LINES, Core.CORTEX_A76),
    DebianRoot("trixie", "arm64", ARM_LINES, Core.CORTEX_A76),
)
