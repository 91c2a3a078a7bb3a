"""The gain in each measure if one aspect gets half of all weight."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from simlib.evaluation.gains import Gain, TempoGain
from simlib.evaluation.protocol import Evaluation
from simlib.evaluation.similarities import HubCorrectedSimilarity
from simlib.index import HubSettings
from simlib.model import TEMPO, Aspects, subspace_name


def turned_up(weights: dict[str, float], subspace: str) -> dict[str, float]:
    """Give one subspace half of all weight; the others keep their proportions.

    Parameters
    ----------
    weights : dict of str to float
        Of every subspace; they sum to 1.
    subspace : str

    Returns
    -------
    dict of str to float
        They sum to 1.
    """
    return {name: weight / 2 + (name == subspace) / 2 for name, weight in weights.items()}


def aspect_gains(
    vectors: np.ndarray, aspects: Aspects, weights: dict[str, float], evaluation: Evaluation,
    bpm: np.ndarray, hubs: HubSettings,
) -> tuple[dict, dict]:  # fmt: skip
    """Score the lists with each aspect turned up against those with none, query by query.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, dimensions)
        Of the evaluation's tracks, from `Index.vectors`.
    aspects : simlib.model.Aspects
    weights : dict of str to float
        With no aspect turned up: the index's.
    evaluation : simlib.evaluation.Evaluation
    bpm : numpy.ndarray of float64, shape (n_tracks,)
        See `simlib.relevance.complete_bpm`.
    hubs : simlib.index.HubSettings

    Returns
    -------
    scores : dict of str to numpy.ndarray of float64, shape (n_queries,)
        nDCG@k with no aspect turned up, by the aspect that is measured; NaN if nothing is relevant
        to a query.
    differences : dict of (str, str) to numpy.ndarray of float64, shape (n_queries,)
        What is gained, by the aspect turned up and the aspect that is measured.
    """
    gains: dict[str, Gain] = {
        subspace_name(column): gain for column, gain in evaluation.gains.items()
    }
    gains[TEMPO] = TempoGain(bpm)

    def scores(weights):
        weighted = aspects.weighted(vectors, weights)
        lists = evaluation.rank(HubCorrectedSimilarity(weighted, evaluation.artists, hubs))
        return {name: evaluation.ndcg(lists, gain) for name, gain in gains.items()}

    before = scores(weights)
    found: dict = {}
    for subspace in aspects.sizes:
        after = scores(turned_up(weights, subspace))
        found |= {(subspace, measured): after[measured] - before[measured] for measured in gains}
    return before, found


def aspect_gain_table(
    scores: dict[str, np.ndarray], differences: dict, interval: Callable[[np.ndarray], dict]
) -> pd.DataFrame:
    """Tabulate what `aspect_gains` returned.

    Parameters
    ----------
    scores, differences : dict
    interval : callable
        Values to their mean and interval: `Evaluation.interval`.

    Returns
    -------
    pandas.DataFrame
        A row for each aspect turned up and each measured: `turned up`, `measured`, `before` (nDCG
        with none turned up), `value`, `low` and `high` of the difference; NaN if no query counts.
    """
    rows = [
        {"turned up": subspace, "measured": measured, "before": interval(scores[measured])["value"]}
        | {key: interval(values)[key] for key in ("value", "low", "high")}
        for (subspace, measured), values in differences.items()
    ]
    numbers = dict.fromkeys(("before", "value", "low", "high"), np.float64)
    return pd.DataFrame(rows).astype(numbers)
