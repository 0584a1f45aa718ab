"""Links lead to files and headings that are there."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.pages import CARD, PAGES, ROOT, anchors, inline_code, links

ROOTS = (
    *("", "docs", "runtime/dcrnet_runtime", "dcrnet_edge", "export/dcrnet_export"),
    *("bench/dcrnet_bench", "runtime", "export", "bench"),
)


@pytest.mark.parametrize("page", [*PAGES, CARD], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_are_there(page: Path) -> None:
    endings = (".py", ".toml", ".md", ".json", ".csv")
    named = [code for code in inline_code(page) if "/" in code and " " not in code]
    paths = [code for code in named if code.endswith(endings)]
    for path in paths:
        assert any(any((ROOT / root).glob(path)) for root in ROOTS), path


def test_the_index_has_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    pages = {page.name for page in index.parent.glob("*.md")} - {index.name}
    assert pages <= set(links(index))


def test_the_studies_page_has_every_study() -> None:
    listing = ROOT / "docs" / "studies.md"
    pages = {f"studies/{page.name}" for page in (listing.parent / "studies").glob("*.md")}
    assert pages <= set(links(listing))
