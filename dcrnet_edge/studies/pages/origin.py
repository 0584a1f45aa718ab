"""Where findings come from: what another person has to know to make them again."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from dcrnet_edge.cli.command_line import command_line
from dcrnet_edge.studies.pages.page import RESULT
from dcrnet_edge.training.hardware import machine
from dcrnet_runtime.version import __version__

PROGRAM = "dcrnet-study"


def origin_of_now() -> Mapping[str, str]:
    """This command, without the folders that its files lie in, date, machine and version."""
    return {
        "command": command_line([PROGRAM, *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine()["cpu"],
        "dcrnet-edge": __version__,
    }


def origin_of_answers(folder: Path) -> Mapping[str, str]:
    """What a study's result says of its answers; of now where it has none.

    Args:
        folder: of the study.
    """
    try:
        origin = json.loads((folder / RESULT).read_text())["origin"]
        before = {str(name): str(value) for name, value in origin.items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return origin_of_now()
    return before
