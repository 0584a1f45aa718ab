"""What runs a model file: one interface, and what each back end can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from dcrnet_runtime.backends.model import Model, ModelFormat
from dcrnet_runtime.backends.provider import Provider


class Accelerators(StrEnum):
    """How a back end is given accelerators.

    Attributes:
        NONE: it takes none.
        PROVIDERS: by the name of an execution provider.
        DELEGATES: by the path of a delegate's shared library.
    """

    NONE = "none"
    PROVIDERS = "execution providers"
    DELEGATES = "delegates"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a back end takes.

    Attributes:
        formats: of the files that it runs.
        accelerators: how it is given them.
    """

    formats: frozenset[ModelFormat]
    accelerators: Accelerators


@dataclass(frozen=True, slots=True, eq=False)
class ModelFile:
    """A model file that has been read.

    Attributes:
        path: where it lies, for people.
        content: its bytes.
        format: told by them.
    """

    path: Path
    content: bytes
    format: ModelFormat

    @property
    def sha256(self) -> str:
        """Of the content, hexadecimal."""
        return sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How a model is to be run.

    Attributes:
        threads: of the operators.
        providers: accelerators in order of preference.
        is_strict: refuse the CPU in the place of one that is not there.
    """

    threads: int = 1
    providers: Sequence[Provider] = ()
    is_strict: bool = False


class InferenceBackend(Protocol):
    """Runs models; :mod:`dcrnet_runtime.backends.registry` holds one entry for each.

    Attributes:
        name: as ``dcrnet-run --backend`` and :func:`load_model` know it.
        capabilities: what it takes.
    """

    name: str
    capabilities: Capabilities

    def is_installed(self) -> bool:
        """Whether its package can be imported."""
        ...

    def load(self, file: ModelFile, options: SessionOptions) -> Model:
        """Make the model ready to run.

        Raises:
            DcrnetError: the package is missing, or the file is none that it runs.
        """
        ...
