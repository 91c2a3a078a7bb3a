"""What words cannot say: which tags can be heard, which name one sound, whom they do not fit.

A word is heard where the neighbours of recordings that carry it carry it more often than those of
other recordings do. Artists are the witnesses: intervals resample them, and chance is what the same
lists tell when artists swap their tags. Among dozens of words some would pass by chance, so that
what is claimed is held to a false discovery rate (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from simlib.evaluation.statistics import (
    chance_of,
    false_discovery_rates,
    resamples,
    swapped_artists,
)
from simlib.evaluation.tag_audibility import (
    FALSE_DISCOVERIES,
    FEWEST_ARTISTS,
    HALF,
    Neighbourhoods,
    witnesses,
)


def confused_tags(neighbourhoods: Neighbourhoods, supported: pd.DataFrame) -> pd.DataFrame:
    """Find pairs of words of one column that the ear does not tell apart.

    Only recordings with one of the two words are looked at, as queries and as neighbours. How much
    more often than the queries with neither do they meet a word? That is its pull on them. Two
    words are close where each pulls the other's recordings, together at least half as strongly as
    their own and beyond chance.

    Parameters
    ----------
    neighbourhoods : Neighbourhoods
    supported : pandas.DataFrame
        From `tag_support_table`. Only words that are heard are paired: others pull nothing.

    Returns
    -------
    pandas.DataFrame
        `column, tag, other`; `together`, the share of the recordings with either that carry both;
        `queries` and `other_queries` with one word only; `crossing`, the pull of the other's word
        over that of their own, both ways together, each word in proportion to how frequent it is:
        1 where the two are one sound, with its 95% interval `low, high` over artists; `q`, the
        false discovery rate; `verdict`: `one sound` where the interval holds 1 and nothing below a
        half, else `close`. Surest first. `attrs["pairs"]` is how many pairs were tested.
    """
    heard = supported[supported["verdict"] == "audible"]
    rows = []
    for column, words in neighbourhoods.words.items():
        tags = set(heard["tag"][heard["column"] == column])
        places = [i for i in np.argsort(words.names) if words.names[i] in tags]
        pairs = (_pair(words, *two, neighbourhoods.settings) for two in combinations(places, 2))
        rows += [{"column": column, **found} for found in pairs if found]
    names = "column tag other together queries other_queries crossing low high p"
    table = pd.DataFrame(rows, columns=names.split())
    table["q"] = false_discovery_rates(table.pop("p"))
    one_sound = (table["low"] >= HALF) & (table["high"] >= 1)
    table["verdict"] = np.where(one_sound, "one sound", "close")
    close = table[table["q"] <= FALSE_DISCOVERIES]
    found = close.sort_values("low", ascending=False, kind="stable", ignore_index=True)
    found.attrs["pairs"] = len(table)
    return found


def _pair(words, first, second, settings):
    """Measure one pair of words; None where one of the three groups has too few artists."""
    one = words.own[:, first] & ~words.own[:, second]
    other = words.own[:, second] & ~words.own[:, first]
    neither = ~(words.own[:, first] | words.own[:, second])
    groups = np.stack([one, other, neither])
    if witnesses(words, groups.T).min() < FEWEST_ARTISTS:
        return None
    carry = words.member[:, [first, second]]
    near = words.near[:, :, [first, second]]
    alone = carry & ~carry[:, ::-1]
    shares = (near & ~near[:, :, ::-1]).sum(axis=1) / words.listed[:, None] / alone.mean(axis=0)
    pulls = _pulls(groups[:, None, :].astype(float), shares)[:, :, 0]
    crossing = float(_crossing(pulls))
    low = high = np.nan
    chance = 1.0
    crossed = np.array([pulls[0, 1], pulls[1, 0]])
    # Else the answer is known, and most pairs are of this kind.
    if crossing >= HALF and crossed.min() > 0:
        drawn = groups[:, None, :] * resamples(words.artists, settings.bootstrap, settings.seed)
        low, high = np.nanpercentile(_crossing(_pulls(drawn, shares)), [2.5, 97.5])
        swaps = swapped_artists(words.artists, settings.bootstrap, settings.seed)
        swapped = _pulls(groups[:, swaps].astype(float), shares)
        chance = chance_of(swapped[0, 1] + swapped[1, 0], crossed.sum())
    return {
        "tag": words.names[first],
        "other": words.names[second],
        "together": carry.all(axis=1).sum() / carry.any(axis=1).sum(),
        "queries": one.sum(),
        "other_queries": other.sum(),
        "crossing": crossing,
        "low": low,
        "high": high,
        "p": chance,
    }


def _pulls(weights, shares):
    """How much more of each word two groups meet than a third does.

    Parameters
    ----------
    weights : numpy.ndarray of float64, shape (3, times, n_queries)
        How often each query counts in each group.
    shares : numpy.ndarray of float64, shape (n_queries, 2)

    Returns
    -------
    numpy.ndarray of float64, shape (2, 2, times)
        By group and word; NaN where a group is empty.
    """
    sizes = weights.sum(axis=2, keepdims=True)
    sums = weights @ shares
    means = np.divide(sums, sizes, out=np.full(sums.shape, np.nan), where=sizes > 0)
    return (means[:2] - means[2]).transpose(0, 2, 1)


def _crossing(pulls):
    """Divide the pull of the other tag by that of the own; NaN if the own pulls nothing."""
    own, crossed = pulls[0, 0] + pulls[1, 1], pulls[0, 1] + pulls[1, 0]
    return np.divide(crossed, own, out=np.full(own.shape, np.nan), where=own > 0)
