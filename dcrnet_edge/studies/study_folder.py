"""The folder of a study: settings, answers, and what was made of them."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import remove_leftovers, unwritable, written_beside

_SETTINGS = "study.json"
_ANSWERS = "answers"
_LOCK = ".lock"
_NAME = re.compile(r"[\w.-]+")

Progress = Callable[[str, int, int], None]
"""Is called with a unit's name, how many are done and how many there are."""


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """A place that one study of one set of settings is kept in.

    Attributes:
        root: the folder; made when it is first written to.
    """

    root: Path

    def begin(self, name: str, plan: Plan) -> None:
        """State what is studied here, or check that it is the same as before.

        Raises:
            DcrnetError: the folder holds another study, or the same by other settings.
        """
        settings = _as_json(plan.settings)
        units = [unit.name for unit in plan.units]
        stated = {"study": name, "settings": settings, "units": units}
        if (self.root / _SETTINGS).exists():
            before = self._stated()
            if before["study"] != name:
                raise DcrnetError(
                    f"{self.root} holds the study {before['study']}: name another folder as `out`"
                )
            if changed := _changes(before["settings"], settings):
                raise DcrnetError(
                    f"{self.root} holds answers by other settings ({', '.join(changed)}): give the"
                    " same ones to go on, or name another folder as `out`"
                )
        with written_beside(self.root / _SETTINGS) as beside:
            beside.write_text(json.dumps(stated, indent=2) + "\n")

    def stated(self) -> tuple[str, dict[str, Any]]:
        """The study's name, and its settings.

        Raises:
            DcrnetError: the folder holds no study.
        """
        before = self._stated()
        return before["study"], before["settings"]

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keep a second process out of the folder.

        Raises:
            DcrnetError: there is one, or the folder cannot be made.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            file = (self.root / _LOCK).open("w")
        except OSError as error:
            raise unwritable(self.root, error) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise DcrnetError(
                    f"{self.root} is being worked on by another process: wait for it, or name"
                    " another folder as `out`"
                ) from error
            yield

    def work(self, plan: Plan, progress: Progress) -> None:
        """Do the units whose answers are not there."""
        answers = self.root / _ANSWERS
        remove_leftovers(answers)
        for number, unit in enumerate(plan.units):
            progress(unit.name, number, len(plan.units))
            path = self._answers_of(unit.name)
            if not path.exists():
                _do(unit, path)
        progress("", len(plan.units), len(plan.units))

    def answers(self) -> dict[str, Path]:
        """The units' files, by name.

        Raises:
            DcrnetError: the study is not through.
        """
        names = self._stated()["units"]
        paths = {name: self._answers_of(name) for name in names}
        if missing := [name for name, path in paths.items() if not path.exists()]:
            raise DcrnetError(
                f"{len(missing)} of {len(names)} units of {self.root} are not done"
                f" ({missing[0]} is the first): start the study again to go on"
            )
        return paths

    def _answers_of(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a file")
        return self.root / _ANSWERS / f"{name}.csv"

    def _stated(self) -> dict[str, Any]:
        try:
            stated = json.loads((self.root / _SETTINGS).read_text())
            return {key: stated[key] for key in ("study", "settings", "units")}
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DcrnetError(
                f"{self.root} holds no study ({error}): name a folder that dcrnet-study wrote"
            ) from error


def _do(unit: Unit, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unit.write(path)
    if not path.exists():
        raise RuntimeError(f"unit {unit.name} wrote nothing")


def _as_json(settings: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(settings))


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
