"""Install lines in an environment, one after the other, and what came of each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata

from dcrnet_runtime.version import __version__
from packages.lines import Line
from packages.records import LineRecord, Record, UseRecord
from packages.shell import Said, Shell

_FACTS = """
import json, platform
system = platform.freedesktop_os_release()["PRETTY_NAME"]
print(json.dumps([platform.python_version(), system, platform.machine()]))
"""
ENTER = 'set +u; . "$SCRATCH/env/bin/activate"; set -u'
"""Python 3.12's script reads a variable that only bash has set."""
_NAME = re.compile(r"[\w.-]+")
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """Lines that are tried.

    Attributes:
        lines: in their order.
        wheel_sha256: of what they install.
        is_one_environment: whether each line is installed over the one before, rather than
            into an environment of its own.
    """

    lines: Sequence[Line]
    wheel_sha256: str
    is_one_environment: bool

    def run(self, name: str, core: str, shell: Shell, tell: Tell) -> Iterator[Record]:
        """Run every line and every use; a record of each line, as soon as it is done.

        Args:
            name: of the environment.
            core: that it emulates; empty for none.
            shell: in it.
            tell: told what is done, and what was said of what failed.
        """
        said = shell.run(f'"$PYTHON" -c {_quoted(_FACTS)}')
        python, system, machine = json.loads(said.stdout)
        for index, line in enumerate(self.lines):
            tell(f"{name}: pip install {line.key}")
            is_new = index == 0 or not self.is_one_environment
            done = self._run_line(line, shell, tell, is_new=is_new)
            yield Record(name, python, system, machine, core, (done,))

    def _run_line(self, line: Line, shell: Shell, tell: Tell, *, is_new: bool) -> LineRecord:
        new = 'rm -rf "$SCRATCH/env" && "$PYTHON" -m venv "$SCRATCH/env"\n' if is_new else ""
        enter = f"{ENTER}\n"
        done = shell.run(f"{new}{enter}pip install --quiet {line.install}")
        if not done.succeeded:
            _complain(tell, line.key, done)
        uses = []
        for use in line.uses if done.succeeded else ():
            said = shell.run(f"{enter}{use.script}")
            passed = said.succeeded and use.passed(said.stdout)
            tell(f"  {use.what}: {'passed' if passed else 'FAILED'}")
            if not passed:
                _complain(tell, use.what, said)
            uses.append(UseRecord(use.what, use.back_end, passed))
        return LineRecord(
            key=line.key,
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            version=__version__,
            wheel_sha256=self.wheel_sha256,
            installed=done.succeeded,
            packages=_packages(shell, enter) if done.succeeded else {},
            uses=tuple(uses),
        )


def _packages(shell: Shell, enter: str) -> dict[str, str]:
    """The versions of what this package requires itself, with any extra."""
    required = metadata.requires("dcrnet-edge") or []
    ours = {_canonical(match[0]) for line in required if (match := _NAME.match(line))}
    listed = json.loads(shell.run(f"{enter}pip list --format json").stdout)
    found = {_canonical(each["name"]): each["version"] for each in listed}
    return {name: found[name] for name in sorted(found) if name in ours - {"dcrnet-edge"}}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _complain(tell: Tell, what: str, said: Said) -> None:
    tell(f"{what}: {(said.stdout[-1000:] + said.stderr[-2000:]).strip()}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
