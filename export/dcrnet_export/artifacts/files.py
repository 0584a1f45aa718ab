"""Artifacts on disk, each with its sidecar."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.outfile import written_beside

REJECTED_SUFFIX = ".rejected"
"""Ends the name of a file that has not passed its checks."""


def write_artifact(path: Path, content: bytes, card: ModelCard) -> None:
    """Write the file and its sidecar ``<file>.json``, each beside its place and then renamed.

    The sidecar of the file before goes first: whenever the process is killed, there is a whole
    file that carries its own card and hash, and beside it its own sidecar or none. A rejected
    file of that name, from an earlier export, goes.

    Raises:
        DcrnetError: the folder cannot be written.
    """
    sidecar = {
        "bytes": len(content),
        "sha256": sha256(content).hexdigest(),
        "card": json.loads(card.to_json()),
    }
    text = json.dumps(sidecar, indent=2, sort_keys=True) + "\n"
    with written_beside(sidecar_of(path)) as sidecar_beside:
        sidecar_beside.write_text(text)
        with written_beside(path) as beside:
            beside.write_bytes(content)
            sidecar_of(path).unlink(missing_ok=True)
    refused = rejected(path)
    for stale in (refused, sidecar_of(refused)):
        stale.unlink(missing_ok=True)


def sidecar_of(path: Path) -> Path:
    """Where an artifact's sidecar stands."""
    return path.with_name(f"{path.name}.json")


def rejected(path: Path) -> Path:
    """Where an artifact stands that must not be used."""
    return path.with_name(path.name + REJECTED_SUFFIX)
