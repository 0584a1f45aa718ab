"""What a package index shows: the README without links that lead nowhere there."""

from __future__ import annotations

import re
import tomllib

from docs.pages import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
HOOK = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]


def long_description() -> str:
    """The README as hatch-fancy-pypi-readme puts it into the metadata."""
    text = "".join((ROOT / part["path"]).read_text() for part in HOOK["fragments"])
    for each in HOOK["substitutions"]:
        text = re.sub(each["pattern"], each["replacement"], text)
    return text


def test_no_link_is_relative() -> None:
    text = long_description()
    targets = re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    assert [target for target in targets if not target.startswith("https://")] == []


def test_the_words_of_links_and_the_tables_stay() -> None:
    text = long_description()
    readme = (ROOT / "README.md").read_text()
    assert "the model" in text
    assert [x for x in readme.splitlines() if x.startswith("| dcrnet")] == [
        x for x in text.splitlines() if x.startswith("| dcrnet")
    ]
    assert "```bash" in text
    assert "![" not in text
    assert "<img" not in text


def test_the_metadata_names_what_is_there() -> None:
    project = PYPROJECT["project"]
    assert all(any(ROOT.glob(name)) for name in project["license-files"])
    assert all(url.startswith("https://") for url in project["urls"].values())
