"""Figures of studies and bench reports on one page."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from bench_reports import emulated, latency, model, report
from edge.studies.commands import on, refused, study
from generated import TinyModel

from dcrnet_bench.meters.inference_energy import InferenceEnergy


def write_bench(path: Path, told: Any) -> Path:
    path.write_text(told.to_json())
    return path


def column(page: str, caption: str, heading: str) -> list[str]:
    """A column's cells in table.md, by the start of its heading."""
    rows = page.split(f"**{caption}**\n\n")[1].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    (place,) = [i for i, name in enumerate(cells[0]) if name.startswith(heading)]
    return [row[place] for row in cells[2:]]


def test_studies_and_bench_are_joined_by_the_file(
    tree: Path, tiny_model: TinyModel, tmp_path: Path
) -> None:
    path = tiny_model()
    judged = study("robustness", path, *on(tree), "--family", "blur", "--out", tmp_path / "r")
    seen = study("attention", path, *on(tree), "--out", tmp_path / "a")
    digest = sha256(path.read_bytes()).hexdigest()
    mine = model("renamed.onnx", sha256=digest, latency_ms=latency(4.0), accuracy=None)
    none = model("b.onnx", sha256="bb", energy=InferenceEnergy(reason="no meter"), accuracy=None)
    bench = write_bench(tmp_path / "bench.json", report(mine, none))
    out = tmp_path / "out"
    found = study("report", tmp_path / "r", tmp_path / "a", bench, "--out", out)
    facts = found["facts"]["models"]
    assert set(facts) == {path.name, "b.onnx"}  # not "renamed.onnx", which is the same file
    figures = {each["quantity"]: each for each in facts[path.name]["figures"]}
    losses = judged["facts"]["losses"][path.name]
    mean = sum(each["difference"] for each in losses.values()) / len(losses)
    assert figures["robustness"]["value"] == pytest.approx(mean)
    assert figures["accuracy"]["value"] == pytest.approx(judged["facts"]["accuracy"][path.name])
    bounds = [figures["accuracy"][bound] for bound in ("low", "high")]
    assert bounds == pytest.approx(judged["facts"]["accuracy_interval"][path.name])
    share = seen["facts"]["shares"][path.name]["occlusion"]["share"]
    assert figures["attention"]["value"] == pytest.approx(share)
    told = json.loads(bench.read_text())["models"][0]
    assert figures["latency_ms"]["value"] == pytest.approx(told["latency_ms"]["p90"])
    assert figures["energy_j"]["value"] == 0.2
    assert figures["energy_j"]["low"] == pytest.approx(0.19)
    page = (out / "table.md").read_text()
    assert column(page, "Costs", "net energy") == [
        "0.2000 J (0.1900 to 0.2100)",
        "not measured",
    ]
    assert "no meter" in page
    assert column(page, "Answers", "accuracy")[1] == "not given"
    assert column(page, "Answers", "groups") == ["not given"] * 2
    assert "groups of tiny.onnx, b.onnx" in found["verdict"][-1]
    assert (out / "report.html").read_text().count("<svg") == 1


def test_the_front_is_of_those_that_nobody_beats(tmp_path: Path) -> None:
    judged = model().accuracy
    assert judged is not None

    def one(name: str, ms: float, share: float) -> Any:
        told = replace(judged, accuracy=share, interval=(share - 0.02, share + 0.02))
        return model(f"{name}.onnx", sha256=name, latency_ms=latency(ms), accuracy=told)

    models = one("fast", 2, 0.80), one("slow", 8, 0.85), one("worse", 8.5, 0.84)
    bench = write_bench(tmp_path / "bench.json", report(*models, one("tied", 8, 0.79)))
    found = study("report", bench, "--out", tmp_path / "out")
    assert found["verdict"][0].endswith("may be as accurate as those before them: worse.onnx.")
    (front,) = found["facts"]["fronts"]
    assert front["not_dominated"] == ["fast.onnx", "slow.onnx"]
    assert front["accuracy"] == "ferplus test"
    assert front["latency"] == "AMD EPYC, 1 thread"


def test_a_figure_is_told_once_with_its_interval() -> None:
    from dcrnet_edge.studies.joining.figure import JoinedFigure, Quantity
    from dcrnet_edge.studies.kinds.report import _cell

    plain = JoinedFigure("aa", "m", Quantity.ACCURACY, "ferplus test", 0.85)
    bounded, other = replace(plain, low=0.84, high=0.86), replace(plain, value=0.83)
    assert _cell([plain, bounded, other]) == "85.00 % (84.0 to 86.0) / 83.00 %"
    assert _cell([plain, plain]) == "85.00 %"
    assert _cell([]) == "not given"


def test_an_emulated_time_is_no_latency(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "arm.json", emulated())
    found = study("report", bench, "--out", tmp_path / "out")
    assert found["facts"]["fronts"] == []
    page = (tmp_path / "out" / "table.md").read_text()
    assert column(page, "Costs", "p90 latency") == ["not measured: emulated"]


def data(digest: str = "a" * 64, **other: Any) -> dict[str, Any]:
    """A study's settings, of what it asked about."""
    told = {"dataset": "ferplus", "split": "test", "protocol": "official", "data_sha256": digest}
    return {**told, "models": {"m": "aa"}, **other}


def test_groups_are_joined_from_gaps() -> None:
    from dcrnet_edge.studies.joining.study_figures import JOINED

    settings = data("29bf0d80" * 8, dataset="unlabelled", labelled=False)
    # Who has no landmarks is none of the answers, however far groups differ in it.
    gaps = {"no landmarks": (0.3, [0.2, 0.4]), "joy": (0.02, [0.01, 0.03])}
    gaps["fear"] = (0.05, [0.0, 0.1])
    facts = {"m": {"race": {"gaps": {n: {"gap": g, "interval": i} for n, (g, i) in gaps.items()}}}}
    (found,) = JOINED["fairness"](settings, facts)
    assert (found.value, found.low, found.high, found.remark) == (0.05, 0.0, 0.1, "fear")
    widest = "widest gap of an answer's share by race"
    assert found.where == f"faces without labels 29bf0d80, {widest}"
    labelled = {"m": {"age": {"gap": 0.04, "gap_interval": [0.01, 0.07]}}}
    (found,) = JOINED["fairness"](data(labelled=True), labelled)
    assert (found.value, found.where) == (0.04, "ferplus test, gap of accuracy by age")


def accuracies(*studies: dict[str, Any]) -> list[str]:
    """What quantization's figures are of, by the settings of each study."""
    from dcrnet_edge.studies.joining.figure import told_apart
    from dcrnet_edge.studies.joining.study_figures import JOINED

    facts = {"metrics": {"int8": {"accuracy": 0.8, "accuracy_interval": None}}}
    forms = {"models": {"int8": ["m", "aa"]}, "size_px": None}
    found = [list(JOINED["quantization"]({**each, **forms}, facts)) for each in studies]
    return [figure.where for figure in told_apart([f for each in found for f in each])]


def test_figures_of_different_images_have_columns_of_their_own() -> None:
    some = data(images=200, seed=0)
    assert accuracies(some, data(images=200, seed=1), data()) == [
        "ferplus test, a sample of 200 (seed 0)",
        "ferplus test, a sample of 200 (seed 1)",
        "ferplus test",
    ]
    fold = data(dataset="ckplus", protocol="random fold 3 of 10, seed 0; 10% of Train")
    assert accuracies(fold) == ["ckplus test (random fold 3 of 10, seed 0)"]
    assert accuracies(data(), data("b" * 64), fold) == [
        "ferplus test, data aaaaaaaa",
        "ferplus test, data bbbbbbbb",
        "ckplus test (random fold 3 of 10, seed 0)",
    ]


def test_figures_of_other_corruptions_have_columns_of_their_own() -> None:
    from dcrnet_edge.studies.joining.figure import Quantity
    from dcrnet_edge.studies.joining.study_figures import JOINED
    from dcrnet_edge.studies.pictures.families import Family

    facts = {
        "accuracy": {"m": 0.8},
        "accuracy_interval": {"m": None},
        "losses": {"m": {"blur-1": {"difference": -0.1}}},
    }
    columns = []
    for families in (["blur", "mouth"], [*Family]):
        settings = data(strengths=dict.fromkeys(families, ()))
        columns += [
            f.where
            for f in JOINED["robustness"](settings, facts)
            if f.quantity is Quantity.ROBUSTNESS
        ]
    assert columns == ["ferplus test, mean of blur, mouth", "ferplus test, mean of all 13 kinds"]


def test_a_whole_data_set_is_no_test_split() -> None:
    from dcrnet_edge.studies.joining.study_figures import JOINED

    facts = {"m on ckplus": {"accuracy": 0.8, "accuracy_interval": None}}
    columns = []
    for part in ("test", "whole"):
        images = {"data_sha256": "aa", "protocol": "random fold 0 of 10, seed 0", "part": part}
        settings = {"models": {"m": {"sha256": "aa"}}, "datasets": {"ckplus": images}}
        columns += [figure.where for figure in JOINED["cross"](settings, facts)]
    assert columns == [
        "ckplus test (random fold 0 of 10, seed 0), shared labels",
        "ckplus whole, shared labels",
    ]


def test_older_files_of_figures_are_read(tmp_path: Path) -> None:
    from dcrnet_edge.studies.joining.figure import read_figures

    path = tmp_path / "figures.csv"
    header = "sha256,model,quantity,where,value,low,high,remark,source"
    path.write_text(f"{header}\naa,m,accuracy,ferplus test,0.8,,,,\n")
    (found,) = read_figures(path)
    assert (found.value, found.data, found.data_sha256) == (0.8, "", "")


def test_what_cannot_be_joined_is_refused(tmp_path: Path) -> None:
    assert "holds no study" in refused("report", tmp_path)
    file = tmp_path / "a.json"
    for text, told in (
        ("no", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "holds no JSON object"),
        ("{}", "is no report of dcrnet-bench"),
        ('{"host": {}, "schema": 1}', "of schema 2 (it says 1)"),
    ):
        file.write_text(text)
        assert told in refused("report", file)
    assert "cannot be read as JSON" in refused("report", tmp_path / "none.json")
    (tmp_path / "study.json").write_text('{"study": "significance", "settings": {}, "units": []}')
    assert "leave it out" in refused("report", tmp_path)
