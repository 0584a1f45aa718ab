"""Whether a model learned from what a study asks it about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dcrnet_runtime.errors import DcrnetError

if TYPE_CHECKING:
    from dcrnet_edge.datasets.sample import FaceDataset
    from dcrnet_edge.datasets.splits import SplitPlan
    from dcrnet_edge.evaluation.model_refs import Images, ModelRef
    from dcrnet_runtime.backends.card import ModelCard

_FOLDERS = "folders"
"""The layout that anyone's pictures have: two data sets of it may have nothing in common."""
_OFFICIAL = "official"
LEARNED_BY = "learned_by"
"""A study's setting: models that are asked about their own training images."""
_NO_CHOICE = "leave out `protocol`, `fold`, `folds` and `split_seed`"


def card_of(ref: ModelRef) -> ModelCard:
    """What a checkpoint or an exported model says of itself.

    Raises:
        DcrnetError: the file cannot be read.
    """
    from dcrnet_edge.evaluation.answers import CHECKPOINT_SUFFIX
    from dcrnet_edge.models.checkpoint import load_checkpoint
    from dcrnet_runtime.backends.loading import load_model

    is_checkpoint = ref.path.suffix == CHECKPOINT_SUFFIX
    return (load_checkpoint(ref.path) if is_checkpoint else load_model(ref.path)).card


def trainings(provenance: Any) -> Iterator[Mapping[str, Any]]:
    """A model's training, and those of the checkpoints that it began with.

    Args:
        provenance: of its card.
    """
    while isinstance(provenance, Mapping):
        yield provenance
        start = provenance.get("start")
        provenance = start.get("provenance") if isinstance(start, Mapping) else None


def trained_on(ref: ModelRef, dataset: FaceDataset) -> list[Mapping[str, Any]]:
    """The model's trainings on that data set, however it was split."""
    return [each for each in trainings(card_of(ref).provenance) if _is_on(each, dataset)]


def _is_on(trained: Mapping[str, Any], dataset: FaceDataset) -> bool:
    if trained.get("dataset") != dataset.name:
        return False
    if dataset.name != _FOLDERS:
        return True
    # No hash is the same for two splits of the same images; their number is.
    counts, repeats = trained.get("images"), trained.get("repeats_dropped", 0)
    known = [*counts.values(), repeats] if isinstance(counts, Mapping) else []
    is_told = bool(known) and all(isinstance(count, int) for count in known)
    return is_told and sum(known) == len(dataset.images)


def plan_of(trained: Mapping[str, Any]) -> SplitPlan | None:
    """How a training split its data; None where its card does not say so."""
    from pydantic import TypeAdapter, ValidationError

    from dcrnet_edge.datasets.splits import SplitPlan

    config = trained.get("config")
    split = config.get("split") if isinstance(config, Mapping) else None
    try:
        return None if split is None else TypeAdapter(SplitPlan).validate_python(split)
    except (ValidationError, DcrnetError):
        return None


def check_split(
    refs: Mapping[str, ModelRef], images: Images, remedy: str | None = None
) -> list[str]:
    """Refuse a model that learned from another split of these images: it may know them.

    What a model's card does not say is no fault of it.

    Args:
        refs: the models, by name.
        images: what they are to be asked about.
        remedy: what else can be done; by default to open the data by the model's split.

    Returns:
        Names of the models whose own training images these are.

    Raises:
        DcrnetError: a model was trained on another split.
    """
    from dcrnet_edge.datasets.sample import Split

    dataset, learned = images.data.dataset, []
    for name, ref in refs.items():
        for trained in trained_on(ref, dataset):
            if not _is_split_alike(trained, images):
                raise DcrnetError(_other_split(name, trained, images, remedy))
            if images.split is Split.TRAIN and name not in learned:
                learned.append(name)
    return learned


def own_training(settings: Mapping[str, Any]) -> list[str]:
    """The sentence about models that are asked about what they learned from, for a verdict.

    Args:
        settings: of the study, with :data:`LEARNED_BY` where there are such models.
    """
    if not (models := settings.get(LEARNED_BY)):
        return []
    return [
        f"These are the training images of {', '.join(models)}: accuracy on them says nothing of"
        " faces that were not learned."
    ]


def _is_split_alike(trained: Mapping[str, Any], images: Images) -> bool:
    """Whether the training's Test is the Test here, and so on; true where the card is silent."""
    dataset, protocol = images.data.dataset, trained.get("protocol")
    if not isinstance(protocol, str):
        return True
    if _split_name(protocol, images) != _split_name(dataset.protocol, images):
        return False
    # Only a split by chance depends on the images; what is cut for Valid is no matter of Test.
    if protocol != dataset.protocol or _split_name(protocol, images) == _OFFICIAL:
        return True
    digest = trained.get("data_sha256")
    return digest == dataset.digest or not isinstance(digest, str)


def _split_name(protocol: str, images: Images) -> str:
    """What decides who is in the part that is asked about."""
    name = protocol.removeprefix("paper: ") if _OFFICIAL in protocol else protocol
    return name.partition(";")[0] if images.split.value == "test" else name


def _other_split(name: str, trained: Mapping[str, Any], images: Images, remedy: str | None) -> str:
    dataset, protocol = images.data.dataset, trained["protocol"]
    if protocol == dataset.protocol:
        return (
            f"{name} was trained on other images of {dataset.name}, split by the same rule"
            f" ({protocol}), so that some of these may be its training images: name the folder"
            " that it was trained on, or another model"
        )
    if protocol.partition(";")[0] == dataset.protocol.partition(";")[0]:
        remedy = "ask about `split` test"  # which is the same one, whatever was cut for Valid
    return (
        f"{name} was trained on another split of {dataset.name} ({protocol}; here"
        f" {dataset.protocol}), so that some of these may be its training images:"
        f" {remedy or _as_trained(trained)}, or name another model"
    )


def _as_trained(trained: Mapping[str, Any]) -> str:
    """The options that open a training's split."""
    from dcrnet_edge.datasets.splits import SplitPlan

    plan, usual = plan_of(trained), SplitPlan()
    if plan is None:
        return "open the data by that split"
    words = [] if plan.kind is None else [f"`protocol` {plan.kind}"]
    for option, value, default in (
        ("`fold`", plan.fold, usual.fold),
        ("`folds`", plan.folds, usual.folds),
        ("`split_seed`", plan.seed, usual.seed),
    ):
        words += [f"{option} {value}"] if value != default else []
    return f"give {' '.join(words)}" if words else _NO_CHOICE
