"""What turning up one part of the similarity does to each measure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simlib.index import hub_corrected
from simlib.model import TEMPO, subspace_name
from simlib.relevance import ndcg, tempo_gain

if TYPE_CHECKING:
    from simlib.evaluation.protocol import Evaluation
    from simlib.index import HubSettings
    from simlib.model import Aspects


def turned_up(weights: dict[str, float], subspace: str) -> dict[str, float]:
    """Give half of what all other parts count to one of them.

    Parameters
    ----------
    weights : dict of str to float
        Every part's; they sum to 1.
    part : str

    Returns
    -------
    dict of str to float
        They sum to 1.
    """
    return {name: weight / 2 + (name == subspace) / 2 for name, weight in weights.items()}


def aspect_gains(
    vectors: np.ndarray,
    aspects: Aspects,
    weights: dict[str, float],
    evaluation: Evaluation,
    bpm: np.ndarray,
    hubs: HubSettings,
) -> tuple[dict, dict]:
    """Score the lists with each part turned up against those with none, query by query.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, dimensions)
        Of the evaluation's tracks, from `Index.vectors`.
    aspects : simlib.model.Aspects
    weights : dict of str to float
        To begin with: the index's.
    evaluation : simlib.evaluation.Evaluation
    bpm : numpy.ndarray of float64, shape (n_tracks,)
        See `simlib.relevance.complete_bpm`.
    hubs : simlib.index.HubSettings

    Returns
    -------
    scores : dict of str to numpy.ndarray of float64, shape (n_tracks,)
        nDCG@k with no part turned up, by the part whose aspect is measured; NaN where a query has
        nothing to find.
    differences : dict of (str, str) to numpy.ndarray of float64, shape (n_tracks,)
        By the part turned up and the part whose aspect is measured, what is gained.
    """
    gains = {subspace_name(column): gain for column, gain in evaluation.gains.items()}
    gains[TEMPO] = tempo_gain(bpm)

    def scores(weighed):
        weighted = aspects.weighted(vectors, weighed)
        similarity = hub_corrected(weighted, evaluation.artists, hubs)
        ranked = evaluation.ranked(similarity)
        return {n: ndcg(ranked, g, evaluation.candidate_mask) for n, g in gains.items()}

    before = scores(weights)
    found: dict = {}
    for subspace in aspects.sizes:
        after = scores(turned_up(weights, subspace))
        found |= {(subspace, measured): after[measured] - before[measured] for measured in gains}
    return before, found


def aspect_gain_table(
    scores: dict[str, np.ndarray], differences: dict, interval: Callable[[np.ndarray], dict]
) -> pd.DataFrame:
    """Lay out what `aspect_gains` returned.

    Parameters
    ----------
    scores, differences : dict
    interval : callable
        Values to their mean and interval: `Evaluation.interval`.

    Returns
    -------
    pandas.DataFrame
        A row for each part turned up and each measured: `turned up`, `measured`, `before` (nDCG
        with none turned up), `value`, `low` and `high` of the difference; NaN for what cannot be
        told.
    """
    rows = [
        {"turned up": subspace, "measured": measured, "before": interval(scores[measured])["value"]}
        | {key: interval(values)[key] for key in ("value", "low", "high")}
        for (subspace, measured), values in differences.items()
    ]
    numbers = dict.fromkeys(("before", "value", "low", "high"), np.float64)
    return pd.DataFrame(rows).astype(numbers)
