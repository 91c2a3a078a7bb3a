"""The ranked lists of two indexes of one catalogue, compared: what a training changed."""

import numpy as np
import pandas as pd

from simlib.core import SimlibError, stable_sample
from simlib.evaluation.examples import neighbour_table
from simlib.evaluation.lists import query_blocks
from simlib.evaluation.protocol import Evaluation
from simlib.evaluation.settings import EvaluateSettings
from simlib.evaluation.similarities import HubCorrectedSimilarity
from simlib.index import Index
from simlib.relevance import tag_sets


class IndexComparison:
    """The ranked lists that two indexes of one catalogue give.

    Only tracks of both are compared, matched by their track ids. Their lists are ranked as if they
    were the whole catalogue, so that new tracks push nothing out. Artists and tags are those of the
    later index.

    Parameters
    ----------
    before, after : simlib.index.Index
    settings : simlib.evaluation.EvaluateSettings
        `k`, `seed` and `most_tracks`: of more tracks, a sample is compared.

    Attributes
    ----------
    evaluation : simlib.evaluation.Evaluation
        The n tracks that are compared.
    similarities : tuple of two simlib.evaluation.HubCorrectedSimilarity
        Before and after.
    lists : tuple of two simlib.evaluation.RankedLists
        Of all n tracks as queries.
    kept_shares : numpy.ndarray of float64, shape (n,)
        Share of a list's tracks that stayed in it; NaN for an empty list.
    unchanged : int
        How many lists have the same tracks in the same order.
    kept, gone, new : int
        How many tracks are in both, only in `before`, only in `after`.

    Raises
    ------
    SimlibError
        If the tracks of both are not by two artists at least.
    """

    def __init__(self, before: Index, after: Index, settings: EvaluateSettings):
        rows = pd.Index(before.tracks["track_id"]).get_indexer(after.tracks["track_id"])
        both = np.flatnonzero(rows >= 0)
        self.kept = len(both)
        self.gone, self.new = len(before.tracks) - len(both), len(after.tracks) - len(both)
        sampled = both[stable_sample(after.tracks["track_id"].iloc[both], settings.most_tracks)]
        self.evaluation = Evaluation(after.tracks.iloc[sampled], after.tag_columns, settings)
        if not self.evaluation.candidate_counts().any():
            cause = f"have {self.kept} recording(s) in common, not by two artists"
            raise SimlibError("the two indexes", cause, "name a revision with the same music")
        self.similarities = tuple(
            HubCorrectedSimilarity(
                index.weighted()[at], self.evaluation.artists, index.settings.hubs
            )
            for index, at in ((before, rows[sampled]), (after, sampled))
        )
        everyone = np.arange(len(sampled))
        self.lists = tuple(self.evaluation.rank(s, everyone) for s in self.similarities)
        before_ranked, after_ranked = (lists.ranked for lists in self.lists)
        self.kept_shares = kept_shares(before_ranked, after_ranked)
        same = (before_ranked == after_ranked).all(axis=1)
        self.unchanged = int((same & np.isfinite(self.kept_shares)).sum())


def kept_shares(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Compute the share of each earlier list's candidates that are in the later one, at any rank.

    Parameters
    ----------
    before, after : numpy.ndarray of int64, shape (n_queries, k)
        Ranks of the same candidates, from `RankedLists`.

    Returns
    -------
    numpy.ndarray of float64, shape (n_queries,)
        NaN for an empty list.
    """
    listed = before >= 0
    shared = ((before[:, :, None] == after[:, None, :]) & listed[:, :, None]).any(axis=2)
    size = listed.sum(axis=1)
    return np.divide(shared.sum(axis=1), size, out=np.full(len(size), np.nan), where=size > 0)


def diff_headline(comparison: IndexComparison, since: str) -> str:
    """Sum up in one or two sentences how much has changed.

    Parameters
    ----------
    comparison : IndexComparison
    since : str
        The name of the earlier index.

    Returns
    -------
    str
    """
    total, same = int(np.isfinite(comparison.kept_shares).sum()), comparison.unchanged
    if same == total:
        text = f"Nothing has changed in the lists since {since}: all {total} are as they were."
    else:
        text = (
            f"Since {since}, {np.nanmean(comparison.kept_shares):.0%} of a list's recordings have "
            f"stayed in it on average, where chance would keep {by_chance(comparison):.0%}; "
            f"{same} of {total} lists are as they were."
        )
    if comparison.new or comparison.gone:
        text += f" {comparison.new} recording(s) have joined since, {comparison.gone} have left."
    return text


def by_chance(comparison: IndexComparison) -> float:
    """Return the share that lists drawn at random would keep, on average over the queries."""
    candidates = comparison.evaluation.candidate_counts()
    sizes = (comparison.lists[0].ranked >= 0).sum(axis=1)
    return float(np.mean(sizes[candidates > 0] / candidates[candidates > 0]))


def diff_summary(comparison: IndexComparison) -> pd.DataFrame:
    """Tabulate the figures.

    Returns
    -------
    pandas.DataFrame
        Columns `measure` and `value`: an int for a count, a float for a share between 0 and 1 and
        for the skewness of the k-occurrence.
    """
    evaluation, kept = comparison.evaluation, comparison.kept_shares
    before, after = (evaluation.hub_skew(s) for s in comparison.similarities)
    values = {
        "recordings in both": comparison.kept,
        "only before": comparison.gone,
        "only after": comparison.new,
        "lists compared": int(np.isfinite(kept).sum()),
        "share of a list that stayed: mean": float(np.nanmean(kept)),
        "by chance": by_chance(comparison),
        **{f"{q}% of lists keep at most": float(np.nanpercentile(kept, q)) for q in (10, 50, 90)},
        "lists with the same recordings": int((kept == 1).sum()),
        "lists as they were, in order": comparison.unchanged,
        f"hub skew@{evaluation.settings.k} before": before,
        f"hub skew@{evaluation.settings.k} after": after,
    }
    # As objects, so that counts stay integers.
    return pd.Series(values, dtype=object).rename_axis("measure").reset_index(name="value")


def by_tag(comparison: IndexComparison, most: int = 15) -> pd.DataFrame:
    """Average by tag how much of their lists tracks kept, for the first tag column.

    Returns
    -------
    pandas.DataFrame
        The `most` frequent tags, those whose lists kept least first: the tag, under the column's
        name, `recordings`, and `stayed`, the mean share. Empty without tag columns.
    """
    evaluation = comparison.evaluation
    if not evaluation.columns:
        return pd.DataFrame()
    column = evaluation.columns[0]
    tags = [sorted(tags) for tags in tag_sets(evaluation.tracks[column])]
    rows = pd.DataFrame({column: tags, "stayed": comparison.kept_shares}).explode(column).dropna()
    table = rows.groupby(column)["stayed"].agg(recordings="size", stayed="mean")
    table = table.nlargest(most, "recordings", keep="first")
    return table.sort_values("stayed", kind="stable").reset_index()


def moved_queries(comparison: IndexComparison, count: int) -> list[int]:
    """Find the tracks whose lists kept least, at most one by an artist.

    Of two lists that kept the same share, the one comes first whose earlier tracks are now less
    similar to the query, then the smaller track id.

    Returns
    -------
    list of int
        Rows of the evaluation's tracks; none whose list kept all.
    """
    before, artists = comparison.lists[0].ranked, comparison.evaluation.artists
    now = [
        np.take_along_axis(comparison.similarities[1][rows], np.maximum(before[rows], 0), axis=1)
        for rows in query_blocks(comparison.lists[0].queries, len(artists))
    ]
    similarity = np.where(before >= 0, np.concatenate(now), 0.0).sum(axis=1)
    ids = comparison.evaluation.tracks["track_id"].to_numpy(dtype=object).astype(str)
    chosen: dict[str, int] = {}
    for row in np.lexsort((ids, similarity, comparison.kept_shares)):
        if comparison.kept_shares[row] < 1:
            chosen.setdefault(artists[row], int(row))
    return list(chosen.values())[:count]


def before_and_after(comparison: IndexComparison, query: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the two ranked lists of one track, each with the ranks in the other one.

    Returns
    -------
    before, after : pandas.DataFrame
        As from `neighbour_table`, with one column more: in the earlier list `after`, as
        `now 3` or `went`; in the later list `before`, as `was 3` or `came`.
    """
    both = comparison.lists
    before, after = (neighbour_table(comparison.evaluation, lists, query) for lists in both)
    later, earlier = (t.set_index("track_id")["rank"].to_dict() for t in (after, before))
    before["after"] = [f"now {later[t]}" if t in later else "went" for t in before["track_id"]]
    after["before"] = [f"was {earlier[t]}" if t in earlier else "came" for t in after["track_id"]]
    return before, after
