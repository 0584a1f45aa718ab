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

    A rejected file of that name, from an earlier export, goes.

    Raises:
        DcrnetError: the folder cannot be written.
    """
    sidecar = {
        "bytes": len(content),
        "sha256": sha256(content).hexdigest(),
        "card": json.loads(card.to_json()),
    }
    text = json.dumps(sidecar, indent=2, sort_keys=True) + "\n"
    for target, written in ((path, content), (sidecar_of(path), text.encode())):
        with written_beside(target) as beside:
            beside.write_bytes(written)
    refused = rejected(path)
    for stale in (refused, sidecar_of(refused)):
        stale.unlink(missing_ok=True)


def sidecar_of(path: Path) -> Path:
    """Where an artifact's sidecar stands."""
    return path.with_name(f"{path.name}.json")


def rejected(path: Path) -> Path:
    """Where an artifact stands that must not be used."""
    return path.with_name(path.name + REJECTED_SUFFIX)
