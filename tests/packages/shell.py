"""A shell in an empty environment."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

LIMIT_S = 7200.0
"""For one script; what is emulated takes its time."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a script said, and whether it ended well."""

    stdout: str
    stderr: str
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs scripts with ``$PYTHON``, ``$WORK`` (what is installed) and ``$SCRATCH`` (its own).

    Attributes:
        prefix: of the command, before ``sh``.
        variables: all that a script sees.
    """

    prefix: tuple[str, ...]
    variables: Mapping[str, str]

    def run(self, script: str) -> Said:
        """Run a script, which ends at the first command that fails."""
        try:
            done = subprocess.run(
                [*self.prefix, "sh", "-euc", script],
                env=dict(self.variables),
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=LIMIT_S,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            return Said("", f"had not ended after {LIMIT_S:.0f} s", succeeded=False)
        return Said(done.stdout, done.stderr, succeeded=done.returncode == 0)
