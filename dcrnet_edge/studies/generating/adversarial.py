"""Training of a generator, to be gone on with at any step, to the same bits."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from dcrnet_edge.studies.generating import networks
from dcrnet_edge.studies.generating.augmentation import augmented
from dcrnet_edge.studies.generating.networks import Discriminator, GeneratorConfig
from dcrnet_edge.studies.generating.pictures import Pictures
from dcrnet_edge.training.interruption import EndRequest, RunEndedError
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outfile import written_beside

_BETAS = (0.5, 0.999)
_CURVE_STEPS = 20
"""Steps a point of the curves."""


@dataclass(frozen=True, slots=True)
class GanRecipe:
    """How a generator is trained.

    Attributes:
        epochs: passes; one shows as many pictures as there are.
        batch_size: real pictures a step, and as many generated ones.
        generator_rate: Adam's learning rate.
        discriminator_rate: its own, higher one: spectral norms slow it down.
        balance: a label of n pictures is drawn n ** (1 - balance) times as often.
        ema_decay: of the average of the generator's weights, which is what is kept.
        seed: of first weights, noise, order and augmentation.
    """

    epochs: int = 30
    batch_size: int = 32
    generator_rate: float = 2e-4
    discriminator_rate: float = 4e-4
    balance: float = 0.5
    ema_decay: float = 0.998
    seed: int = 0


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Mean losses of the steps since the point before.

    Attributes:
        step: the last of them.
        discriminator: hinge loss; 2 where it tells nothing apart, 0 where it tells all.
        generator: less the mean score of generated pictures.
    """

    step: int
    discriminator: float
    generator: float


class AdversarialTraining:
    """Generator against discriminator by the hinge loss (Lim and Ye 2017).

    All that a step draws follows from the seed and its number, so that weights and optimisers are
    the whole state.

    Args:
        config: of the generator.
        recipe: how.
        pictures: real ones.
        state: file of the resume point.

    Attributes:
        step: steps that are done.
        curve: of the losses.
    """

    def __init__(
        self, config: GeneratorConfig, recipe: GanRecipe, pictures: Pictures, state: Path
    ) -> None:
        self._recipe = recipe
        self._real = torch.from_numpy(pictures.grey)[:, None].float() / 127.5 - 1
        self._labels = torch.from_numpy(pictures.labels)
        self._chances = _chances(pictures.labels, recipe.balance)
        self._state = state
        self.steps = recipe.epochs * max(1, len(pictures.labels) // recipe.batch_size)
        self.step = 0
        self.curve: list[CurvePoint] = []
        self._open: list[tuple[float, float]] = []
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self._generator = networks.Generator(config)
            self._discriminator = Discriminator(config)
        self._average = AveragedModel(
            self._generator, avg_fn=_averaging(recipe.ema_decay), use_buffers=True
        )
        self._of_generator = torch.optim.Adam(
            self._generator.parameters(), recipe.generator_rate, _BETAS
        )
        self._of_discriminator = torch.optim.Adam(
            self._discriminator.parameters(), recipe.discriminator_rate, _BETAS
        )

    def train(
        self,
        minutes: float,
        progress: Callable[[int, int], None],
        say: Callable[[str], None],
    ) -> networks.Generator:
        """Go on from the resume point, if there is one, to the end.

        Args:
            minutes: between resume points.
            progress: is called with the steps that are done and all.
            say: is called with a line at each resume point.

        Returns:
            the average of the generators, in eval mode.

        Raises:
            DcrnetError: the losses are no numbers any more, the resume point is damaged or another
                training's, or a signal has ended the run, behind a step and with a resume point.
        """
        if self._state.exists():
            self._load()
            say(f"Going on behind step {self.step} of {self.steps}.")
        written, begun, first = time.monotonic(), time.monotonic(), self.step
        progress(self.step, self.steps)
        request = EndRequest()
        with request.listening():
            while self.step < self.steps:
                self._take_step()
                progress(self.step, self.steps)
                if request.by or time.monotonic() - written >= 60 * minutes:
                    self._save()
                    written = time.monotonic()
                    left_s = (written - begun) / (self.step - first) * (self.steps - self.step)
                    say(f"Step {self.step} of {self.steps}; {left_s / 60:.0f} min left.")
                if request.by:
                    raise RunEndedError(
                        request.by,
                        "the same command goes on",
                        f" behind step {self.step}, which {self._state} holds",
                    )
        self._save()
        average = self._average.module
        assert isinstance(average, networks.Generator)
        return average.eval()

    def _take_step(self) -> None:
        numbers = np.random.default_rng((self._recipe.seed, self.step))
        source = torch.Generator().manual_seed(int(numbers.integers(2**62)))
        count = self._recipe.batch_size
        chosen = torch.from_numpy(numbers.choice(len(self._chances), count, p=self._chances))
        real, labels = self._real[chosen], self._labels[chosen]
        flipped = torch.from_numpy(numbers.random(count) < 0.5)
        real = torch.where(flipped[:, None, None, None], real.flip(3), real)
        self._generator.train()
        with torch.no_grad():
            fake = self._generator(self._noise(count, source), labels)
        shown = augmented(torch.cat([real, fake]), source)
        for_real, for_fake = self._discriminator(shown, labels.repeat(2)).chunk(2)
        discriminating = (
            functional.relu(1 - for_real).mean() + functional.relu(1 + for_fake).mean()
        )
        _descend(self._of_discriminator, discriminating)
        self._discriminator.requires_grad_(False)
        made = self._generator(self._noise(count, source), labels)
        generating = -self._discriminator(augmented(made, source), labels).mean()
        _descend(self._of_generator, generating)
        self._discriminator.requires_grad_(True)
        self._average.update_parameters(self._generator)
        self.step += 1
        self._note(discriminating.item(), generating.item())

    def _noise(self, count: int, source: torch.Generator) -> Tensor:
        return torch.randn(count, self._generator.config.noise, generator=source)

    def _note(self, discriminating: float, generating: float) -> None:
        if not np.isfinite([discriminating, generating]).all():
            raise DcrnetError(
                f"the losses are no numbers any more at step {self.step}: start in another `out`"
                " with a lower `learning_rate`"
            )
        self._open.append((discriminating, generating))
        if self.step % _CURVE_STEPS == 0 or self.step == self.steps:
            mean = np.mean(self._open, axis=0)
            self.curve.append(CurvePoint(self.step, float(mean[0]), float(mean[1])))
            self._open = []

    def _parts(self) -> dict[str, Any]:
        return {
            "generator": self._generator,
            "discriminator": self._discriminator,
            "average": self._average,
            "of_generator": self._of_generator,
            "of_discriminator": self._of_discriminator,
        }

    def _save(self) -> None:
        state = {name: part.state_dict() for name, part in self._parts().items()}
        state["curve"] = [(p.step, p.discriminator, p.generator) for p in self.curve]
        state |= {"step": self.step, "open": self._open}
        buffer = io.BytesIO()
        torch.save(state, buffer)
        with written_beside(self._state) as beside:
            beside.write_bytes(buffer.getbuffer())

    def _load(self) -> None:
        try:
            state = torch.load(self._state, weights_only=True)
            for name, part in self._parts().items():
                part.load_state_dict(state[name])
            self.step, self._open = state["step"], state["open"]
            self.curve = [CurvePoint(*point) for point in state["curve"]]
        except Exception as error:  # torch raises whatever the damage leads to
            raise DcrnetError(
                f"{self._state} cannot be read ({type(error).__name__}): remove it to begin anew"
            ) from error


def _chances(labels: NDArray[np.int64], balance: float) -> NDArray[np.float64]:
    weights = np.bincount(labels)[labels].astype(np.float64) ** -balance
    chances: NDArray[np.float64] = weights / weights.sum()
    return chances


def _averaging(decay: float) -> Callable[[Tensor, Tensor, Any], Tensor]:
    """An exponential average that follows at once at first, when there is nothing to average."""

    def averaged(average: Tensor, new: Tensor, done: Any) -> Tensor:
        kept = min(decay, (1 + int(done)) / (10 + int(done)))
        return average + (1 - kept) * (new - average)

    return averaged


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
