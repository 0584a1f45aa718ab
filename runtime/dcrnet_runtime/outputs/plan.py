"""Which outputs a run has, and what is said of them at its start."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.registry import OUTPUTS
from dcrnet_runtime.outputs.spec import FrameFacts, OutputSpec

if TYPE_CHECKING:
    from dcrnet_runtime.backends.model import Model


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """Any number of outputs at once.

    Attributes:
        specs: those that there are, wanted or not.
        facts: what they need to know of the frames.
        blur_faces: make faces unrecognisable in files and on the page.
        model: that answers; ``explain`` alone asks it.
    """

    specs: tuple[OutputSpec, ...] = ()
    facts: FrameFacts = field(default_factory=FrameFacts)
    blur_faces: bool = False
    model: Model | None = None

    @classmethod
    def of(
        cls,
        facts: FrameFacts | None = None,
        *,
        blur_faces: bool = False,
        model: Model | None = None,
        **options: Any,
    ) -> OutputPlan:
        """Every output with its own of the options, called as ``dcrnet-run`` calls them.

        >>> plan = OutputPlan.of(jsonl="faces.jsonl", serve="8080")

        Raises:
            TypeError: no output has such an option.
        """
        specs = []
        for spec in OUTPUTS:
            own = [each.name for each in fields(spec) if each.name in options]
            specs.append(spec(**{name: options.pop(name) for name in own}))
        if options:
            raise TypeError(f"no output has the options {', '.join(options)}")
        return cls(tuple(specs), facts or FrameFacts(), blur_faces, model)

    @property
    def wanted(self) -> list[OutputSpec]:
        """Those that are asked for; what people watch comes first."""
        asked = [spec for spec in self.specs if spec.is_wanted]
        is_taken = any(spec.standard_output and not spec.yields for spec in asked)
        wanted = [spec for spec in asked if not (spec.yields and is_taken)]
        return sorted(wanted, key=lambda spec: not spec.is_watched)

    @property
    def uses_standard_output(self) -> bool:
        """Whether an output's lines go there."""
        return any(spec.standard_output for spec in self.wanted)

    @property
    def needs_features(self) -> bool:
        """Whether the recognizer has to give faces' features."""
        return any(spec.needs_features for spec in self.wanted)

    def check(self) -> None:
        """Refuse what contradicts itself before anything is opened.

        Raises:
            DcrnetError: an address is none, outputs share a file, one would overwrite an input,
                or an option lacks the one that it belongs to.
        """
        for spec in self.specs:
            spec.check()
        if self.blur_faces and not any(spec.can_blur for spec in self.wanted):
            raise DcrnetError("`blur_faces` needs a picture to blur: `save` FILE or `serve` 8080")
        on_standard_output = [spec.standard_output for spec in self.wanted if spec.standard_output]
        if len(on_standard_output) > 1:
            first, second, *_ = on_standard_output
            raise DcrnetError(
                f"`{first}` and `{second}` both write to standard output: give one of them a file"
            )
        self._check_files()

    @property
    def kept(self) -> str:
        """What every output keeps, in words; empty where none does."""
        wanted = self._in_order()
        return "; ".join(filter(None, (spec.kept(self._faces) for spec in wanted)))

    @property
    def sent(self) -> str:
        """What every output sends, in words; empty where none does."""
        wanted = self._in_order()
        return "; ".join(filter(None, (spec.sent(self._faces) for spec in wanted)))

    def notice(self) -> str:
        """One line that says what is estimated, and what every output keeps or sends."""
        return (
            "Estimating facial expressions; no identity is computed. Kept:"
            f" {self.kept or 'nothing'}. Sent: {self.sent or 'nothing'}. Ctrl-C stops."
        )

    @property
    def _faces(self) -> str:
        return "faces blurred" if self.blur_faces else "faces recognisable"

    def _in_order(self) -> list[OutputSpec]:
        """Those that are asked for, in the order of the registry."""
        wanted = self.wanted
        return [spec for spec in self.specs if spec in wanted]

    def _check_files(self) -> None:
        taken = {path.resolve(): "the source" for path in self.facts.inputs}
        for spec in self.specs:
            for option, written in spec.files(self.facts):
                place = written.resolve()
                if place in taken:
                    raise DcrnetError(
                        f"`{option}` {written} would overwrite {taken[place]}: name another place"
                    )
                if written.is_file() or not written.exists():  # a device can be shared
                    taken[place] = f"what `{option}` writes"
