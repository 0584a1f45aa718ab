"""A shell completes commands and options, of every installed command and without heavy imports."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

import pytest
from docs.pages import ROOT

SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
HEAVY = {"torch", "lightning", "onnxruntime", "cv2", "av", "onnx", "mediapipe", "sklearn"}
ASK = """
import atexit, sys
atexit.register(lambda: print("loaded", *sys.modules, file=sys.stderr))
from {module} import {app}
sys.argv[0] = "{name}"
{app}()
"""


def asked(words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What the command that ``words`` begin with says to a shell that is at their end."""
    name, *rest = words.split(" ")
    module, _, app = SCRIPTS[name].partition(":")
    return subprocess.run(
        [sys.executable, "-c", ASK.format(module=module, app=app, name=name)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            f"_{name.upper().replace('-', '_')}_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(rest)),
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("dcrnet-run --det", {"--detector"}),
        ("dcrnet-run summary --blur-f", {"--blur-faces"}),
        ("dcrnet-train --from", {"--from-scratch"}),
        ("dcrnet-eval --box", {"--box-only"}),
        ("dcrnet-study rob", {"robustness"}),
        ("dcrnet-study robustness --fam", {"--family"}),
        ("dcrnet-export ver", {"verify"}),
        ("dcrnet-export --fp", {"--fp16"}),
        ("dcrnet-export --int8 --dyn", {"--dynamic-range"}),
        ("dcrnet-bench comp", {"compare"}),
        ("dcrnet-bench --emu", {"--emulate"}),
    ],
)
def test_what_fits_is_offered_at_once(words: str, expected: set[str]) -> None:
    told = asked(words)
    assert set(told.stdout.split()) == expected, told.stderr
    loaded = told.stderr.rpartition("loaded ")[2].split()
    assert "dcrnet_runtime" in loaded
    assert HEAVY.isdisjoint(loaded)


def test_every_installed_command_has_the_options() -> None:
    for name in SCRIPTS:
        offered = asked(f"{name} --").stdout.split()
        assert {"--install-completion", "--show-completion"} <= set(offered), name
