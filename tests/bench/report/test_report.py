"""The JSON object, whose keys scripts rely on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from bench_reports import emulated, report
from docs.pages import ROOT

from dcrnet_bench.report.files import check_writable, read, write
from dcrnet_bench.report.report import Report
from dcrnet_runtime.errors import DcrnetError

SCHEMA = json.loads((ROOT / "docs" / "bench-schema.json").read_text())


def valid(document: Any) -> bool:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(document))


@pytest.mark.parametrize("made", [report(), emulated()], ids=["real", "emulated"])
def test_what_is_written_is_of_the_schema_and_is_read_again(made: Report) -> None:
    assert valid(json.loads(made.to_json()))
    assert Report.from_json(made.to_json()) == made


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["schema"], 1),
        (["emulated"], None),
        (["models", 0, "latency_ms", "p90"], None),
        (["models", 0, "energy", "gross_j"], "0.1"),
        (["models", 0, "instructions", "by_kind"], {"dot": 1.5}),
        (["run", "protocol"], "slow"),
        (["run", "finder"], "the cascade"),
    ],
)
def test_another_document_is_not(path: list[str | int], value: object) -> None:
    document = json.loads(report().to_json())
    inner: Any = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert not valid(document)


def test_values_stand_under_their_keys() -> None:
    document = json.loads(report().to_json())
    assert list(document)[:3] == ["schema", "version", "emulated"]
    assert (document["schema"], document["emulated"]) == (2, False)
    model = document["models"][0]
    assert (model["macs"], model["flops"]) == (909, 2 * 909)
    assert model["latency_ms"]["median"] == pytest.approx(4.1, abs=0.01)
    assert len(model["latency_ms"]["repeats"]) == 3
    assert (model["energy"]["gross_j"], model["energy"]["net_j"]) == (0.5, 0.2)
    assert document["stages"][0]["stage"] == "find faces"


def test_an_emulated_processor_has_no_times() -> None:
    document = json.loads(emulated().to_json())
    assert document["emulated"] is True
    model = document["models"][0]
    assert (model["latency_ms"], model["cold"], model["energy"]["gross_j"]) == (None, None, None)
    assert model["instructions"]["total"] == 1000


def test_a_file_holds_one_line_and_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write(report(), path)
    assert path.read_text() == report().to_json() + "\n"
    assert [each.name for each in tmp_path.iterdir()] == ["report.json"]
    path.write_text("a table\n" + path.read_text())
    assert read(path) == report()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("no JSON", "Expecting value"),
        ("[]", "it has no `schema`"),
        ("[" * 100_000, "it is nested without an end"),
        ('{"schema": 1}', "its schema is 1, this version's 2"),
        ('{"schema": 2}', "host is missing"),
        (report().to_json().replace('"cores": 2', '"cores": "2"'), "host.cores cannot be '2'"),
        (report().to_json().replace('"n": 2100', '"n": null'), "models.0.latency_ms.n cannot be"),
    ],
)
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(DcrnetError) as caught:
        read(path)
    assert f"{path} is no report of dcrnet-bench ({reason}" in str(caught.value)


def test_a_place_that_cannot_be_written_is_named_by_its_parameter(tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match=r"^`json_file` .* name a file in a writable folder$"):
        check_writable(tmp_path)
