"""Confused tags: pairs of tags whose recordings sound alike."""

from itertools import combinations

import numpy as np
import pandas as pd

from simlib.evaluation.statistics import (
    false_discovery_rates,
    permutation_p,
    resample_artists,
    swap_artists,
)
from simlib.evaluation.tag_audibility import Neighbourhoods


def confused_tags(neighbourhoods: Neighbourhoods, supported: pd.DataFrame) -> pd.DataFrame:
    """Find pairs of audible tags of one column that the ranking confuses.

    Only recordings with one of the two tags count, as queries and as neighbours. A tag attracts
    recordings if it is more frequent among their neighbours than among those of queries with
    neither tag. Two tags are confused if each attracts the other's recordings beyond chance.

    Parameters
    ----------
    neighbourhoods : Neighbourhoods
    supported : pandas.DataFrame
        From `tag_support_table`. Only audible tags are paired: others attract nothing.

    Returns
    -------
    pandas.DataFrame
        `column, tag, other`; `together`, the share of the recordings with either that carry both;
        `queries` and `other_queries` with one tag only; `attraction`, that of the other tag over
        that of their own, both ways together and in proportion to the tags' frequencies: 1 if the
        two are one sound, with its 95% interval `low, high` over artists; `q`, the false discovery
        rate; `confusion`: `one sound` if the interval holds 1 and nothing below the least
        attraction, else `close`. Surest first. `attrs["pairs"]` is how many pairs were tested.
    """
    audible = supported[supported["audibility"] == "audible"]
    rows, settings = [], neighbourhoods.settings
    for column, tagged in neighbourhoods.columns.items():
        paired = set(audible["tag"][audible["column"] == column])
        places = [i for i in np.argsort(tagged.names) if tagged.names[i] in paired]
        pairs = (_pair(tagged, *two, settings) for two in combinations(places, 2))
        rows += [{"column": column, **found} for found in pairs if found]
    names = "column tag other together queries other_queries attraction low high p"
    table = pd.DataFrame(rows, columns=names.split())
    table["q"] = false_discovery_rates(table.pop("p"))
    study = settings.tag_study
    one_sound = (table["low"] >= study.least_attraction) & (table["high"] >= 1)
    table["confusion"] = np.where(one_sound, "one sound", "close")
    close = table[table["q"] <= study.false_discoveries]
    found = close.sort_values("low", ascending=False, kind="stable", ignore_index=True)
    found.attrs["pairs"] = len(table)
    return found


def _pair(tagged, first, second, settings):
    """Measure one pair of tags; None if one of the three groups has too few artists."""
    one, other = tagged.own[:, [first, second]].T
    groups = np.stack([one & ~other, other & ~one, ~(one | other)])
    if tagged.artists_with(groups.T).min() < settings.tag_study.fewest_artists:
        return None
    tags, near = tagged.tags[:, [first, second]], tagged.near[:, :, [first, second]]
    only = (tags & ~tags[:, ::-1]).mean(axis=0)
    shares = (near & ~near[:, :, ::-1]).sum(axis=1) / tagged.listed[:, None] / only
    pulls = _pulls(groups[:, None, :].astype(float), shares)[:, :, 0]
    attraction, crossed = float(_attraction(pulls)), np.array([pulls[0, 1], pulls[1, 0]])
    low, high, p = np.nan, np.nan, 1.0
    # Most pairs are below the least attraction; resampling would only take time.
    if attraction >= settings.tag_study.least_attraction and crossed.min() > 0:
        times, seed = settings.bootstrap, settings.seed
        drawn = groups[:, None, :] * resample_artists(tagged.artists, times, seed)
        low, high = np.nanpercentile(_attraction(_pulls(drawn, shares)), [2.5, 97.5])
        swaps = swap_artists(tagged.artists, times, seed)
        swapped = _pulls(groups[:, swaps].astype(float), shares)
        p = permutation_p(swapped[0, 1] + swapped[1, 0], crossed.sum())
    return {
        "tag": tagged.names[first], "other": tagged.names[second],
        "together": tags.all(axis=1).sum() / tags.any(axis=1).sum(),
        "queries": groups[0].sum(), "other_queries": groups[1].sum(),
        "attraction": attraction, "low": low, "high": high, "p": p,
    }  # fmt: skip


def _pulls(weights, shares):
    """Compute how much more frequent each tag is near two groups of queries than near a third.

    Parameters
    ----------
    weights : numpy.ndarray of float64, shape (3, times, n_queries)
        How often each query counts in each group.
    shares : numpy.ndarray of float64, shape (n_queries, 2)

    Returns
    -------
    numpy.ndarray of float64, shape (2, 2, times)
        By group and tag; NaN if a group is empty.
    """
    sizes = weights.sum(axis=2, keepdims=True)
    sums = weights @ shares
    means = np.divide(sums, sizes, out=np.full(sums.shape, np.nan), where=sizes > 0)
    return (means[:2] - means[2]).transpose(0, 2, 1)


def _attraction(pulls):
    """Divide the pull of the other tag by that of the own; NaN if the own pulls nothing."""
    own, crossed = pulls[0, 0] + pulls[1, 1], pulls[0, 1] + pulls[1, 0]
    return np.divide(crossed, own, out=np.full(own.shape, np.nan), where=own > 0)
