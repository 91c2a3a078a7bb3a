"""What words cannot say: which tags can be heard, which name one sound, whom they do not fit.

A word is heard where the neighbours of recordings that carry it carry it more often than those of
other recordings do. Artists are the witnesses: intervals resample them, and chance is what the same
lists tell when artists swap their tags. Among dozens of words some would pass by chance, so that
what is claimed is held to a false discovery rate (Benjamini and Hochberg 1995).
"""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from simlib import findings, relevance
from simlib.catalogue import artist_keys, tag_sets

# The share of what is claimed that may be wrong.
FALSE_DISCOVERIES = 0.05
# A word of fewer artists than this among the queries is not judged.
FEWEST_ARTISTS = 5
# Times the odds: who would not even hear these, does not hear the word.
WORTH = 3.0
# Of the neighbours, to say that they agree; of a word's own pull, to say that another has it too.
HALF = 0.5


class Neighbourhoods:
    """The neighbours, by other artists, of recordings that the model never learned from.

    Parameters
    ----------
    similarity : numpy.ndarray, shape (n_queries, n_tracks)
        To the whole catalogue, so that rare tags have somebody to meet.
    tracks : pandas.DataFrame
        The catalogue's table.
    queries : numpy.ndarray of int, shape (n_queries,)
        Rows of `tracks`.
    columns : list of str
        Tag columns; one in which no query has a tag is left out.
    settings : simlib.settings.EvaluateSettings
    """

    def __init__(self, similarity, tracks, queries, columns, settings):
        self.tracks, self.queries, self.settings = tracks, np.asarray(queries), settings
        self.columns, self.similarity = columns, np.asarray(similarity)
        artists = np.unique(artist_keys(tracks).astype(str), return_inverse=True)[1]
        allowed = artists[self.queries][:, None] != artists[None, :]
        self.artists = artists
        self.ranked = relevance.ranking(self.similarity, allowed, settings.k, settings.seed)
        words = {column: _Words(self, column) for column in columns}
        self.words = {column: found for column, found in words.items() if len(found.queries)}

    def nearest(self, row):
        """Lay out the list of the query in this row of the tracks; see `findings.listed`."""
        [at] = np.flatnonzero(self.queries == row)
        ranked = self.ranked[at][self.ranked[at] >= 0]
        return findings.listed(self.tracks, self.columns, row, ranked, self.similarity[at, ranked])


class _Words:
    """The words of one column, among the queries that have any and among their neighbours.

    Words that stand on the same recordings throughout are one word: `calm = peaceful`.

    Attributes
    ----------
    names : numpy.ndarray of object, shape (n_words,)
    member : numpy.ndarray of bool, shape (n_tracks, n_words)
    queries, artists, listed : numpy.ndarray of int64, shape (n_queries,)
        Row, artist from 0 on, and number of neighbours.
    own : numpy.ndarray of bool, shape (n_queries, n_words)
    near : numpy.ndarray of bool, shape (n_queries, k, n_words)
    hits : numpy.ndarray of int64, shape (n_queries, n_words)
        How many neighbours carry each word.
    """

    def __init__(self, neighbourhoods, column):
        cells = neighbourhoods.tracks[column]
        names = np.array(sorted(frozenset().union(*tag_sets(cells))), dtype=object)
        self.member, group = np.unique(relevance.membership(cells) > 0, axis=1, return_inverse=True)
        groups = range(self.member.shape[1])
        self.names = np.array([" = ".join(names[group == g]) for g in groups], dtype=object)
        ranked, queries = neighbourhoods.ranked, neighbourhoods.queries
        counts = self.member[queries].any(axis=1) & (ranked >= 0).any(axis=1)
        ranked, self.queries = ranked[counts], queries[counts]
        codes = neighbourhoods.artists[self.queries]
        self.artists = np.unique(codes, return_inverse=True)[1]
        self.listed = (ranked >= 0).sum(axis=1)
        self.own = self.member[self.queries]
        self.near = self.member[np.maximum(ranked, 0)] & (ranked >= 0)[:, :, None]
        self.hits = self.near.sum(axis=1)


def support(neighbourhoods):
    """Say of every word how well the sound supports it.

    Parameters
    ----------
    neighbourhoods : Neighbourhoods

    Returns
    -------
    pandas.DataFrame
        One row a word, best supported first within its column: `column, tag`; `recordings` of the
        catalogue, `queries` and `artists` of theirs that carry it; `share` of these queries'
        neighbours with the word and `elsewhere`, the same of the other tagged queries; `odds`, the
        ratio of the odds of both, which frequent and rare words share one scale by, with its 95%
        interval `low, high` over artists; `detectable`, the odds that chance stays below 19 times
        out of 20; `q`, the false discovery rate at which it would be called heard; `verdict`:

        - heard: more often than by chance.
        - barely heard: the same, but even at the upper end less than three times the odds.
        - not heard: less than three times even at the upper end, and three times would have shown.
        - cannot tell: anything else, and words of fewer than five artists, without an interval.
    """
    names = "column tag recordings queries artists share elsewhere odds low high detectable p"
    rows = [
        row
        for column, words in neighbourhoods.words.items()
        for row in _supported(column, words, neighbourhoods.settings)
    ]
    table = pd.DataFrame(rows, columns=names.split())
    table["q"] = _false_discovery_rates(table.pop("p"))
    found = (table["q"] <= FALSE_DISCOVERIES) & (table["low"] > 1)
    faint = table["high"] < WORTH
    table["verdict"] = np.select(
        [found & faint, found, faint & (table["detectable"] < WORTH)],
        ["barely heard", "heard", "not heard"],
        "cannot tell",
    )
    return table


def _supported(column, words, settings):
    """Rows of `support`, and how often chance does as well; the words of greatest odds first."""
    own, hits, listed = words.own, words.hits, words.listed
    odds = _odds(own, hits, listed, np.ones((1, len(own))))[0]
    counts = [words.member.sum(axis=0), own.sum(axis=0), _witnesses(words, own)]
    shares = [_share(carry, hits, listed) for carry in (own, ~own)]
    told = [*counts, *shares, odds, *_judged(words, odds, settings)]
    order = np.argsort(-odds, kind="stable")
    return zip([column] * len(odds), words.names[order], *(t[order] for t in told), strict=True)


def _judged(words, odds, settings):
    """Low, high, detectable and chance of every word's odds; NaN where artists are too few."""
    table = np.full((4, len(odds)), np.nan)
    fewest = np.minimum(_witnesses(words, words.own), _witnesses(words, ~words.own))
    judged = np.flatnonzero(fewest >= FEWEST_ARTISTS)
    if not len(judged):
        return table
    own, hits, listed = words.own[:, judged], words.hits[:, judged], words.listed
    drawn = _resamples(words.artists, settings.bootstrap, settings.seed)
    swaps = _swaps(words.artists, settings.bootstrap, settings.seed)
    even = np.ones((1, len(own)))
    swapped = np.concatenate([_odds(own[rows], hits, listed, even) for rows in swaps])
    interval = np.nanpercentile(_odds(own, hits, listed, drawn), [2.5, 97.5], axis=0)
    table[:2, judged] = interval
    table[2, judged] = np.nanpercentile(swapped, 95, axis=0)
    table[3, judged] = _chance(swapped, odds[judged])
    return table


def _witnesses(words, carry):
    """Count the artists of the queries that each mask, shape (n_queries, n_words), picks."""
    return np.array([len(np.unique(words.artists[mask])) for mask in carry.T])


def _share(carry, hits, listed):
    neighbours = (carry * listed[:, None]).sum(axis=0)
    return np.divide(
        (carry * hits).sum(axis=0), neighbours, out=np.full(hits.shape[1], np.nan),
        where=neighbours > 0,
    )  # fmt: skip


def _odds(own, hits, listed, weights):
    """Odds that a neighbour carries a word, for queries with it over queries without it.

    Half a neighbour is added to each of the four counts (Haldane 1956, Anscombe 1956), so that a
    word that was never met has odds too.

    Parameters
    ----------
    own : numpy.ndarray of bool, shape (n_queries, n_words)
    hits : numpy.ndarray of int64, shape (n_queries, n_words)
    listed : numpy.ndarray of int64, shape (n_queries,)
    weights : numpy.ndarray of float64, shape (times, n_queries)
        How often each query counts.

    Returns
    -------
    numpy.ndarray of float64, shape (times, n_words)
        NaN where all queries carry the word, or none.
    """
    met, lists = weights @ (own * hits), weights @ (own * listed[:, None])
    others_met = weights @ hits - met
    others_lists = (weights @ listed)[:, None] - lists
    with_it = (met + 0.5) / (lists - met + 0.5)
    without = (others_met + 0.5) / (others_lists - others_met + 0.5)
    return np.where((lists > 0) & (others_lists > 0), with_it / without, np.nan)


def _resamples(artists, times, seed):
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


def _swaps(artists, times, seed):
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


def _chance(swapped, found):
    """How often chance does as well: (1 + how often) / (1 + times), Phipson and Smyth (2010)."""
    return (1 + (~(swapped < found - 1e-9)).sum(axis=0)) / (1 + len(swapped))


def _false_discovery_rates(chances):
    """Benjamini and Hochberg's adjusted values; NaN, for what was not tested, stays NaN."""
    rates = chances.astype(float)
    tested = rates.notna()
    if tested.any():
        rates[tested] = false_discovery_control(rates[tested])
    return rates


def confused(neighbourhoods, supported):
    """Find pairs of words of one column that the ear does not tell apart.

    Only recordings with one of the two words are looked at, as queries and as neighbours. How much
    more often than the queries with neither do they meet a word? That is its pull on them. Two
    words are close where each pulls the other's recordings, together at least half as strongly as
    their own and beyond chance.

    Parameters
    ----------
    neighbourhoods : Neighbourhoods
    supported : pandas.DataFrame
        From `support`. Only words that are heard are paired: others pull nothing.

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
    heard = supported[supported["verdict"] == "heard"]
    rows = []
    for column, words in neighbourhoods.words.items():
        tags = set(heard["tag"][heard["column"] == column])
        places = [i for i in np.argsort(words.names) if words.names[i] in tags]
        pairs = (_pair(words, *two, neighbourhoods.settings) for two in combinations(places, 2))
        rows += [{"column": column, **found} for found in pairs if found]
    names = "column tag other together queries other_queries crossing low high p"
    table = pd.DataFrame(rows, columns=names.split())
    table["q"] = _false_discovery_rates(table.pop("p"))
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
    if _witnesses(words, groups.T).min() < FEWEST_ARTISTS:
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
        drawn = groups[:, None, :] * _resamples(words.artists, settings.bootstrap, settings.seed)
        low, high = np.nanpercentile(_crossing(_pulls(drawn, shares)), [2.5, 97.5])
        swaps = _swaps(words.artists, settings.bootstrap, settings.seed)
        swapped = _pulls(groups[:, swaps].astype(float), shares)
        chance = _chance(swapped[0, 1] + swapped[1, 0], crossed.sum())
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
    """The pull of the other's word over that of the own; NaN where the own pulls nothing."""
    own, crossed = pulls[0, 0] + pulls[1, 1], pulls[0, 1] + pulls[1, 0]
    return np.divide(crossed, own, out=np.full(own.shape, np.nan), where=own > 0)


def straddlers(neighbourhoods, count):
    """Choose recordings to listen to, where sound and words part.

    Parameters
    ----------
    neighbourhoods : Neighbourhoods
    count : int
        Of each kind and column; at most one by an artist.

    Returns
    -------
    pandas.DataFrame
        `kind, column, row` (of the catalogue), `track_id, path, title, artist, score` and `why`, in
        words. The kinds, highest score first:

        - against its tags: at least half of the neighbours carry a word that the recording does
          not. The score is how far they agree on it beyond what is usual (1: all of them), less how
          far they agree on a word that it does carry.
        - between tags, by the first column: the neighbours fall into two camps of words that seldom
          stand in one list. The score is twice the share of the smaller camp, times how seldom
          (1: never).
    """
    words = list(neighbourhoods.words.items())
    kinds = [("against its tags", _contradicted, *one) for one in words]
    kinds += [("between tags", _torn, *one) for one in words[:1]]
    found = []
    for kind, choose, column, of in kinds:
        table = pd.DataFrame(choose(of), columns=["row", "score", "why"])
        table = table[table["score"] > 0].sort_values("score", ascending=False, kind="stable")
        artists = pd.Series(neighbourhoods.artists[table["row"].to_numpy(dtype=int)])
        table = table[~artists.duplicated().to_numpy()].head(count)
        found += [(kind, column, *row) for row in table.itertuples(index=False)]
    table = pd.DataFrame(found, columns=["kind", "column", "row", "score", "why"])
    tracks = neighbourhoods.tracks.iloc[table["row"].to_numpy(dtype=int)].reset_index(drop=True)
    tracks = tracks[["track_id", "path", "title", "artist"]]
    return pd.concat([table[["kind", "column", "row"]], tracks, table[["score", "why"]]], axis=1)


def _contradicted(words):
    """Queries whose neighbours agree on a word that they do not carry: row, score and why."""
    shares = words.hits / words.listed[:, None]
    usual = shares.mean(axis=0)
    # A word that all neighbours carry anyway says nothing.
    agreement = (shares - usual) / np.where(usual < 1, 1 - usual, np.inf)
    foreign = np.where(words.own | (shares < HALF), -np.inf, agreement)
    kept = np.where(words.own, agreement, 0).max(axis=1)
    for at, place in enumerate(foreign.argmax(axis=1)):
        if np.isfinite(foreign[at, place]):
            shared = (words.near[at] & words.own[at]).any(axis=1).sum()
            why = (
                f"{_tagged(words, at)}; {words.hits[at, place]} of its {words.listed[at]} "
                f"neighbours are {words.names[place]}, tags in common with {shared or 'none'}"
            )
            yield words.queries[at], foreign[at, place] - kept[at], why


def _torn(words):
    """Queries whose neighbours are of two camps that seldom meet: row, score and why."""
    shares = words.hits / words.listed[:, None]
    usual = shares.mean(axis=0)
    by_chance, met = np.outer(usual, usual), shares.T @ shares / len(shares)
    company = np.divide(met, by_chance, out=np.ones_like(met), where=by_chance > 0)
    seldom = 1 - np.minimum(company, 1)
    for at, near in enumerate(words.near.astype(int)):
        camps = near.T @ (1 - near)
        scores = 2 * np.minimum(camps, camps.T) / words.listed[at] * seldom
        one, other = np.unravel_index(scores.argmax(), scores.shape)
        if camps[one, other] < camps[other, one]:
            one, other = other, one
        why = (
            f"{_tagged(words, at)}; {camps[one, other]} of its {words.listed[at]} neighbours are "
            f"{words.names[one]}, {camps[other, one]} {words.names[other]}, which seldom meet"
        )
        yield words.queries[at], scores[one, other], why


def _tagged(words, at):
    names = sorted(words.names[words.own[at]])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"tagged {', '.join(names[:3])}{more}"
