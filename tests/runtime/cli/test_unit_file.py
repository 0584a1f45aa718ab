"""The unit file: valid, closed enough, with the user's caches, and able to run its command."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dcrnet_runtime.cache import cache_folder

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "runtime" / "systemd" / "dcrnet-run@.service"
MOST_EXPOSED = 2.5
"""Of the ten that ``systemd-analyze security`` gives a service without any bounds."""
NOT_SANDBOX = re.compile(r"Type|EnvironmentFile|Exec|Standard|Timeout|Watchdog|Restart(Sec)?$")
COMMAND = "from dcrnet_runtime.cli.run import app; app()"


def analyze(*words: str) -> str:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("needs systemd-analyze")
    done = subprocess.run([tool, *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def service() -> list[tuple[str, str]]:
    """The options of its section Service, in order."""
    text = UNIT.read_text().partition("[Service]")[2].partition("\n[")[0]
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def test_it_is_valid() -> None:
    told = analyze("verify", str(UNIT)).splitlines()
    assert [line for line in told if "is not executable" not in line] == []


def test_it_is_closed_enough() -> None:
    told = analyze("security", "--offline=yes", str(UNIT))
    if "unrecognized option" in told:
        pytest.skip("this systemd-analyze looks at no files")
    found = re.search(r"exposure level for \S+: ([\d.]+)", told)
    assert found is not None, told
    assert float(found[1]) <= MOST_EXPOSED


def test_it_sees_the_caches_of_its_user_where_the_users_command_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = service()
    assert ("User", "%i") in options
    assert not [
        name for name, value in options if name.startswith("Environment") and "XDG" in value
    ]
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    cache = cache_folder().relative_to(Path.home())
    assert ("BindReadOnlyPaths", f"-/home/%i/{cache}") in options


def test_its_command_runs_in_its_sandbox() -> None:
    """As the user nobody, with this checkout and its Python shown where they lie."""
    if not Path("/run/systemd/system").is_dir() or os.getuid() != 0:
        pytest.skip("needs a running systemd and root's rights")
    state = Path("/var/lib/dcrnet-run-test")
    properties = [
        f"{name}={value}".replace("%i", "nobody").replace("%S/dcrnet-run", str(state))
        for name, value in service()
        if not NOT_SANDBOX.match(name) and name != "StateDirectory"
    ]
    shown = {str(ROOT), sys.prefix, sys.base_prefix}
    try:
        done = subprocess.run(
            [
                *("systemd-run", "--quiet", "--wait", "--collect", "--pipe"),
                *(f"--property={each}" for each in properties),
                f"--property=StateDirectory={state.name}",
                f"--property=BindReadOnlyPaths={' '.join(sorted(shown))}",
                f"--setenv=PYTHONPATH={os.pathsep.join(filter(None, sys.path))}",
                *(sys.executable, "-c", COMMAND, "--self-test"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        shutil.rmtree(state, ignore_errors=True)
    assert done.returncode == 0, done.stderr
