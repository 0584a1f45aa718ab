"""Publishes results of ``dcrnet-study``: pages, their list, and the model cards' known limits.

python tests/docs/write_studies.py [FOLDER[=NAME] ...]

A folder's figures become docs/figures/studies/NAME.json and its pictures docs/images/studies; what
people read is written from these alone, for all studies that were ever published. Without NAME a
page is called by its study. A picture with faces of the data set stays behind: they are not ours
to publish.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from dcrnet_runtime.models import Shipped

ROOT = Path(__file__).parents[2]
COMMAND = "python tests/docs/write_studies.py"
CARD_STUDIES = ("robustness", "fairness")
"""Whose verdicts are known limits of a model."""
_WEIGHTS = Path("dcrnet_edge", "weights")
_CARDS = {
    _WEIGHTS / "MODEL_CARD.md": Shipped.ACCURATE,
    _WEIGHTS / "MODEL_CARD_FAST.md": Shipped.FAST,
}
_BLOCK = re.compile(rf"(?<=<!-- {re.escape(COMMAND)} -->\n).*?(?=<!-- end -->)", re.DOTALL)
_FIGURE = re.compile(
    r"<figure>\s*(<svg.*?</svg>)\s*<figcaption>(.*?)</figcaption>\s*</figure>", re.DOTALL
)
_PRIVATE = re.compile(r"""(?<![\w.:/<])/[\w.-]+/[\w.-]""")


@dataclass(frozen=True, slots=True)
class Place:
    """Where things lie in a checkout.

    Attributes:
        root: of it.
    """

    root: Path = ROOT

    @property
    def list_page(self) -> Path:
        """The page of all studies."""
        return self.root / "docs" / "studies.md"

    @property
    def pages(self) -> Path:
        """The folder of one page a study."""
        return self.root / "docs" / "studies"

    @property
    def figures(self) -> Path:
        """The folder of one JSON file a study."""
        return self.root / "docs" / "figures" / "studies"

    @property
    def pictures(self) -> Path:
        """The folder of SVG files."""
        return self.root / "docs" / "images" / "studies"

    def published(self) -> dict[str, dict[str, Any]]:
        """What was published, by name."""
        return {p.stem: json.loads(p.read_text()) for p in sorted(self.figures.glob("*.json"))}


def publish(folder: Path, place: Place, name: str = "") -> str:
    """Take a study's figures and pictures over; the name of its page.

    Args:
        folder: the study's.
        place: where to.
        name: of the page; empty for the study's own.

    Raises:
        ValueError: the folder holds no study that is through, or something that is nobody's else.
    """
    try:
        kind = json.loads((folder / "study.json").read_text())["study"]
        result = json.loads((folder / "result.json").read_text())
        report = (folder / "report.html").read_text()
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{folder} holds no study that is through: {error!r}") from error
    if "tables" not in result or "command" not in result["origin"]:
        raise ValueError(f"{folder} was written before: dcrnet-study again {folder}")
    if private := _PRIVATE.search(json.dumps({**result, "title": ""}, ensure_ascii=False)):
        raise ValueError(f"{folder} names a folder of this machine ({private[0]}...)")
    name = name or str(kind).replace(" ", "-")
    place.figures.mkdir(parents=True, exist_ok=True)
    place.pictures.mkdir(parents=True, exist_ok=True)
    for old in place.pictures.glob(f"{name}-[0-9]*.svg"):
        old.unlink()
    result["pictures"] = []
    found = _FIGURE.findall(report)
    assert len(found) == report.count("<figure>")
    for number, (svg, caption) in enumerate(found, 1):
        path = place.pictures / f"{name}-{number}.svg"
        path.write_text(_alone(svg))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        told = {"file": path.name, "caption": html.unescape(caption), "sha256": digest}
        result["pictures"].append(told)
    (place.figures / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    return name


def page(name: str, result: dict[str, Any]) -> str:
    """A study's page."""
    origin = result["origin"]
    parts = [
        f"# Study {name}: {result['title']}",
        f"<!-- written by {COMMAND} -->",
        *(_wrapped(f"- {sentence}", "  ") for sentence in result["verdict"]),
    ]
    if result["claim"]:
        parts.append(_wrapped(f"The paper: {result['claim']}"))
    command = f"```bash\n{origin['command']}\n```"
    parts.append(f"<!-- needs: the study's data and time -->\n{command}")
    parts.append(
        _wrapped(
            f"Ran on {origin['date']} with dcrnet-edge {origin['dcrnet-edge']} on one machine"
            f" ({origin['machine']}). [What the study does](../studies.md), and"
            f" [every figure at full precision](../figures/studies/{name}.json)."
        )
    )
    for number, picture in enumerate(result["pictures"], 1):
        parts.append(f"![Picture {number}](../images/studies/{picture['file']})")
        parts.append(_wrapped(picture["caption"]))
    for table in result["tables"]:
        parts += [f"**{table['caption']}**", _table(table["rows"])]
    if models := _models(result["settings"]):
        told = ", ".join(f"{model} {sha256[:12]}" for model, sha256 in models.items())
        parts.append(_wrapped(f"Models by the SHA-256 of their files: {told}."))
    return _joined(parts)


def summary(published: dict[str, dict[str, Any]]) -> str:
    """The list of the studies' pages, with the first sentence of each verdict."""
    lines = [
        _wrapped(
            f"- [{name}](studies/{name}.md), {result['origin']['date']}: {result['verdict'][0]}",
            "  ",
        )
        for name, result in published.items()
    ]
    return "\n".join(["", *lines, ""])


def known_limits(model: Shipped, published: dict[str, dict[str, Any]]) -> str:
    """What studies found of a shipped model, favourable or not."""
    lines = [""]
    for name in CARD_STUDIES:
        result = published.get(name)
        own = "" if result is None else _models(result["settings"]).get(model.path.name, "")
        if result is None or not own:
            lines.append(f"- {name}: not studied for this model yet (`dcrnet-study {name}`).")
            continue
        others = _models(result["settings"]).keys() - {model.path.name}
        now = hashlib.sha256(model.path.read_bytes()).hexdigest()
        earlier = "" if own == now else f", on earlier weights (SHA-256 {own[:12]})"
        lines.append(
            f"- [{name}](../../docs/studies/{name}.md), {result['origin']['date']}{earlier}:"
        )
        lines += [
            _wrapped(f"  - {sentence}", "    ")
            for sentence in result["verdict"]
            if re.split("[ ,]", sentence)[0] not in others
        ]
    return "\n".join([*lines, "", ""])


def written(place: Place) -> Iterator[tuple[Path, str]]:
    """Every page as it is to be."""
    published = place.published()
    for name, result in published.items():
        yield place.pages / f"{name}.md", page(name, result)
    yield place.list_page, _with_block(place.list_page, summary(published))
    for card, model in _CARDS.items():
        yield place.root / card, _with_block(place.root / card, known_limits(model, published))


def write(place: Place) -> None:
    """Bring every page up to date."""
    place.pages.mkdir(exist_ok=True)
    for path, text in written(place):
        path.write_text(text)


def _with_block(path: Path, block: str) -> str:
    text = path.read_text()
    if not _BLOCK.search(text):
        raise ValueError(f"{path.name} has no <!-- {COMMAND} --> with an <!-- end -->")
    return _BLOCK.sub(lambda _: block, text)


def _models(settings: dict[str, Any]) -> dict[str, str]:
    """The SHA-256 of each model's file, by its name; studies note them in three ways."""
    found: dict[str, str] = {}
    for name, noted in settings.get("models", {}).items():
        match noted:
            case str():
                found[name] = noted
            case [str() as file, str() as sha256]:
                found[file] = sha256
            case {"sha256": str() as sha256}:
                found[name] = sha256
    return found


def _alone(svg: str) -> str:
    """An element of a page as a file, on a ground of its own, so that a dark page shows it."""
    ground = '<rect width="100%" height="100%" fill="#ffffff"/>'
    return re.sub(r"^(<svg[^>]*>)", lambda found: found[1] + ground, svg, count=1) + "\n"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    cells = ([cell.replace("|", r"\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text, 99, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _joined(parts: Sequence[str]) -> str:
    """Parts with a line between them, but for the points of one list."""
    text = parts[0]
    for before, part in pairwise(parts):
        is_list = before.startswith("- ") and part.startswith("- ")
        text += ("\n" if is_list else "\n\n") + part
    return text + "\n"


if __name__ == "__main__":
    here = Place()
    for argument in sys.argv[1:]:
        its_folder, _, its_name = argument.partition("=")
        sys.stdout.write(f"{publish(Path(its_folder), here, its_name)}\n")
    write(here)
