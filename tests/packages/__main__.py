"""Build wheel and sdist, check them, and use what they install in empty environments.

    python -m tests.packages                                  # all that this machine can
    python -m tests.packages --only linux-x86_64-3.11 --line 'dcrnet-edge[demo]'
    python -m tests.packages --page                           # SUPPORTED.md from the records

Each environment's outcome goes to docs/supported/, of which SUPPORTED.md is made. Exit code 1 says
that something failed; what cannot be had here is told and left as it was.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from dcrnet_runtime.errors import DcrnetError  # noqa: E402
from dcrnet_runtime.version import __version__  # noqa: E402
from packages.distribution import CheckError, Distributions, built_twice, check  # noqa: E402
from packages.environments import ENVIRONMENTS, Environment  # noqa: E402
from packages.lines import LINES  # noqa: E402
from packages.material import lay_out  # noqa: E402
from packages.records import BUILD, Record, write_json, write_record  # noqa: E402
from packages.supported import PAGE, page  # noqa: E402
from packages.trial import Trial  # noqa: E402


def main() -> None:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.packages",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [each.name for each in ENVIRONMENTS]
    keys = [each.key for each in LINES]
    parser.add_argument("--only", action="append", choices=names, help="environment; repeatable")
    parser.add_argument("--line", action="append", choices=keys, help="install line; repeatable")
    parser.add_argument("--page", action="store_true", help="write SUPPORTED.md alone")
    given = parser.parse_args()
    passed = True
    if not given.page:
        with TemporaryDirectory(prefix="dcrnet-packages-") as name:
            passed = _run(given.only or names, given.line or keys, Path(name))
    PAGE.write_text(page())
    _tell(str(PAGE))
    sys.exit(not passed)


def _run(names: Sequence[str], keys: Sequence[str], folder: Path) -> bool:
    """Whether all passed."""
    try:
        built = built_twice(folder)
        tools = check(built, folder)
    except CheckError as error:
        _tell(str(error))
        return False
    _tell(f"built twice to the same bytes; {', '.join(tools)}: no complaint")
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    sha256 = built.hashes[built.wheel.name]
    facts = {"version": __version__, "date": date, "wheel_sha256": sha256, "tools": [*tools]}
    write_json(facts, BUILD)  # not the sdist's: this file is in it
    work = lay_out(built, folder / "work")
    passed = True
    for environment in ENVIRONMENTS:
        if environment.name in names:
            for record in _records(environment, keys, built, work, folder / environment.name):
                write_record(record)
                PAGE.write_text(page())
                passed = passed and all(line.passed for line in record.lines)
    return passed


def _records(
    environment: Environment,
    keys: Sequence[str],
    built: Distributions,
    work: Path,
    folder: Path,
) -> Iterator[Record]:
    """What is found in an environment, a line each; none where it cannot be had."""
    lines = [
        line
        for line in LINES
        if line.key in keys and (not environment.lines or line.key in environment.lines)
    ]
    if not lines:
        return
    try:
        shell = environment.open(folder, work)
    except (CheckError, DcrnetError) as error:
        _tell(f"{environment.name}: not run: {error}")
        return
    sha256 = built.hashes[built.wheel.name]
    trial = Trial(lines, sha256, is_one_environment=bool(environment.lines))
    yield from trial.run(environment.name, environment.core, shell, _tell)


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
