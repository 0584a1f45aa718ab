"""How many faces showed what, by source; and which of them are worth a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcrnet_runtime.recognizer import UNCERTAIN

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"


def expression_counts(answers: pd.DataFrame) -> pd.DataFrame:
    """Faces by source (rows, most faces first) and expression (columns), int64.

    The last columns are :data:`UNCERTAIN`, where there are any such faces, and :data:`ALL`.

    Args:
        answers: as :func:`dcrnet_runtime.answers.reading.read_answers` gives them.
    """
    names = list(answers["label"].cat.categories)
    labels = answers["label"].astype("object").where(answers["label"].notna(), UNCERTAIN)
    wanted = [*names, *([UNCERTAIN] if answers["label"].isna().any() else [])]
    counted = answers.groupby(["source", labels], sort=False).size().unstack(fill_value=0)
    counted = counted.reindex(columns=wanted, fill_value=0).astype("int64")
    counted[ALL] = counted.sum(axis=1)
    return counted.sort_values([ALL], ascending=False, kind="stable")


def least_certain(answers: pd.DataFrame, most: int) -> dict[str, pd.DataFrame]:
    """Of each expression the answers with the lowest probability, the lowest first.

    Of a face that is followed the least certain frame stands for all of them.

    Args:
        answers: as :func:`dcrnet_runtime.answers.reading.read_answers` gives them.
        most: faces of each expression.
    """
    labels = answers["label"].astype("object").where(answers["label"].notna(), UNCERTAIN)
    chosen = {}
    for label in (UNCERTAIN, *answers["label"].cat.categories):
        rows = answers[labels == label].sort_values("probability", kind="stable")
        followed = rows["track"] > 0
        is_repeat = rows.duplicated(["source", "track"]) & followed
        if len(rows):
            chosen[label] = rows[~is_repeat].head(most)
    return chosen
