"""Settings that come with the package, one TOML file each."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any

from dcrnet_edge.datasets.registry import DatasetKind
from dcrnet_runtime.errors import DcrnetError

Values = dict[str, Any]


class Preset(StrEnum):
    """Settings that come with the package, ``dcrnet_edge/presets/<name>.toml``."""

    AFFECTNET = "affectnet"
    CKPLUS = "ckplus"
    CKPLUS_FINETUNE = "ckplus-finetune"
    KDEF = "kdef"
    FERPLUS = "ferplus"

    @classmethod
    def for_dataset(cls, kind: DatasetKind) -> Preset:
        """The preset of a data set, or of the one most like it."""
        match kind:
            case DatasetKind.AFFECTNET | DatasetKind.RAFDB:
                return cls.AFFECTNET
            case DatasetKind.CKPLUS:
                return cls.CKPLUS
            case DatasetKind.KDEF:
                return cls.KDEF
            case DatasetKind.FERPLUS | DatasetKind.FER2013 | DatasetKind.FOLDERS:
                return cls.FERPLUS

    def values(self) -> Values:
        """What its file says."""
        return read_toml(Path(__file__).parent / f"{self}.toml")


def read_toml(path: Path) -> Values:
    """The settings in a file.

    Raises:
        DcrnetError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise DcrnetError(f"settings file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DcrnetError(f"settings file {path} is no TOML ({error}): mend that line") from error
