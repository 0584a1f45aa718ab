"""The folder of a study: settings, answers, and what was made of them."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dcrnet_edge.studies.study import Plan, Unit
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import remove_abandoned, unwritable, written_beside

_SETTINGS = "study.json"
_ANSWERS = "answers"
_LOCK = ".lock"
_CLAIMS = ".claims"

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
    def locked(self, *, waits: bool = False) -> Generator[None]:
        """Keep every other process out of the folder.

        Args:
            waits: until those that are at it have ended.

        Raises:
            DcrnetError: there is one and this one does not wait, or the folder cannot be made.
        """
        with self._held(_LOCK, fcntl.LOCK_EX, waits=waits) as is_held:
            if not is_held:
                raise DcrnetError(
                    f"{self.root} is being worked on by another process: wait for it, or name"
                    " another folder as `out`"
                )
            shutil.rmtree(self.root / _CLAIMS, ignore_errors=True)
            yield

    def work(self, plan: Plan, progress: Progress) -> None:
        """Do the units whose answers are not there, and that no other process is at.

        Processes that are started in one folder share its units: the first takes them in order,
        those that join it from the end, since neighbours often need the same faces. The units of
        one that is killed are done by another.
        """
        with self._held(_LOCK, fcntl.LOCK_EX, waits=False) as is_alone:
            pass
        units = list(plan.units) if is_alone else list(reversed(plan.units))
        with self._held(_LOCK, fcntl.LOCK_SH, waits=True):
            remove_abandoned(self.root / _ANSWERS)
            while left := [unit for unit in units if not self._is_done(unit.name)]:
                ready = [unit for unit in left if all(map(self._is_done, unit.after))]
                for unit in ready:
                    with self._held(_claim(unit), fcntl.LOCK_EX, waits=False) as is_ours:
                        if is_ours and not self._is_done(unit.name):
                            done = sum(self._is_done(each.name) for each in units)
                            progress(unit.name, done, len(units))
                            _do(unit, self._answers_of(unit.name))
                with self._held(_claim(ready[0]), fcntl.LOCK_EX, waits=True):
                    pass  # whoever was at it has done it, or was killed
        progress("", len(units), len(units))

    @contextmanager
    def _held(self, name: str, mode: int, *, waits: bool) -> Generator[bool]:
        """Hold a lock of the folder; gives False where another process holds it."""
        path = self.root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a")
        except OSError as error:
            raise unwritable(self.root, error) from error
        with file:
            try:
                fcntl.flock(file, mode if waits else mode | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            except OSError as error:  # a file system without locks
                raise unwritable(path, error) from error
            else:
                yield True

    def _is_done(self, name: str) -> bool:
        return self._answers_of(name).exists()

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
        return self.root / _ANSWERS / f"{_file_name(name)}.csv"

    def _stated(self) -> dict[str, Any]:
        try:
            stated = json.loads((self.root / _SETTINGS).read_text())
            return {key: stated[key] for key in ("study", "settings", "units")}
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DcrnetError(
                f"{self.root} holds no study ({error}): name a folder that dcrnet-study wrote"
            ) from error


def _claim(unit: Unit) -> str:
    return f"{_CLAIMS}/{_file_name(unit.name)}"


def _file_name(name: str) -> str:
    """A unit's name, which may have a model's file in it, as every file system takes it."""
    return quote(name, safe="")


def _do(unit: Unit, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unit.write(path)
    if not path.exists():
        raise RuntimeError(f"unit {unit.name} wrote nothing")


def _as_json(settings: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(settings))


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
