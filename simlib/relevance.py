"""The ground truth: which recordings count as alike, and how well a ranking finds them.

Both sides of the project stand on this one definition: training turns relations into positives,
the evaluation turns them into gains.
"""

import numpy as np

from simlib.catalogue import artist_keys, tag_sets

# Tempi so far apart, in octaves, are not alike any more: 7%, about twice what is just noticed.
TEMPO_REACH = 0.1


def membership(column):
    """Which track carries which tag.

    Parameters
    ----------
    column : pandas.Series
        A tag column.

    Returns
    -------
    numpy.ndarray of float32, shape (n_tracks, n_tags)
        0 or 1; tags in alphabetical order.
    """
    sets = tag_sets(column)
    names = {tag: i for i, tag in enumerate(sorted(frozenset().union(*sets)))}
    member = np.zeros((len(sets), len(names)), dtype=np.float32)
    for row, tags in enumerate(sets):
        member[row, [names[tag] for tag in tags]] = 1.0
    return member


def overlap(member):
    """Overlap |A n B| / |A u B| of the tag sets of every pair of tracks.

    Parameters
    ----------
    member : numpy.ndarray of float32, shape (n_tracks, n_tags)
        From `membership`.

    Returns
    -------
    numpy.ndarray of float32, shape (n_tracks, n_tracks)
        0 where both sets are empty.
    """
    shared = member @ member.T
    sizes = member.sum(axis=1)
    union = sizes[:, None] + sizes[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def tempo_gain(bpm):
    """How alike tempi are: 1 for the same or an octave apart, falling to 0 at `TEMPO_REACH`.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
        Beats a minute.

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks, n_tracks)
    """
    octaves = np.log2(bpm)
    apart = octaves[:, None] - octaves[None, :]
    # Whether a beat is felt at half or double speed, listeners disagree themselves.
    return np.maximum(0.0, 1.0 - np.abs(apart - np.round(apart)) / TEMPO_REACH)


class Relations:
    """How strongly any two recordings are meant to be alike: the ground truth of training.

    Each relation has its say in proportion to its strength, however many pairs it holds for: an
    anchor's positives by one relation share that relation's strength. Else a column with few
    values, which half of the pairs agree in, would drown one with many.

    Parameters
    ----------
    tracks : pandas.DataFrame
    columns : list of str
        Its tag columns.
    strengths : simlib.settings.PositiveSettings
    """

    def __init__(self, tracks, columns, strengths):
        self.strengths = strengths
        self.artists = np.unique(artist_keys(tracks).astype(str), return_inverse=True)[1]
        self.members = {c: membership(tracks[c]) for c in columns if strengths.tag_weight(c)}

    def __call__(self, rows):
        """Return the strength of every pair.

        Parameters
        ----------
        rows : numpy.ndarray of int, shape (n,)
            Positions of recordings in the table; one may stand there more than once.

        Returns
        -------
        numpy.ndarray of float32, shape (n, n)
            For each anchor (row) the strengths of its pairs; 0 means a negative pair, and an item
            is no pair with itself.
        """
        rows = np.asarray(rows)
        artists = self.artists[rows]
        relations = [
            (self.strengths.recording, rows[:, None] == rows[None, :]),
            (self.strengths.artist, artists[:, None] == artists[None, :]),
        ]
        for column, member in self.members.items():
            relations.append((self.strengths.tag_weight(column), overlap(member[rows])))
        total = np.zeros((len(rows), len(rows)), dtype=np.float32)
        for weight, pairs in relations:
            total += weight * _shared_out(pairs)
        return total


class TempoRelations:
    """How strongly any two recordings are meant to be alike by their tempi alone.

    Parameters
    ----------
    bpm : numpy.ndarray of float64, shape (n_tracks,)
    """

    def __init__(self, bpm):
        self.bpm = bpm

    def __call__(self, rows):
        """Return the strength of every pair; see `Relations`."""
        return _shared_out(tempo_gain(self.bpm[np.asarray(rows)])).astype(np.float32)


def _shared_out(pairs):
    """Let the positives of each anchor share a strength of 1; an item is no pair with itself."""
    pairs = pairs * (1.0 - np.eye(len(pairs)))
    sums = pairs.sum(axis=1, keepdims=True)
    return np.divide(pairs, sums, out=np.zeros_like(pairs), where=sums > 0)


def other_artists(artists):
    """Which pairs may meet in a ranked list: those by different artists (the artist filter).

    Parameters
    ----------
    artists : numpy.ndarray of object, shape (n_tracks,)
        From `catalogue.artist_keys`.

    Returns
    -------
    numpy.ndarray of bool, shape (n_tracks, n_tracks)
    """
    codes = np.unique(artists.astype(str), return_inverse=True)[1]
    return codes[:, None] != codes[None, :]


def ranking(similarity, allowed, k, seed):
    """The k most similar allowed candidates of every query, ties in seeded random order.

    Parameters
    ----------
    similarity : numpy.ndarray, shape (n_queries, n_candidates)
    allowed : numpy.ndarray of bool, shape (n_queries, n_candidates)
    k : int
    seed : int

    Returns
    -------
    numpy.ndarray of int64, shape (n_queries, min(k, n_candidates))
        Candidates from rank 1 on; -1 where a query has fewer.
    """
    shuffled = np.random.default_rng(seed).permutation(similarity.shape[1])
    scores = np.where(allowed, similarity, -np.inf)[:, shuffled]
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(scores, order, axis=1) > -np.inf
    return np.where(found, shuffled[order], -1)


def ndcg(ranked, gain, allowed):
    """Normalised discounted cumulative gain (Jarvelin and Kekalainen 2002), linear gain.

    Parameters
    ----------
    ranked : numpy.ndarray of int, shape (n_queries, k)
        From `ranking`.
    gain : numpy.ndarray, shape (n_queries, n_candidates)
        How relevant each candidate is to each query.
    allowed : numpy.ndarray of bool, shape (n_queries, n_candidates)
        The ideal list is drawn from the same candidates.

    Returns
    -------
    numpy.ndarray of float64, shape (n_queries,)
        With discount 1 / log2(rank + 1); NaN for a query to which nothing is relevant.
    """
    k = ranked.shape[1]
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    gain = np.where(allowed, gain, 0.0)
    found = np.where(ranked >= 0, np.take_along_axis(gain, np.maximum(ranked, 0), axis=1), 0.0)
    ideal = -np.sort(-gain, axis=1)[:, :k]
    best = ideal @ discount
    return np.divide(found @ discount, best, out=np.full(len(best), np.nan), where=best > 0)


def precision(ranked, relevant):
    """Share of relevant candidates among the ranked ones.

    Parameters
    ----------
    ranked : numpy.ndarray of int, shape (n_queries, k)
    relevant : numpy.ndarray of bool, shape (n_queries, n_candidates)

    Returns
    -------
    numpy.ndarray of float64, shape (n_queries,)
        NaN for a query with no candidate at all.
    """
    present = ranked >= 0
    hits = np.take_along_axis(relevant, np.maximum(ranked, 0), axis=1) & present
    count = present.sum(axis=1)
    return np.divide(hits.sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0)


def reciprocal_rank(similarity):
    """Reciprocal rank of each query's own recording among all candidates.

    Parameters
    ----------
    similarity : numpy.ndarray, shape (n_recordings, n_recordings)
        Rows are excerpts, columns recordings, in the same order.

    Returns
    -------
    numpy.ndarray of float64, shape (n_recordings,)
        Ties count against the recording.
    """
    own = np.diagonal(similarity)[:, None]
    return 1.0 / (similarity >= own).sum(axis=1)


def retrieval_score(similarity, tracks, artists, columns, k, seed):
    """Mean nDCG@k over tag columns: the one number that training watches.

    Parameters
    ----------
    similarity : numpy.ndarray, shape (n_tracks, n_tracks)
    tracks : pandas.DataFrame
    artists : numpy.ndarray of object, shape (n_tracks,)
    columns : list of str
        The tag columns.
    k, seed : int

    Returns
    -------
    dict of str to float
        By column; a column in which nothing is relevant to any query is left out.
    """
    allowed = other_artists(artists)
    ranked = ranking(similarity, allowed, k, seed)
    scores = {}
    for column in columns:
        values = ndcg(ranked, overlap(membership(tracks[column])), allowed)
        if np.isfinite(values).any():
            scores[column] = float(np.nanmean(values))
    return scores
