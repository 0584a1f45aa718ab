"""The settings of a run: a preset, then a TOML file, then options, checked as one."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import tomli_w
from pydantic import TypeAdapter, ValidationError

from dcrnet_edge.data.augmentation import AugmentConfig
from dcrnet_edge.datasets.registry import adapter
from dcrnet_edge.datasets.splits import SplitPlan
from dcrnet_edge.models import registry
from dcrnet_edge.models.network import NetworkConfig
from dcrnet_edge.presets import Values
from dcrnet_edge.training.recipe import Recipe
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.preprocess.spec import PreprocessSpec

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that decides a run's result but the data, the first weights and the versions.

    Attributes:
        dataset: name of the data's adapter, see :mod:`dcrnet_edge.datasets.registry`.
        split: which part is for what.
        preprocess: the contract to train for.
        architecture: name of the network, see :mod:`dcrnet_edge.models.registry`.
        network: fields of its configuration, except the labels.
        recipe: the training itself.
        focus: strengths of the landmark focus to draw from, in place of the contract's one.
        range_sizes: input sides in px to record activation ranges for, besides those trained at.
    """

    dataset: str = "ferplus"
    split: SplitPlan = field(default_factory=SplitPlan)
    preprocess: PreprocessSpec = field(default_factory=PreprocessSpec)
    architecture: str = registry.DEFAULT
    network: Values = field(default_factory=dict)
    recipe: Recipe = field(default_factory=Recipe)
    focus: tuple[float, ...] = ()
    range_sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        adapter(self.dataset)
        entry = registry.architecture(self.architecture)
        sizes = (size_px for size_px, _ in self.recipe.progressive)
        mixed = self.recipe.mixed_sizes
        for size_px in (self.preprocess.size_px, *sizes, *mixed, *self.range_sizes):
            entry.check_size(size_px)

    @classmethod
    def of(cls, *layers: Values) -> RunConfig:
        """Lay settings over the defaults, later ones over earlier ones.

        Raises:
            DcrnetError: an unknown name, with the closest known one, or a bad value.
        """
        values: Values = {}
        for layer in layers:
            values = laid_over(values, _renamed(layer))
        _check_names(values, _tables(str(values.get("architecture", registry.DEFAULT))))
        contract = {**json.loads(PreprocessSpec().to_json()), **values.pop("preprocess", {})}
        spec = PreprocessSpec.from_json(json.dumps(contract))
        try:
            checked = TypeAdapter(cls).validate_python({**values, "preprocess": spec})
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            raise DcrnetError(f"setting {name}: {first['msg']}, not {first['input']!r}") from error
        checked.network_config(("a", "b"))
        return checked

    def network_config(self, labels: tuple[str, ...]) -> NetworkConfig:
        """The network for ``labels``.

        Raises:
            DcrnetError: a bad value.
        """
        try:
            entry = registry.architecture(self.architecture)
            return entry.configure({**self.network, "labels": labels})
        except ValidationError as error:
            first = error.errors()[0]
            raise DcrnetError(f"setting network: {first['msg']}") from error

    def to_values(self) -> Values:
        """Plain values, as TOML and JSON hold them; :meth:`of` reads them back."""
        values = asdict(self)
        values["split"] = {k: v for k, v in values["split"].items() if v is not None}
        plain: Values = json.loads(json.dumps(values))
        return plain

    def to_toml(self) -> str:
        """The settings as a file for ``dcrnet-train --config``."""
        return tomli_w.dumps(self.to_values())


def parse_assignment(assignment: str) -> Values:
    """``recipe.ema_decay=0.998`` as nested values; the right side is TOML, or else a string.

    Raises:
        DcrnetError: there is no ``=``.
    """
    name, equals, value = assignment.partition("=")
    if not equals or not name:
        raise DcrnetError(
            f"`assignment` {assignment}: write NAME=VALUE, such as recipe.ema_decay=0.998"
        )
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        parsed = value
    return nested(name.strip(), parsed)


def nested(name: str, value: Any) -> Values:
    """``{"a": {"b": value}}`` for ``a.b``."""
    for part in reversed(name.split(".")):
        value = {part: value}
    return dict(value)


def fitted(layers: Sequence[Values]) -> list[Values]:
    """Settings in layers, with sizes that grow over fewer epochs where a later layer has fewer.

    The share of each size stays; one that is left without an epoch is left out. Layers that
    contradict each other in themselves are left to :meth:`RunConfig.of` to refuse.
    """
    found = [layer.get("recipe") for layer in layers]
    recipes = [recipe if isinstance(recipe, Mapping) else {} for recipe in found]
    sized = [i for i, recipe in enumerate(recipes) if "progressive" in recipe]
    timed = [i for i, recipe in enumerate(recipes) if "epochs" in recipe]
    if not sized or not timed or timed[-1] <= sized[-1]:
        return [*layers]
    phases, epochs = recipes[sized[-1]]["progressive"], recipes[timed[-1]]["epochs"]
    planned = [recipes[i]["epochs"] for i in timed if i <= sized[-1]] or [Recipe().epochs]
    try:
        if sum(count for _, count in phases) < epochs:
            return [*layers]
        shares = [[size_px, count * epochs // planned[-1]] for size_px, count in phases]
    except (TypeError, ValueError, ZeroDivisionError):  # no such values
        return [*layers]
    return [*layers, nested("recipe.progressive", [share for share in shares if share[1] > 0])]


def contradiction(config: RunConfig, layer: Values) -> tuple[str, Any, Any] | None:
    """The first setting of a layer that is not as in a whole configuration, if there is one.

    Returns:
        its path, the configuration's value and the layer's.
    """
    values = config.to_values()
    for path, value in _leaves(_renamed(layer)):
        had: Any = values
        for part in path.split("."):
            had = had.get(part) if isinstance(had, Mapping) else None
        if had != value and RunConfig.of(values, nested(path, value)) != config:
            return path, had, value
    return None


def _leaves(values: Values, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(dict(value), f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


_RENAMED = {
    "recipe.least_scale": "recipe.min_bn_gamma",
    "recipe.balance": "recipe.oversampling_power",
    "recipe.weigh_and_balance": "recipe.weigh_and_oversample",
}
"""What settings were called once, and what they are called now."""


def old_names(values: Values) -> list[tuple[str, str]]:
    """The settings that go by an old name, each with the new one."""
    return [(old, new) for old, new in _RENAMED.items() if _has(values, old)]


def _has(values: Values, path: str) -> bool:
    table, _, name = path.partition(".")
    return isinstance(values.get(table), Mapping) and name in values[table]


def _renamed(values: Values) -> Values:
    for old, new in old_names(values):
        table, _, name = old.partition(".")
        rest = {key: value for key, value in values[table].items() if key != name}
        values = {**values, table: {new.partition(".")[2]: values[table][name], **rest}}
    return values


def laid_over(below: Values, above: Values) -> Values:
    """Settings of two layers as one, those of the upper one where both have them."""
    merged = dict(below)
    for name, value in above.items():
        is_table = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = laid_over(merged[name], dict(value)) if is_table else value
    return merged


Tables = dict[str, list[str]]
"""Path of a table of settings -> the names in it; the outermost table's path is empty."""


def _tables(architecture: str) -> Tables:
    kinds: dict[str, type[DataclassInstance]] = {
        "": RunConfig,
        "split": SplitPlan,
        "preprocess": PreprocessSpec,
        "recipe": Recipe,
        "recipe.augment": AugmentConfig,
    }
    tables = {path: [item.name for item in fields(kind)] for path, kind in kinds.items()}
    return {**tables, "network": registry.architecture(architecture).settings}


def _check_names(values: Values, tables: Tables, table: str = "") -> None:
    known = tables[table]
    for name, value in values.items():
        path = f"{table}.{name}".removeprefix(".")
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = (
                f"did you mean {path.removesuffix(name)}{close[0]}?"
                if close
                else f"known: {', '.join(known)}"
            )
            raise DcrnetError(f"setting {path} is unknown: {hint}")
        if path in tables:
            if not isinstance(value, Mapping):
                raise DcrnetError(f"setting {path} is a table: write [{path}] and its fields")
            _check_names(dict(value), tables, path)
