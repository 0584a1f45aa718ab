"""Gaps between groups of people: who is in which group, and what gaps may be called sure."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from edge.studies.commands import on, refused, study
from generated import TinyModel
from generated_trees import write_image, write_kdef
from statsmodels.stats.proportion import proportion_confint

from dcrnet_edge.studies.people.group_answers import read_group_answers
from dcrnet_edge.studies.people.group_gaps import Gaps, accuracy_gaps, share_gaps
from dcrnet_edge.studies.people.group_means import gaps_of, group_means, resamples_for

Person = dict[str, str]


def answers(group: str, right: int, count: int, subjects: int = 0) -> list[Person]:
    """Answers with labels, the first ones right; images of one subject are neighbours."""
    return [
        {
            **{"group": group, "label": "joy", "predicted": "joy" if i < right else "fear"},
            "subject": f"{group}{i * subjects // count}" if subjects else "",
        }
        for i in range(count)
    ]


def share(group: str, answer: str, subject: str = "") -> Person:
    told = {"group": group, "aligned": "1", "predicted": answer, "subject": subject}
    return told | {"p_joy": "0.8", "p_calm": "0.2"}


def gaps_by_accuracy(*groups: list[Person]) -> Gaps:
    gaps = accuracy_gaps([row for group in groups for row in group], "group", 50, 0.03)
    assert gaps is not None
    return gaps


def write_groups(path: Path, tree: Path, **columns: str) -> None:
    """A table of the Test images; each attribute's letters take turns."""
    names = [image.relative_to(tree) for image in sorted((tree / "test").rglob("*.png"))]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", *columns])
        for i, name in enumerate(names):
            writer.writerow([name, *(values[i % len(values)] for values in columns.values())])


@pytest.fixture
def groups(tree: Path, tmp_path: Path) -> Path:
    path = tmp_path / "groups.csv"
    write_groups(path, tree, race="xxyy", age="oy")
    return path


def test_left_out_images_take_their_people_with_them(
    tree: Path, groups: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    """The model knows no contempt, whose three faces come before others."""
    for split in ("train", "valid", "test"):
        for index in range(3):
            write_image(tree / split / "contempt" / f"{index}.png")
    write_groups(groups, tree, race="xxxyy")
    out = tmp_path / "out"
    asked = [*on(tree), "--groups", groups, "--least", 2, "--out", out]
    study("fairness", tiny_model(), *asked)
    (path,) = (out / "answers").glob("*.csv")
    with groups.open() as file:
        told = {row["image"]: row["race"] for row in csv.DictReader(file)}
    rows = read_group_answers(path)
    assert len(rows) == 10 < len(told)
    assert {row["image"]: row["race"] for row in rows}.items() <= told.items()


def test_subjects_are_written(tiny_model: TinyModel, tmp_path: Path, tree: Path) -> None:
    """KDEF tells who is shown; the tree alone is there for its detector."""
    kdef, out = write_kdef(tmp_path / "kdef", people=12), tmp_path / "out"
    groups = tmp_path / "groups.csv"
    with groups.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "side"])
        for path in sorted(kdef.rglob("*.JPG")):
            writer.writerow([path.relative_to(kdef), "LR"[int(path.name[2:4]) % 2]])
    data = ["--data", kdef, "--dataset", "kdef", "--split", "train", "--workers", 1]
    asked = [*data, "--groups", groups, "--attribute", "side", "--least", 2, "--out", out]
    found = study("fairness", tiny_model(), *asked)
    (path,) = (out / "answers").glob("*.csv")
    assert path.read_text().startswith("image,subject,is_side,aligned,label,predicted,p_")
    rows = read_group_answers(path)
    assert len({row["subject"] for row in rows}) > 2
    assert all(row["subject"] == Path(row["image"]).name[1:4] for row in rows)
    assert found["tables"][0]["caption"].endswith("by side: accuracy, intervals over people")


def test_answers_without_subjects_are_read(
    tree: Path, groups: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    """As studies wrote them before there were subjects."""
    out = tmp_path / "out"
    asked = [*on(tree), "--groups", groups, "--least", 2, "--out", out]
    found = study("fairness", tiny_model(), *asked)
    (path,) = (out / "answers").glob("*.csv")
    rows = list(csv.reader(path.open()))
    assert {row[1] for row in rows} == {"subject", ""}
    path.write_text("\n".join(",".join([row[0], *row[2:]]) for row in rows) + "\n")
    assert study("again", out)["facts"] == found["facts"]


def test_the_widest_of_many_pairs_is_not_sure_by_its_own_interval() -> None:
    """Two of seven groups lie apart as often as not by chance."""
    pair = gaps_by_accuracy(answers("a", 920, 1000), answers("g", 862, 1000))
    assert "surely more" in pair.sentences[0]
    assert "widest" not in pair.sentences[0]
    others = [answers(name, 890, 1000) for name in "bcdef"]
    of_seven = gaps_by_accuracy(answers("a", 920, 1000), *others, answers("g", 862, 1000))
    assert "between a and g, the widest of 21 pairs" in of_seven.sentences[0]
    assert of_seven.sentences[0].endswith("3 points or less: not decided.")
    assert of_seven.facts["looked_at"] == 21
    low, high = of_seven.facts["gap_interval"]
    standard_error = (0.92 * 0.08 / 1000 + 0.862 * 0.138 / 1000) ** 0.5
    # The normal quantile of 1 - 0.05 / 21 / 2.
    assert (high - low) / 2 == pytest.approx(3.04 * standard_error, rel=0.06)


def test_surely_less_is_said_of_all_pairs() -> None:
    """The gap to the small group is narrower than the widest one, and nobody knows it well."""
    large = [answers("a", 9000, 10000), answers("b", 8990, 10000)]
    assert "surely less" in gaps_by_accuracy(*large).sentences[0]
    with_few = gaps_by_accuracy(*large, answers("few", 54, 60))
    assert "between a and b" in with_few.sentences[0]
    assert with_few.sentences[0].endswith("not decided.")


def test_a_sure_gap_counts_that_is_not_the_widest() -> None:
    """The small group lies furthest from the best one, and is not sure."""
    gaps = gaps_by_accuracy(
        answers("a", 9500, 10000), answers("b", 9000, 10000), answers("few", 53, 60)
    )
    assert "between a and few" in gaps.sentences[0]
    assert gaps.sentences[0].endswith("surely more, between a and b.")


def test_no_group_is_named_against_itself() -> None:
    even = gaps_by_accuracy(answers("a", 90, 100), answers("b", 90, 100))
    assert even.sentences[0].startswith("0.0 points (")
    assert "between a and b" in even.sentences[0]
    people = [share(group, answer) for group in "ab" for answer in ["joy", "calm"] * 50]
    shares = share_gaps(people, "group", 50, None)
    assert shares is not None
    assert all(gap["most"] != gap["least"] for gap in shares.facts["gaps"].values())


def test_all_right_is_no_certainty() -> None:
    gaps = gaps_by_accuracy(answers("a", 60, 60), answers("b", 60, 60))
    assert gaps.sentences[0].endswith("not decided.")
    low, high = gaps.facts["gap_interval"]
    exact = 1 - proportion_confint(60, 60, 0.05, method="beta")[0]
    assert (low, high) == pytest.approx((-exact, exact))
    assert gaps.tables[0][1][1][3] == f"{100 * (1 - exact):.1f} to 100.0"
    # Of one group resamples know, of the other one they do not.
    apart = gaps_by_accuracy(answers("a", 60, 60), answers("b", 30, 60))
    low, high = apart.facts["gap_interval"]
    assert high == pytest.approx(0.5 + 1.96 * 0.5 / 60**0.5, abs=0.02)
    assert low == pytest.approx(0.5 - np.hypot(1.96 * 0.5 / 60**0.5, exact), abs=0.02)


def test_an_answer_that_nobody_of_a_group_gets_has_an_exact_interval() -> None:
    """By the effective number of images where they are weighted."""
    people = [share("a", "joy") | {"age": age} for age in "yyyo" * 25]
    people += [share("b", "calm") | {"age": age} for age in "yooo" * 25]
    raw, fair = share_gaps(people, "group", 50, None), share_gaps(people, "group", 50, "age")
    assert raw is not None
    assert fair is not None
    exact = proportion_confint(0, 100, 0.05, method="beta")[1]
    assert raw.facts["share_intervals"]["a"]["calm"] == pytest.approx([0, exact])
    weights = np.array([100 / 75] * 75 + [100 / 25] * 25)
    effective = weights.sum() ** 2 / (weights**2).sum()
    assert fair.facts["share_intervals"]["a"]["calm"] == pytest.approx(
        [0, 1 - 0.025 ** (1 / effective)]
    )


def test_the_widest_gap_says_among_how_many() -> None:
    people = [share("a", "joy")] * 90 + [share("a", "calm")] * 10
    people += [share("b", "joy")] * 50 + [share("b", "calm")] * 50
    people += [share("c", "joy")] * 60 + [share("c", "calm")] * 40
    gaps = share_gaps(people, "group", 50, None)
    assert gaps is not None
    assert "the widest of 6 gaps (3 pairs of groups x 2 answers), which" in gaps.sentences[0]
    assert gaps.tables[1][0].endswith("allow for 6 gaps that were looked at")
    low, high = gaps.facts["gaps"]["joy"]["interval"]
    standard_error = (0.9 * 0.1 / 100 + 0.25 / 100) ** 0.5
    # The normal quantile of 1 - 0.05 / 6 / 2.
    assert (high - low) / 2 == pytest.approx(2.64 * standard_error, rel=0.06)


def test_people_are_resampled_where_they_are_known() -> None:
    """Ten people of seventy pictures each, all right or all wrong, count as ten."""
    alone = gaps_by_accuracy(answers("a", 630, 700), answers("b", 560, 700))
    people = gaps_by_accuracy(answers("a", 630, 700, 10), answers("b", 560, 700, 10))
    assert alone.facts["gap"] == people.facts["gap"]
    assert alone.facts["gap_interval"][0] > 0.03
    low, high = people.facts["gap_interval"]
    assert low < 0
    standard_error = (0.9 * 0.1 / 10 + 0.8 * 0.2 / 10) ** 0.5
    assert (high - low) / 2 == pytest.approx(1.96 * standard_error, rel=0.15)
    assert people.tables[0][0] == "accuracy, intervals over people"
    assert alone.tables[0][0] == "accuracy"
    shown = []
    for group, joyful in (("a", 9), ("b", 6)):
        for i in range(10):
            shown += [share(group, "joy" if i < joyful else "calm", f"{group}{i}")] * 70
    gaps = share_gaps(shown, "group", 50, None)
    assert gaps is not None
    low, high = gaps.facts["share_intervals"]["a"]["joy"]
    assert high - low > 0.2


def test_intervals_of_many_gaps_have_resamples_beyond_their_ends() -> None:
    assert resamples_for(1) == 10_000
    assert resamples_for(147) * 0.05 / 147 / 2 >= 5
    rng = np.random.default_rng(1)
    right = (rng.random((1, 300)) < 0.8).astype(float)
    found = {
        name: group_means(right, np.ones(300), np.arange(300), resamples_for(21), rng)
        for name in "ab"
    }
    assert not np.array_equal(found["a"].drawn, found["b"].drawn)
    widths = [np.ptp(gaps_of(found, 0, n)[0].interval) for n in (1, 6, 21)]
    assert all(wide > narrow for narrow, wide in pairwise(widths))


def unlabelled(tree: Path, groups: Path) -> list[object]:
    return ["--unlabelled", tree, "--groups", groups, "--workers", 1, "--least", 2]


def test_the_control_stays_whatever_is_looked_at(
    tree: Path, groups: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    asked = ["fairness", tiny_model(), *unlabelled(tree, groups), "--attribute", "race"]
    found = study(*asked, "--out", tmp_path / "usual")
    assert found["settings"]["control"] == "age"
    assert found["settings"]["attributes"] == ["race"]
    assert "at equal age" in found["verdict"][0]
    plain = study(*asked, "--control", "none", "--out", tmp_path / "plain")
    assert plain["settings"]["control"] is None
    assert "at equal" not in plain["verdict"][0]
    told = refused(*asked, "--control", "height")
    assert "--control height is none of this data's attributes: choose among race, age" in told
    write_groups(groups, tree, race="xxyy")
    lacking = study(*asked, "--out", tmp_path / "lacking")
    assert lacking["settings"]["control"] is None


def test_accuracies_are_not_standardized(
    tree: Path, groups: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    asked = [*on(tree), "--groups", groups, "--least", 2, "--control", "age"]
    found = study("fairness", tiny_model(), *asked, "--out", tmp_path / "out")
    assert found["settings"]["control"] is None


def test_an_attribute_called_as_a_column_of_answers_is_refused(
    tree: Path, groups: Path, tiny_model: TinyModel
) -> None:
    write_groups(groups, tree, race="xxyy", subject="xy")
    asked = ["fairness", tiny_model(), *unlabelled(tree, groups)]
    assert "attribute subject is called as a column" in refused(*asked)


def test_a_sample_of_unlabelled_faces(
    tree: Path, groups: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    chosen = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = tmp_path / name
        asked = [*unlabelled(tree, groups), "--images", 6, "--seed", seed, "--out", out]
        found = study("fairness", tiny_model(), *asked)
        (path,) = (out / "answers").glob("*.csv")
        chosen.append([row["image"] for row in read_group_answers(path)])
        assert (found["settings"]["images"], found["settings"]["seed"]) == (6, seed)
    assert chosen[0] == chosen[1] != chosen[2]
    assert len(set(chosen[0])) == 6


@pytest.mark.parametrize(
    ("option", "value"), [("data", "."), ("split", "train"), ("dataset", "folders")]
)
def test_options_of_labelled_data_are_refused_without_labels(
    option: str, value: str, tree: Path, groups: Path, tiny_model: TinyModel
) -> None:
    told = refused("fairness", tiny_model(), *unlabelled(tree, groups), f"--{option}", value)
    assert f"--{option} is of labelled data, which --unlabelled stands in place of" in told
