"""How good the ranked lists are, for artists that the model never heard, and beside what."""

from __future__ import annotations

import numpy as np
from scipy.stats import false_discovery_control


def skewness(values: np.ndarray) -> float:
    """Third standardised moment; 0 where all values are the same."""
    centred = np.asarray(values, dtype=float) - np.mean(values)
    deviation = np.sqrt(np.mean(centred**2))
    return float(np.mean(centred**3) / deviation**3) if deviation else 0.0


def bootstrap(values: np.ndarray, artists: np.ndarray, resamples: int, seed: int) -> dict:
    """Mean and percentile interval of per-query values, resampling artists.

    Queries by one artist are no independent witnesses, so artists are drawn with replacement, each
    with all of its queries.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (n_queries,)
        NaN where a query does not count.
    artists : numpy.ndarray of object, shape (n_queries,)
    resamples, seed : int

    Returns
    -------
    dict
        `value`, `low`, `high` and `n`, the number of queries that count; None for what cannot be
        told.
    """
    counts = np.isfinite(values)
    n = int(counts.sum())
    if not n:
        return {"value": None, "low": None, "high": None, "n": 0}
    codes = np.unique(artists[counts].astype(str), return_inverse=True)[1]
    sums = np.bincount(codes, weights=values[counts])
    sizes = np.bincount(codes)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=resamples)
    means = (weights @ sums) / (weights @ sizes)
    low, high = np.percentile(means, [2.5, 97.5])
    return {
        "value": round(float(values[counts].mean()), 6),
        "low": round(float(low), 6),
        "high": round(float(high), 6),
        "n": n,
    }


def resamples(artists, times, seed):
    """How often each query counts when artists are drawn with replacement.

    Parameters
    ----------
    artists : numpy.ndarray of int64, shape (n_queries,)
        From 0 on.
    times, seed : int

    Returns
    -------
    numpy.ndarray of float64, shape (times, n_queries)
    """
    count = artists.max() + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=times)
    return drawn[:, artists].astype(float)


def swapped_artists(artists: np.ndarray, times: int, seed: int) -> np.ndarray:
    """Whose words each query has when artists swap theirs.

    An artist takes over the queries of another, one after the other from a random one on and from
    the start again: what an artist's recordings have in common they still have.

    Parameters
    ----------
    artists : numpy.ndarray of int64, shape (n_queries,)
        From 0 on.
    times, seed : int

    Returns
    -------
    numpy.ndarray of int64, shape (times, n_queries)
        Positions of queries.
    """
    rng = np.random.default_rng(seed)
    order = np.argsort(artists, kind="stable")
    sizes = np.bincount(artists)
    first = np.cumsum(sizes) - sizes
    place = np.empty(len(artists), dtype=int)
    place[order] = np.arange(len(artists)) - first[artists[order]]
    swaps = np.empty((times, len(artists)), dtype=int)
    for row in swaps:
        giver = rng.permutation(len(sizes))[artists]
        start = rng.integers(sizes)[giver]
        row[:] = order[first[giver] + (place + start) % sizes[giver]]
    return swaps


def chance_of(swapped, found):
    """How often chance does as well: (1 + how often) / (1 + times), Phipson and Smyth (2010)."""
    return (1 + (~(swapped < found - 1e-9)).sum(axis=0)) / (1 + len(swapped))


def false_discovery_rates(chances):
    """Benjamini and Hochberg's adjusted values; NaN, for what was not tested, stays NaN."""
    rates = chances.astype(float)
    tested = rates.notna()
    if tested.any():
        rates[tested] = false_discovery_control(rates[tested])
    return rates
