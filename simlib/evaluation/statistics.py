"""Statistics over artists: bootstrap intervals, permutations and false discovery rates.

Queries by one artist are not independent. So whole artists are drawn, or exchanged.
"""

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from simlib.relevance import artist_codes


def skewness(values: np.ndarray) -> float:
    """Return the third standardised moment; 0 if all values are equal."""
    centred = np.asarray(values, dtype=float) - np.mean(values)
    deviation = np.sqrt(np.mean(centred**2))
    return float(np.mean(centred**3) / deviation**3) if deviation else 0.0


def _draw_artists(count, times, seed):
    """Draw artists with replacement: how often each is drawn, int64, shape (times, count)."""
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=times)


def bootstrap(values: np.ndarray, artists: np.ndarray, resamples: int, seed: int) -> dict:
    """Compute the mean of a score and its 95% interval: percentiles of a bootstrap over artists.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (n_queries,)
        NaN if a query does not count.
    artists : numpy.ndarray of object, shape (n_queries,)
    resamples, seed : int

    Returns
    -------
    dict
        `value`, `low` and `high`, None if no query counts, and `n`, the number of queries that do.
    """
    counts = np.isfinite(values)
    n = int(counts.sum())
    if not n:
        return {"value": None, "low": None, "high": None, "n": 0}
    codes = artist_codes(artists[counts])
    sums, sizes = np.bincount(codes, weights=values[counts]), np.bincount(codes)
    weights = _draw_artists(len(sums), resamples, seed)
    low, high = np.percentile((weights @ sums) / (weights @ sizes), [2.5, 97.5])
    numbers = {"value": values[counts].mean(), "low": low, "high": high}
    return {name: round(float(number), 6) for name, number in numbers.items()} | {"n": n}


def resample_artists(artists: np.ndarray, times: int, seed: int) -> np.ndarray:
    """Count how often each query is drawn if artists are drawn with replacement.

    Parameters
    ----------
    artists : numpy.ndarray of int64, shape (n_queries,)
        From 0 on.
    times, seed : int

    Returns
    -------
    numpy.ndarray of float64, shape (times, n_queries)
    """
    return _draw_artists(artists.max() + 1, times, seed)[:, artists].astype(float)


def swap_artists(artists: np.ndarray, times: int, seed: int) -> np.ndarray:
    """Permute the artists: each gets the tags of another one's queries.

    An artist takes the queries of the other in turn, from a random one on, and begins again after
    the last. What an artist's recordings have in common they still have.

    Parameters
    ----------
    artists : numpy.ndarray of int64, shape (n_queries,)
        From 0 on.
    times, seed : int

    Returns
    -------
    numpy.ndarray of int64, shape (times, n_queries)
        Positions of the queries whose tags each query gets.
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


def permutation_p(permuted: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Compute how often a permutation gives as much: (1 + n) / (1 + times).

    See Phipson and Smyth (2010).

    Parameters
    ----------
    permuted : numpy.ndarray of float64, shape (times, ...)
        NaN counts as much.
    found : numpy.ndarray of float64, shape (...)

    Returns
    -------
    numpy.ndarray of float64, shape (...)
    """
    return (1 + (~(permuted < found - 1e-9)).sum(axis=0)) / (1 + len(permuted))


def false_discovery_rates(p: pd.Series) -> pd.Series:
    """Adjust p-values for their number (Benjamini and Hochberg 1995); NaN stays NaN."""
    rates = p.astype(float)
    tested = rates.notna()
    if tested.any():
        rates[tested] = false_discovery_control(rates[tested])
    return rates
