"""Training of a generator: resumption to the same bits, order, and what stops it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from dcrnet_edge.studies.generating.adversarial import AdversarialTraining, GanRecipe
from dcrnet_edge.studies.generating.networks import SIDE, Generator, GeneratorConfig, drawn
from dcrnet_edge.studies.generating.pictures import Pictures
from dcrnet_edge.training.interruption import RunEndedError
from dcrnet_runtime.errors import DcrnetError

CONFIG = GeneratorConfig(("joy", "fear"), width=4, noise=8)
RECIPE = GanRecipe(epochs=4, batch_size=4, seed=5)  # 12 steps


def pictures() -> Pictures:
    """Joy is bright above, fear below."""
    labels = np.array([0] * 9 + [1] * 3)
    grey = np.random.default_rng(0).integers(0, 60, (12, SIDE, SIDE))
    grey[:9, : SIDE // 2] += 180
    grey[9:, SIDE // 2 :] += 180
    return Pictures(grey.astype(np.uint8), labels)


def training(folder: Path, recipe: GanRecipe = RECIPE) -> AdversarialTraining:
    return AdversarialTraining(CONFIG, recipe, pictures(), folder / "resume.pt")


def nothing(*_: object) -> None:
    pass


def trained(
    one: AdversarialTraining, progress: Callable[[int, int], None] = nothing, minutes: float = 0
) -> Generator:
    return one.train(minutes, progress, nothing)


def weights(generator: Generator) -> list[torch.Tensor]:
    return list(generator.state_dict().values())


def are_same(first: Generator, second: Generator) -> bool:
    pairs = zip(weights(first), weights(second), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_a_killed_training_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    through = training(tmp_path / "through")
    whole = trained(through)
    cut = tmp_path / "cut"

    class KilledError(Exception):
        """In the place of SIGKILL: nothing but the file is left."""

    def die(step: int, steps: int) -> None:
        assert steps == 12
        if step == 7:
            raise KilledError

    with pytest.raises(KilledError):
        trained(training(cut), die)
    left = torch.load(cut / "resume.pt", weights_only=True)
    assert left["step"] == 6
    resumed = training(cut)
    steps: list[int] = []
    assert are_same(trained(resumed, lambda step, _: steps.append(step)), whole)
    assert steps == list(range(6, 13))
    assert resumed.curve == through.curve


def test_a_signal_ends_it_behind_a_step_with_a_resume_point(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def tell(step: int, _: int) -> None:
        if step == 5:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(RunEndedError, match=r"behind step 5.*the same command goes on") as told:
        trained(training(tmp_path), tell, minutes=60)
    assert told.value.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    assert are_same(trained(training(tmp_path)), trained(training(tmp_path / "through")))


def test_the_seed_decides(tmp_path: Path) -> None:
    torch.manual_seed(1)
    first = trained(training(tmp_path / "a"))
    torch.manual_seed(2)
    assert are_same(first, trained(training(tmp_path / "b")))
    assert not are_same(first, trained(training(tmp_path / "c", GanRecipe(4, 4, seed=6))))


def test_it_learns_what_tells_the_labels_apart(tmp_path: Path) -> None:
    recipe = GanRecipe(250, 8, generator_rate=1e-3, discriminator_rate=2e-3, ema_decay=0.9)
    config = GeneratorConfig(("joy", "fear"), width=8, noise=8)
    generator = trained(
        AdversarialTraining(config, recipe, pictures(), tmp_path / "r"), minutes=60
    )
    faces = drawn(generator, torch.tensor([0] * 8 + [1] * 8), seed=0).float()
    upper, lower = (half.mean(dim=(1, 2)) for half in faces.chunk(2, dim=1))
    assert (upper - lower)[:8].mean() > 20
    assert (lower - upper)[8:].mean() > 20


def test_a_damaged_resume_point_is_told(tmp_path: Path) -> None:
    (tmp_path / "resume.pt").write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(DcrnetError, match=r"resume\.pt cannot be read .*remove it to begin anew"):
        trained(training(tmp_path))


def test_losses_that_are_no_numbers_end_it(tmp_path: Path) -> None:
    one = training(tmp_path, GanRecipe(4, 4, generator_rate=float("inf")))
    with pytest.raises(DcrnetError, match="no numbers any more at step 2"):
        trained(one)
