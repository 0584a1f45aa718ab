"""RAF-DB, basic expressions: faces from the internet (Li et al., CVPR 2017)."""

from __future__ import annotations

from pathlib import Path

from dcrnet_edge.datasets.collection import Collection, layout_error
from dcrnet_edge.datasets.registry import DatasetAdapter
from dcrnet_edge.datasets.sample import EXPRESSIONS, Sample, Split, one_hot
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.video.images import IMAGE_SUFFIXES

Groups = tuple[tuple[str, str], ...]

_CODES = {
    **{"1": "surprise", "2": "fear", "3": "disgust", "4": "happiness"},
    **{"5": "sadness", "6": "anger", "7": "neutral"},
}
_LISTS = ("list_patition_label.txt", "list_partition_label.txt")  # the first is their spelling
_ATTRIBUTES = ("gender", "race", "age")
"""The lines behind five landmarks in the data set's own annotation of an image, as codes."""
_VALUES = {
    "gender": ("male", "female", ""),  # the last one is unsure
    "race": ("Caucasian", "African-American", "Asian"),
    "age": ("0-3", "4-19", "20-39", "40-69", "70+"),
}
_SPLITS = {"train": Split.TRAIN, "test": Split.TEST}


def read_rafdb(root: Path) -> Collection:
    """The aligned images with their official split, and who is shown where the data set says so.

    Args:
        root: folder with ``EmoLabel/list_patition_label.txt`` and ``Image/aligned`` (or with
            ``basic`` around them), and with ``Annotation/manual`` where attributes are wanted; or
            with ``train/1`` to ``train/7`` and ``test/1`` to ``test/7`` (or with ``DATASET``
            around them).

    Raises:
        DcrnetError: the folder has another layout, or an annotation cannot be read.
    """
    for inner in ("basic", "DATASET"):
        root = root / inner if (root / inner).is_dir() else root
    collection = Collection("rafdb", EXPRESSIONS, [], [])
    label_list = next(
        (root / "EmoLabel" / name for name in _LISTS if (root / "EmoLabel" / name).is_file()), None
    )
    if label_list is not None:
        for line in label_list.read_text(encoding="utf-8-sig").splitlines():
            if line.strip():
                _add_listed(collection, root, line, label_list)
    else:
        for split_name in _SPLITS:
            for code in _CODES:
                for path in sorted((root / split_name / code).glob("*")):
                    if path.suffix.lower() in IMAGE_SUFFIXES:
                        _add(collection, path, code, split_name)
    if not collection.samples:
        raise layout_error(
            root,
            "EmoLabel/list_patition_label.txt and Image/aligned, or train/1..7 and test/1..7"
            " (`dataset` rafdb)",
        )
    return collection


def _add_listed(collection: Collection, root: Path, line: str, label_list: Path) -> None:
    parts = line.split()
    split_name = parts[0].split("_")[0]
    if len(parts) != 2 or parts[1] not in _CODES or split_name not in _SPLITS:
        raise DcrnetError(
            f"{label_list} has the line {line!r}; expected one such as 'train_00001.jpg 5'"
        )
    stem = parts[0].removesuffix(".jpg")
    path = root / "Image" / "aligned" / f"{stem}_aligned.jpg"
    annotation = root / "Annotation" / "manual" / f"{stem}_manu_attri.txt"
    _add(collection, path, parts[1], split_name, _groups(annotation))


def _groups(annotation: Path) -> Groups:
    """Gender, race and age as the data set's own annotators saw them; none without their file."""
    if not annotation.is_file():
        return ()
    codes = annotation.read_text().split()[-len(_ATTRIBUTES) :]
    try:
        values = [
            (name, _VALUES[name][int(code)]) for name, code in zip(_ATTRIBUTES, codes, strict=True)
        ]
    except (ValueError, IndexError) as error:
        raise DcrnetError(
            f"{annotation} does not end with the codes of {', '.join(_ATTRIBUTES)}: unpack"
            " RAF-DB's Annotation/manual again, or leave that folder out"
        ) from error
    return tuple((name, value) for name, value in values if value)


def _add(
    collection: Collection, path: Path, code: str, split_name: str, groups: Groups = ()
) -> None:
    label = EXPRESSIONS.index(_CODES[code])
    target = one_hot(label, len(EXPRESSIONS))
    collection.samples.append(Sample(path, label, target, groups=groups))
    collection.official.append(_SPLITS[split_name])


ADAPTER = DatasetAdapter(
    "rafdb",
    read_rafdb,
    license="Trained on RAF-DB, which is licensed for non-commercial research alone.",
    preset="affectnet",
)
