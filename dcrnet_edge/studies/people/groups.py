"""Who is shown: attributes of images from given metadata, never guessed."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError

IMAGE_COLUMNS = ("image", "file")
USUAL_CONTROL = "age"
NO_CONTROL = "none"
"""Asks for shares as they are."""
_MOST_VALUES = 20
_COLUMNS = ("image", "subject", "aligned", "label", "predicted")
"""What a row of answers has beside attributes, and probabilities."""


def read_groups(path: Path) -> dict[str, dict[str, str]]:
    """Attributes by image, from a CSV file whose column ``image`` or ``file`` names images.

    Columns of one value alone, or of more than 20, tell no groups apart and are left out.

    Raises:
        DcrnetError: the file cannot be read, or has no such column, a row too long for its
            columns, or no attribute.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DcrnetError(f"groups file {path} cannot be read ({error})") from error
    if any(None in row for row in rows):  # where csv puts what is behind the last column
        raise DcrnetError(f"{path} has a row of more cells than columns: write it again")
    columns = list(rows[0]) if rows else []
    key = next((name for name in IMAGE_COLUMNS if name in columns), None)
    if key is None:
        raise DcrnetError(f"{path} has no column `image` or `file`: name the images in one")
    attributes = [
        name
        for name in columns
        if name != key and 1 < len({row[name] for row in rows}) <= _MOST_VALUES
    ]
    if not attributes:
        raise DcrnetError(f"{path} has no column that tells groups apart: give one attribute more")
    return {row[key]: {name: row[name] or "" for name in attributes} for row in rows}


def large_groups(values: Sequence[str], least: int) -> list[str]:
    """Values that occur at least so often, 3-9 before 10-19; empty ones are no group."""
    counts = Counter(values)
    large = (value for value, count in counts.items() if value and count >= least)
    return sorted(large, key=_by_number)


def _by_number(value: str) -> tuple[bool, int, str]:
    number = re.match(r"\d+", value)
    return (number is None, int(number[0]) if number else 0, value)


def by_attribute(people: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """Of each attribute its value of each image; empty where it is not known."""
    names = dict.fromkeys(name for person in people for name in person)
    return {name: [person.get(name, "") for person in people] for name in names}


def chosen_attributes(
    attributes: Mapping[str, list[str]], names: Sequence[str]
) -> dict[str, list[str]]:
    """Those of the names; all where none is given.

    Raises:
        DcrnetError: there is none of a name, or it is that of another column of the answers.
    """
    if unknown := [name for name in names if name not in attributes]:
        raise DcrnetError(
            f"`attribute` {unknown[0]} is none of this data's: choose among"
            f" {', '.join(attributes) or 'none, since there are none'}"
        )
    chosen = {name: attributes[name] for name in names or attributes}
    if taken := [name for name in chosen if name in _COLUMNS or name.startswith("p_")]:
        raise DcrnetError(
            f"the attribute {taken[0]} is called as a column of the answers is: give it another"
            " name, or name others with `attribute`"
        )
    return chosen


def control_of(attributes: Mapping[str, list[str]], name: str | None) -> str | None:
    """The attribute whose mixture groups are brought to; None where there is none.

    Args:
        attributes: all that are known, whichever are looked at.
        name: that was asked for; None for the usual one, which data may lack.

    Raises:
        DcrnetError: there is none of that name.
    """
    if name is None:
        return USUAL_CONTROL if USUAL_CONTROL in attributes else None
    if name == NO_CONTROL:
        return None
    if name not in attributes:
        raise DcrnetError(
            f"`control` {name} is none of this data's attributes: choose among"
            f" {', '.join([*attributes, NO_CONTROL])}"
        )
    chosen_attributes(attributes, [name])
    return name


def check_groups(attributes: Mapping[str, Sequence[str]], least: int) -> None:
    """Refuse data in which no attribute has two groups that are large enough.

    Raises:
        DcrnetError: there is none.
    """
    if not any(len(large_groups(values, least)) > 1 for values in attributes.values()):
        raise DcrnetError(
            f"no attribute ({', '.join(attributes) or 'none given'}) has two groups of {least}"
            " images or more: give `groups` with more of them, or lower `least`"
        )
