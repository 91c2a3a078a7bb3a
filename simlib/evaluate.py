"""How good the ranked lists are, for artists that the model never heard, and beside what."""

import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from simlib import relevance
from simlib.artefacts import SimlibError
from simlib.catalogue import artist_keys, tag_columns
from simlib.relevance import membership, overlap

EXCERPT = "excerpt"


class Evaluation:
    """The queries, the candidates and the ground truth that all systems share.

    Parameters
    ----------
    tracks : pandas.DataFrame
        Of the test artists.
    columns : list of str
        Tag columns of the whole catalogue.
    settings : simlib.settings.EvaluateSettings
    """

    def __init__(self, tracks, columns, settings):
        self.tracks = tracks.reset_index(drop=True)
        self.columns, self.settings = columns, settings
        self.artists = artist_keys(self.tracks)
        self.allowed = relevance.other_artists(self.artists)
        self.members = {c: membership(self.tracks[c]) for c in columns}
        self.gains = {c: overlap(member) for c, member in self.members.items()}

    def ranked(self, similarity):
        """Return each query's list, artist-filtered: int64, shape (n_tracks, k), -1 for none."""
        return relevance.ranking(similarity, self.allowed, self.settings.k, self.settings.seed)

    def scores(self, similarity):
        """Score a system query by query.

        Parameters
        ----------
        similarity : numpy.ndarray, shape (n_tracks, n_tracks)
            Or a dict of such by tag column, for a system that looks at other columns.

        Returns
        -------
        dict of str to numpy.ndarray of float64, shape (n_tracks,)
            `<column>_ndcg@k` and, where tracks have one value, `<column>_p@k`; NaN where a query
            has nothing to find.
        """
        k, found = self.settings.k, {}
        for column in self.columns:
            given = similarity.get(column) if isinstance(similarity, dict) else similarity
            if given is None:
                continue
            ranked = self.ranked(given)
            gain = self.gains[column]
            values = relevance.ndcg(ranked, gain, self.allowed)
            found[f"{column}_ndcg@{k}"] = values
            if self.members[column].sum(axis=1).max(initial=0) <= 1:
                exact = relevance.precision(ranked, gain > 0)
                # A query with nothing to find leaves both measures, or they speak of two sets.
                found[f"{column}_p@{k}"] = np.where(np.isnan(values), np.nan, exact)
        return found

    def hub_skew(self, similarity):
        """Skewness of the k-occurrence (Radovanovic et al. 2010): above 1, hubs fill the lists."""
        return skewness(self.occurrence(similarity))

    def occurrence(self, similarity):
        """In how many other tracks' lists each track stands: int64, shape (n_tracks,)."""
        ranked = self.ranked(similarity)
        return np.bincount(ranked[ranked >= 0], minlength=len(self.tracks))

    def interval(self, values):
        """Mean of a score over queries with its 95% interval; see `bootstrap`."""
        return bootstrap(values, self.artists, self.settings.bootstrap, self.settings.seed)


def skewness(values):
    """Third standardised moment; 0 where all values are the same."""
    centred = np.asarray(values, dtype=float) - np.mean(values)
    deviation = np.sqrt(np.mean(centred**2))
    return float(np.mean(centred**3) / deviation**3) if deviation else 0.0


def bootstrap(values, artists, resamples, seed):
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


def compare(systems, evaluation):
    """Score all systems, each with its paired distance from `simlib`.

    Parameters
    ----------
    systems : dict of str to numpy.ndarray (or dict, see `Evaluation.scores`)
        Similarities; `simlib` among them.
    evaluation : Evaluation

    Returns
    -------
    dict
        `{system: {measure: {"value", "low", "high", "n"}, "hub_skew@k": {"value"},
        "simlib_lead": {measure: ...}}}`; the lead is simlib's minus the system's, query by query.
    """
    scores = {name: evaluation.scores(similarity) for name, similarity in systems.items()}
    return _report(scores, evaluation, hubs={
        name: evaluation.hub_skew(_overall(similarity)) for name, similarity in systems.items()
    })  # fmt: skip


def _overall(similarity):
    return sum(similarity.values()) if isinstance(similarity, dict) else similarity


def _report(scores, evaluation, hubs):
    ours, report = scores["simlib"], {}
    for name, measures in scores.items():
        entry = {m: evaluation.interval(values) for m, values in measures.items()}
        if name in hubs:
            entry[f"hub_skew@{evaluation.settings.k}"] = {"value": round(hubs[name], 6)}
        if name != "simlib":
            entry["simlib_lead"] = {
                m: evaluation.interval(ours[m] - values) for m, values in measures.items()
            }
        report[name] = entry
    return report


def compare_excerpts(systems, evaluation):
    """Score systems where there are no tags: finding a recording from an excerpt of itself.

    Parameters
    ----------
    systems : dict of str to tuple
        Name to (excerpts, rests): vectors of one excerpt of each recording and of the rest of it,
        shape (n_tracks, d); rows of NaN for a recording too short to be cut in two.
    evaluation : Evaluation

    Returns
    -------
    dict
        As `compare`, with the measures `excerpt_mrr` (mean reciprocal rank) and `excerpt_hit@k`.
    """
    k, scores = evaluation.settings.k, {}
    for name, (excerpts, rests) in systems.items():
        usable = np.isfinite(excerpts).all(axis=1) & np.isfinite(rests).all(axis=1)
        reciprocal = np.full(len(excerpts), np.nan)
        if usable.any():
            similarity = cosine(excerpts[usable], rests[usable])
            reciprocal[usable] = relevance.reciprocal_rank(similarity)
        hit = np.where(np.isnan(reciprocal), np.nan, reciprocal >= 1 / k)
        scores[name] = {f"{EXCERPT}_mrr": reciprocal, f"{EXCERPT}_hit@{k}": hit}
    return _report(scores, evaluation, hubs={})


def cosine(left, right=None):
    """Cosine similarity of the rows of one array, or of two."""

    def unit(vectors):
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.maximum(lengths, 1e-12)

    left = unit(np.asarray(left, dtype=np.float64))
    return left @ (left if right is None else unit(np.asarray(right, dtype=np.float64))).T


def standardised(vectors, reference, groups):
    """Make hand-picked features comparable: z-scored, every group of them of equal weight.

    Parameters
    ----------
    vectors : numpy.ndarray, shape (n_tracks, d)
    reference : numpy.ndarray, shape (n_others, d)
        Other artists' recordings, which give mean and deviation.
    groups : sequence of int
        Sizes of the groups of columns; they sum to d.

    Returns
    -------
    numpy.ndarray, shape (n_tracks, d)
    """
    deviation = reference.std(axis=0)
    scores = (vectors - reference.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return scores / np.sqrt(np.repeat(groups, groups))


def by_other_tags(evaluation):
    """Rank by the overlap of the other tag columns: what words can say, as a reference.

    Returns
    -------
    dict of str to numpy.ndarray, shape (n_tracks, n_tracks)
        By the column that is measured; empty where there is only one.
    """
    gains = evaluation.gains
    if len(gains) < 2:
        return {}
    return {c: sum(g for other, g in gains.items() if other != c) for c in gains}


def at_random(evaluation):
    """Similarities that mean nothing: the floor of every measure."""
    rng = np.random.default_rng(evaluation.settings.seed + 1)
    return rng.random((len(evaluation.tracks),) * 2)


def load_other(path, tracks):
    """Read another system's view of the catalogue.

    Parameters
    ----------
    path : path-like
        `.npz` with `ids` (n,) and `emb` (n, d), compared by cosine, or `sim` (n, n).
    tracks : pandas.DataFrame
        The tracks that it must cover.

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks, n_tracks)

    Raises
    ------
    SimlibError
        If it is absent, malformed, or leaves tracks out.
    """
    mend = "see 'make help' on compare for the format, or take it out of evaluate.compare"
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if name in ("ids", "emb", "sim")}
    except (OSError, ValueError, TypeError, EOFError, BadZipFile, zlib.error) as error:
        raise SimlibError(path, f"cannot be read ({error})", mend) from None
    if "ids" not in arrays or not {"emb", "sim"} & set(arrays):
        raise SimlibError(path, "lacks 'ids', or both 'emb' and 'sim'", mend)
    name = "sim" if "sim" in arrays else "emb"
    values, n = arrays[name], arrays["ids"].size
    fits = values.shape == (n, n) if name == "sim" else values.ndim == 2 and len(values) == n
    if arrays["ids"].ndim != 1 or not fits:
        raise SimlibError(path, f"'{name}' of shape {values.shape} does not fit {n} 'ids'", mend)
    if values.dtype.kind not in "fiu":
        raise SimlibError(path, "holds values that are not numbers", mend)
    position = {str(name): i for i, name in enumerate(arrays["ids"])}
    wanted = list(tracks["track_id"].to_numpy(dtype=object))
    # Files are known to other programs by their names.
    keys = [t if t in position else Path(t).name for t in wanted]
    absent = [t for t, key in zip(wanted, keys, strict=True) if key not in position]
    if absent:
        cause = f"lacks {len(absent)} of {len(wanted)} test tracks, '{absent[0]}' for one"
        raise SimlibError(path, cause, mend)
    rows = np.array([position[key] for key in keys])
    matrix = values[np.ix_(rows, rows)] if name == "sim" else cosine(values[rows])
    if not np.isfinite(matrix).all():
        raise SimlibError(path, "holds values that are not numbers", mend)
    return matrix.astype(np.float64)


def test_side(tracks, sides):
    """Return the rows of the test artists and the tag columns of the whole catalogue.

    Raises
    ------
    SimlibError
        If there are fewer than two test recordings.
    """
    rows = np.flatnonzero(sides == "test")
    if len(rows) < 2:
        raise SimlibError(
            "test artists",
            f"the split leaves {len(rows)} recording(s) to evaluate on",
            "add music by more artists, or raise split.test in params.yaml",
        )
    return rows, tag_columns(tracks)
