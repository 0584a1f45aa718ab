"""What a study is: work in units, and what follows from their answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from dcrnet_edge.studies.findings import Findings


@dataclass(frozen=True, slots=True)
class Unit:
    """The most that a killed study loses.

    Attributes:
        name: of its CSV file, without the ending.
        write: does the work and writes the file, whole or not at all.
        after: units whose files it reads.
    """

    name: str
    write: Callable[[Path], None]
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a study will do.

    Attributes:
        settings: what the answers depend on, as JSON values: models and data by their hashes,
            seeds, strengths. A folder that holds answers by other settings is refused.
        units: in the order of work.
    """

    settings: Mapping[str, Any]
    units: Sequence[Unit]


class Study(Protocol):
    """One question.

    Attributes:
        summary: one line, for ``dcrnet-study list`` and the command's help.
        groups: dataclasses of the command's options, see
            :func:`dcrnet_runtime.cli.option_groups.with_groups`.
    """

    summary: str

    @property
    def groups(self) -> tuple[type, ...]:
        """See above."""
        ...

    def plan(self, *options: Any) -> Plan:
        """Check everything that can be wrong before hours are spent.

        Args:
            options: one object of each of ``groups``.

        Raises:
            DcrnetError: models or data lack what the study needs.
        """
        ...

    def conclude(self, settings: Mapping[str, Any], answers: Mapping[str, Path]) -> Findings:
        """What the answers show; needs neither models nor images.

        Args:
            settings: of the plan.
            answers: the units' files, by name in the order of work.
        """
        ...
