"""Pages of studies, and the cards' known limits, are what their command writes of the results."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from docs.pages import ROOT, anchors, commands, links
from docs.write_studies import COMMAND, Place, known_limits, publish, write, written

from dcrnet_edge.studies.findings import Chart, Findings, Table
from dcrnet_edge.studies.pages.page import write_findings
from dcrnet_runtime.models import Shipped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED = Place().published()
ACCURATE = Shipped.ACCURATE.path
DIGEST = hashlib.sha256(ACCURATE.read_bytes()).hexdigest()


def study(folder: Path, charts: int = 2, **changes: Any) -> Path:
    """A robustness study of the shipped model and of another one that nobody ran."""
    pytest.importorskip("matplotlib", reason="needs the train extra")
    findings = Findings(
        title="How robust are the models?",
        claim="less than 3 %.",
        verdict=[f"{ACCURATE.name} loses 4.2 points.", "other.onnx loses 9.9 points."],
        tables=[Table("Losses", [["kind", "loss"], ["blur|3", "4.2"]])],
        charts=[
            Chart("Faces of others.", draw, (2.0, 1.0), shows_data=True),
            *(Chart(f"Picture of {n} < 3.", draw, (2.0, 1.0)) for n in range(charts)),
        ],
    )
    settings = {"models": {ACCURATE.name: DIGEST, "other.onnx": "ab" * 32}}
    origin = {
        "command": "dcrnet-study robustness accurate --data ferplus --images 1000",
        "date": "2026-01-02",
        "machine": "AMD EPYC",
        "dcrnet-edge": "0.2.0",
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_findings(folder, findings, settings, origin)
    (folder / "study.json").write_text(json.dumps({"study": "robustness"}))
    result = folder / "result.json"
    result.write_text(json.dumps({**json.loads(result.read_text()), **changes}))
    return folder


def draw(figure: Figure) -> None:
    figure.subplots().plot([1, 2], label="a line")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A checkout's pages, without those of studies."""
    root = tmp_path / "checkout"
    (root / "docs").mkdir(parents=True)
    for name in ("docs/studies.md", "docs/privacy.md"):
        shutil.copy(ROOT / name, root / name)
    weights = Path("dcrnet_edge", "weights")
    (root / weights).mkdir(parents=True)
    for card in (ROOT / weights).glob("MODEL_CARD*.md"):
        shutil.copy(card, root / weights / card.name)
    return Place(root)


@pytest.mark.parametrize("path", [path for path, _ in written(Place())], ids=lambda p: p.name)
def test_the_pages_are_those_of_now(path: Path) -> None:
    assert path.read_text() == dict(written(Place()))[path], f"run: {COMMAND}"


def test_each_picture_and_page_is_of_a_published_study() -> None:
    place = Place()
    pictures = {p["file"]: p["sha256"] for r in PUBLISHED.values() for p in r["pictures"]}
    there = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in place.pictures.glob("*")}
    assert there == pictures
    assert {p.stem for p in place.pages.glob("*")} == set(PUBLISHED)


def test_a_result_becomes_a_page(tmp_path: Path, place: Place) -> None:
    assert publish(study(tmp_path / "run"), place) == "robustness"
    write(place)
    text = (place.pages / "robustness.md").read_text()
    assert text.startswith("# Study robustness: How robust are the models?\n")
    assert f"- {ACCURATE.name} loses 4.2 points.\n- other.onnx loses 9.9 points.\n" in text
    assert "The paper: less than 3 %." in text
    assert "```bash\ndcrnet-study robustness accurate --data ferplus --images 1000\n```" in text
    assert "Ran on 2026-01-02 with dcrnet-edge 0.2.0 on one machine (AMD EPYC)." in text
    assert "**Losses**\n\n| kind | loss |\n| --- | --- |\n| blur\\|3 | 4.2 |" in text
    assert "Picture of 1 < 3." in text
    assert f"{ACCURATE.name} {DIGEST[:12]}" in text
    assert "(studies/robustness.md), 2026-01-02: " in place.list_page.read_text()
    pages = [place.pages / "robustness.md", place.list_page]
    targets = [(page, link) for page in pages for link in links(page) if "tudies" in link]
    assert len(targets) >= 5
    assert [link for page, link in targets if not (page.parent / link).exists()] == []
    svg = ElementTree.parse(place.pictures / "robustness-2.svg").getroot()
    assert svg.attrib["aria-label"] == "Picture of 1 < 3."
    assert svg[0].attrib == {"width": "100%", "height": "100%", "fill": "#ffffff"}


def test_faces_of_the_data_set_stay_behind(tmp_path: Path, place: Place) -> None:
    folder = study(tmp_path / "run")
    assert "Faces of others." in (folder / "report.html").read_text()
    publish(folder, place)
    write(place)
    assert len(list(place.pictures.iterdir())) == 2
    assert "Faces of others." not in (place.pages / "robustness.md").read_text()


def test_a_later_run_takes_the_place_of_an_earlier_one(tmp_path: Path, place: Place) -> None:
    publish(study(tmp_path / "run"), place)
    publish(study(tmp_path / "run", charts=1, verdict=["Nothing is lost."]), place)
    write(place)
    assert [path.name for path in place.pictures.iterdir()] == ["robustness-1.svg"]
    text = (place.pages / "robustness.md").read_text()
    assert "Nothing is lost." in text
    assert "robustness-2.svg" not in text
    assert dict(written(place))[place.list_page] == place.list_page.read_text()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"verdict": ["see /home/me/answers"]}, "names a folder of this machine"),
        ({"origin": {}}, "was written before"),
    ],
)
def test_what_is_not_for_others_is_refused(
    tmp_path: Path, place: Place, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        publish(study(tmp_path / "run", **changes), place)
    assert not place.figures.exists()


def test_a_study_of_two_words_has_one_name(tmp_path: Path, place: Place) -> None:
    folder = study(tmp_path / "run", charts=1)
    (folder / "study.json").write_text(json.dumps({"study": "gan effect"}))
    assert publish(folder, place) == "gan-effect"
    write(place)
    assert (place.pages / "gan-effect.md").is_file()
    assert (place.pictures / "gan-effect-1.svg").is_file()


def test_two_studies_of_one_kind_have_pages_of_their_own(tmp_path: Path, place: Place) -> None:
    publish(study(tmp_path / "run"), place)
    assert publish(study(tmp_path / "again", charts=1), place, "robustness-of-gamma") == (
        "robustness-of-gamma"
    )
    write(place)
    pages = {"robustness.md", "robustness-of-gamma.md"}
    assert {page.name for page in place.pages.iterdir()} == pages
    pictures = ["robustness-1.svg", "robustness-2.svg", "robustness-of-gamma-1.svg"]
    assert sorted(path.name for path in place.pictures.iterdir()) == pictures


def test_a_folder_of_no_study_is_refused(tmp_path: Path, place: Place) -> None:
    with pytest.raises(ValueError, match="holds no study that is through"):
        publish(tmp_path, place)


def test_a_card_has_its_own_models_verdicts(tmp_path: Path, place: Place) -> None:
    publish(study(tmp_path / "run"), place)
    limits = known_limits(Shipped.ACCURATE, place.published())
    assert f"  - {ACCURATE.name} loses 4.2 points." in limits
    assert "9.9" not in limits
    assert "earlier weights" not in limits
    assert "fairness: not studied for this model yet" in limits
    assert "robustness: not studied" in known_limits(Shipped.FAST, place.published())


def test_a_card_says_whose_weights_the_figures_are_of(tmp_path: Path, place: Place) -> None:
    settings = {"models": {ACCURATE.name: "cd" * 32}}
    publish(study(tmp_path / "run", settings=settings), place)
    limits = known_limits(Shipped.ACCURATE, place.published())
    assert "2026-01-02, on earlier weights (SHA-256 cdcdcdcdcdcd):" in limits


def test_a_published_command_is_one() -> None:
    """That it can be given, the test of all commands on pages finds out."""
    for name, result in PUBLISHED.items():
        (command,) = commands(result["origin"]["command"], name)
        assert command.words[0] == "dcrnet-study"


@pytest.mark.parametrize("card", ["MODEL_CARD.md", "MODEL_CARD_FAST.md"])
def test_the_cards_have_the_acts_points_and_consent(card: str) -> None:
    path = ROOT / "dcrnet_edge" / "weights" / card
    text = path.read_text()
    assert all(word in text for word in ("5(1)(f)", "50(3)", "onsent", "nown limits"))
    for link in links(path):
        if not link.startswith("http"):
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve()
            assert target.is_file()
            assert not anchor or anchor in anchors(target)
