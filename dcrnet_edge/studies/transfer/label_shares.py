"""Shares of labels, which differ between data sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dcrnet_edge.evaluation.predictions import Predictions

_ROUNDS = 200


def re_weighted_accuracy(predictions: Predictions, home: Mapping[str, Any] | None) -> float | None:
    """Accuracy when probabilities are scaled to label shares that are estimated without labels.

    Expectation maximization over the answers (Saerens, Latinne and Decaestecker 2002), from the
    shares of the data set that the model was trained on; None where these are not known.
    """
    if home is None or not all(home["labels"].get(label) for label in predictions.labels):
        return None
    counts = np.array([home["labels"][label] for label in predictions.labels], float)
    prior = shares = counts / counts.sum()
    probabilities = predictions.probabilities.astype(np.float64)
    for _ in range(_ROUNDS):
        scaled = probabilities * (shares / prior)
        scaled /= scaled.sum(axis=1, keepdims=True)
        shares = scaled.mean(axis=0)
    return float((scaled.argmax(axis=1) == predictions.truth).mean())
