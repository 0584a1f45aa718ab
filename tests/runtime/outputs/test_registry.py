"""An output is one entry: this one is added here, with an option of its own on the command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import pytest
import typer
from generated import FixedDetector, TinyModel, synthetic_face, synthetic_frame
from observed import observation, tracked
from typer.testing import CliRunner

from dcrnet_runtime.cli import run as cli
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.observation import Observation
from dcrnet_runtime.outputs import (
    FrameFacts,
    OutputContext,
    OutputPlan,
    OutputSpec,
    open_publisher,
    registry,
)
from dcrnet_runtime.outputs.output import Output
from dcrnet_runtime.outputs.worker import queued


class Tally:
    """Writes how many faces there were."""

    name = "tally"
    takes_pixels = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._faces = 0

    def write(self, observation: Observation, unix_s: float) -> None:
        self._faces += len(observation.faces)

    def close(self, *, is_whole: bool) -> None:
        self._path.write_text(str(self._faces))


@dataclass(frozen=True, slots=True)
class TallySpec(OutputSpec):
    tally: Annotated[
        Path | None, typer.Option(help="How many faces.", rich_help_panel="Output")
    ] = None

    @property
    def is_wanted(self) -> bool:
        return self.tally is not None

    def files(self, facts: FrameFacts) -> list[tuple[str, Path]]:
        return [] if self.tally is None else [("tally", self.tally)]

    def kept(self, faces: str) -> str:
        return f"tally {self.tally}"

    def open(self, context: OutputContext) -> Output:
        assert self.tally is not None
        return queued(Tally(self.tally), context, depth=8)


@pytest.fixture(autouse=True)
def tally() -> Iterator[None]:
    registry.register(TallySpec)
    yield
    registry.OUTPUTS.remove(TallySpec)


def test_it_is_opened_with_the_others(tmp_path: Path) -> None:
    publisher = open_publisher(OutputPlan.of(jsonl=None, tally=tmp_path / "tally"))
    publisher.publish(observation(0, tracked(1), tracked(2)))
    publisher.close()
    assert (tmp_path / "tally").read_text() == "2"


def test_what_holds_for_all_holds_for_it(tmp_path: Path) -> None:
    place = tmp_path / "same"
    with pytest.raises(DcrnetError, match=r"`tally` .* would overwrite what `csv` writes"):
        open_publisher(OutputPlan.of(jsonl=None, csv=place, tally=place))


def test_the_command_has_its_option(
    tiny_model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = FixedDetector(synthetic_face())
    monkeypatch.setattr(
        "dcrnet_runtime.detectors.detector.open_detector", lambda *_, **__: detector
    )
    photo, place = tmp_path / "photo.png", tmp_path / "tally"
    cv2.imwrite(str(photo), synthetic_frame())
    options = ["--source", photo, "--model", tiny_model(), "--tally", place]
    result = CliRunner().invoke(cli.build_app(), list(map(str, options)))
    assert result.exit_code == 0, result.output
    assert place.read_text() == "1"
    assert f"Kept: tally {place}." in result.stderr
    assert "--tally" in CliRunner().invoke(cli.build_app(), ["--help"]).output
