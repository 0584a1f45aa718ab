"""LiteRT.js, which runs the networks in the page: fetched once by npm, of pinned content.

``python -m dcrnet_runtime.browser.engine`` fetches it; nothing else here contacts anyone.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import typer

from dcrnet_runtime.cache import cache_folder
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

VERSION = "2.5.3"
FETCH_COMMAND = "python -m dcrnet_runtime.browser.engine"


@dataclass(frozen=True, slots=True)
class _Package:
    """A package of npm's: the tarball's SHA-256, and what the page needs of it."""

    name: str
    sha256: str
    files: tuple[str, ...]

    @property
    def tarball(self) -> str:
        """As ``npm pack`` calls it."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{VERSION}.tgz"


_WASM = ("litert_wasm_internal", "litert_wasm_threaded_internal", "litert_wasm_compat_internal")
_PACKAGES = (
    _Package(
        "@litertjs/core",
        "a97660833e9e7e1063c95e12016718881240b14f7438728a2f62785e912d30fd",
        ("dist/index.js", *(f"wasm/{name}.{end}" for name in _WASM for end in ("js", "wasm"))),
    ),
    _Package(
        "@litertjs/wasm-utils",
        "ce2a1f8379c067be49e59752e5a7f40db6be09f6e497f0f11e59f17b515366a7",
        ("dist/index.js",),
    ),
)


def engine_folder() -> Path:
    """Where it is kept; not created here."""
    return cache_folder() / f"litertjs-{VERSION}"


def engine_files() -> dict[str, Path]:
    """Each file by its path in the page.

    Raises:
        DcrnetError: it has not been fetched.
    """
    files = {
        name: engine_folder() / name
        for name in (_path(package, file) for package in _PACKAGES for file in package.files)
    }
    if not all(path.is_file() for path in files.values()):
        raise DcrnetError(
            f"the page's engine, LiteRT.js {VERSION}, is not on this machine: {FETCH_COMMAND}"
            " fetches it with npm, once"
        )
    return files


def fetch_engine() -> Path:
    """Fetch it with npm, from the registry that npm is set to.

    Returns:
        where it lies.

    Raises:
        DcrnetError: npm is missing or fails, or gives other content than the pinned one.
    """
    with tempfile.TemporaryDirectory() as folder:
        for package in _PACKAGES:
            _pack(package, Path(folder))
            _unpack(package, Path(folder) / package.tarball)
    return engine_folder()


def _pack(package: _Package, folder: Path) -> None:
    wanted = f"{package.name}@{VERSION}"
    try:
        subprocess.run(
            ["npm", "pack", "--silent", wanted],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise DcrnetError(
            "npm is not installed: apt install npm, or another package of Node.js"
        ) from error
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise DcrnetError(
            f"npm pack {wanted} failed ({reason}): see that npm reaches its registry"
        ) from error


def _unpack(package: _Package, tarball: Path) -> None:
    found = sha256(tarball.read_bytes()).hexdigest()
    if found != package.sha256:
        raise DcrnetError(
            f"npm gave {package.name} {VERSION} with SHA-256 {found}, expected {package.sha256}:"
            " use another registry"
        )
    with tarfile.open(tarball) as archive:
        for file in package.files:
            content = archive.extractfile(f"package/{file}")
            assert content is not None  # the hash says so
            with written_beside(engine_folder() / _path(package, file)) as beside:
                beside.write_bytes(content.read())


def _path(package: _Package, file: str) -> str:
    return f"{package.name.removeprefix('@')}/{file}"


def main() -> None:
    """Fetch the page's engine, LiteRT.js, with npm."""
    try:
        folder = fetch_engine()
    except DcrnetError as error:
        sys.exit(str(error))
    sys.stderr.write(f"LiteRT.js {VERSION} lies in {folder}\n")


if __name__ == "__main__":
    typer.run(main)
