"""What a retrain changed: the lists of two indexes of one catalogue, beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simlib.core import SimlibError, evenly_spread
from simlib.evaluation.examples import neighbour_table
from simlib.evaluation.hub_effects import MOST_TRACKS
from simlib.evaluation.protocol import Evaluation
from simlib.index import hub_corrected
from simlib.relevance import tag_sets

if TYPE_CHECKING:
    from simlib.evaluation.settings import EvaluateSettings
    from simlib.index import Index


class IndexComparison:
    """The lists that two indexes of one catalogue give.

    Only recordings that both have are compared, by their track ids, and listed, as search ranks
    them if they were the whole catalogue: what joined or left pushes nothing out. Artists and tags
    are those of the later index. Of more than 5,000 recordings, so many, evenly spread.

    Parameters
    ----------
    before, after : simlib.index.Index
    settings : simlib.evaluation.EvaluateSettings
        Of which `k` and `seed` count.

    Attributes
    ----------
    evaluation : simlib.evaluation.Evaluation
        The n recordings that are compared.
    similarities : tuple of two numpy.ndarray of float64, shape (n, n)
        As search ranks, before and after.
    lists : tuple of two numpy.ndarray of int64, shape (n, k)
        Rows of the evaluation's tracks, the artist filter applied; -1 for none.
    overlap : numpy.ndarray of float64, shape (n,)
        Share of a list's recordings that stayed in it; NaN where a list is empty.
    kept, gone, new : int
        How many recordings both have, only `before`, only `after`.

    Raises
    ------
    SimlibError
        If what both have is not by two artists at least.
    """

    def __init__(self, before: Index, after: Index, settings: EvaluateSettings):
        rows = pd.Index(before.tracks["track_id"]).get_indexer(after.tracks["track_id"])
        both = np.flatnonzero(rows >= 0)
        self.kept = len(both)
        self.gone, self.new = len(before.tracks) - len(both), len(after.tracks) - len(both)
        sampled = both[evenly_spread(len(both), MOST_TRACKS)]
        tracks = after.tracks.iloc[sampled]
        self.evaluation = Evaluation(tracks, after.tag_columns, settings)
        if not self.evaluation.candidate_mask.any():
            cause = f"have {self.kept} recording(s) in common, not by two artists"
            raise SimlibError("the two indexes", cause, "name a revision with the same music")
        vectors = before.weighted()[rows[sampled]], after.weighted()[sampled]
        artists = self.evaluation.artists
        self.similarities = tuple(
            hub_corrected(v, artists, index.settings.hubs)
            for v, index in zip(vectors, (before, after), strict=True)
        )
        self.lists = tuple(self.evaluation.ranked(s) for s in self.similarities)
        self.overlap = list_overlap(*self.lists)


def list_overlap(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Share of each list's candidates that stand in the other, too, at whatever rank.

    Parameters
    ----------
    before, after : numpy.ndarray of int64, shape (n_queries, k)
        From `rank_candidates`, with the same candidates allowed.

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
    """Say in words how much has changed.

    Parameters
    ----------
    comparison : Comparison
    since : str
        What the earlier index is called.

    Returns
    -------
    str
    """
    total, same = int(np.isfinite(comparison.overlap).sum()), _as_they_were(comparison)
    if same == total:
        text = f"Nothing has changed in the lists since {since}: all {total} are as they were."
    else:
        text = (
            f"Since {since}, {np.nanmean(comparison.overlap):.0%} of a list's recordings have "
            f"stayed in it on average, where chance would keep {by_chance(comparison):.0%}; "
            f"{same} of {total} lists are as they were."
        )
    if comparison.new or comparison.gone:
        text += f" {comparison.new} recording(s) have joined since, {comparison.gone} have left."
    return text


def _as_they_were(comparison):
    before, after = comparison.lists
    return int(((before == after).all(axis=1) & np.isfinite(comparison.overlap)).sum())


def by_chance(comparison: IndexComparison) -> float:
    """Return the overlap that lists drawn at random would have, on average over the queries."""
    candidate_mask = comparison.evaluation.candidate_mask.sum(axis=1)
    sizes = (comparison.lists[0] >= 0).sum(axis=1)
    return float(np.mean(sizes[candidate_mask > 0] / candidate_mask[candidate_mask > 0]))


def diff_summary(comparison: IndexComparison) -> pd.DataFrame:
    """Lay out the figures.

    Returns
    -------
    pandas.DataFrame
        Columns `measure` and `value`: an int for a count, a float for a share between 0 and 1 and
        for the skewness of the k-occurrence.
    """
    kept = comparison.overlap
    k = comparison.evaluation.settings.k
    skews = [comparison.evaluation.hub_skew(s) for s in comparison.similarities]
    values = {
        "recordings in both": comparison.kept,
        "only before": comparison.gone,
        "only after": comparison.new,
        "lists compared": int(np.isfinite(kept).sum()),
        "share of a list that stayed: mean": float(np.nanmean(kept)),
        "by chance": by_chance(comparison),
        **{f"{q}% of lists keep at most": float(np.nanquantile(kept, q / 100))
           for q in (10, 50, 90)},
        "lists with the same recordings": int((kept == 1).sum()),
        "lists as they were, in order": _as_they_were(comparison),
        f"hub skew@{k} before": skews[0],
        f"hub skew@{k} after": skews[1],
    }  # fmt: skip
    return pd.DataFrame(
        {"measure": list(values), "value": pd.Series(values.values(), dtype=object)}
    )


def by_tag(comparison: IndexComparison, most: int = 15) -> pd.DataFrame:
    """Whose lists moved most, for the first tag column.

    Returns
    -------
    pandas.DataFrame
        The `most` frequent tags, those that moved most first: the tag, under the column's name,
        `recordings`, and `stayed`, the mean overlap of their lists. Empty without tag columns.
    """
    evaluation = comparison.evaluation
    if not evaluation.columns:
        return pd.DataFrame()
    column = evaluation.columns[0]
    tags = [sorted(tags) for tags in tag_sets(evaluation.tracks[column])]
    rows = pd.DataFrame({column: tags, "stayed": comparison.overlap}).explode(column).dropna()
    table = rows.groupby(column)["stayed"].agg(recordings="size", stayed="mean")
    table = table.nlargest(most, "recordings", keep="first")
    return table.sort_values("stayed", kind="stable").reset_index()


def moved_queries(comparison: IndexComparison, count: int) -> list[int]:
    """Name the recordings whose lists moved most, at most one by an artist.

    Those that kept the fewest come first; among them, those that are now least similar to what
    stood in their lists before, and then by track id.

    Returns
    -------
    list of int
        Rows of the evaluation's tracks; none whose list kept all.
    """
    before = comparison.lists[0]
    now = np.take_along_axis(comparison.similarities[1], np.maximum(before, 0), axis=1)
    similarity = np.where(before >= 0, now, 0.0).sum(axis=1)
    ids = comparison.evaluation.tracks["track_id"].to_numpy(dtype=object).astype(str)
    chosen: dict[int, int] = {}
    for row in np.lexsort((ids, similarity, comparison.overlap)):
        if comparison.overlap[row] < 1:
            chosen.setdefault(comparison.evaluation.artists[row], int(row))
    return list(chosen.values())[:count]


def before_and_after(comparison: IndexComparison, query: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the two ranked lists of one recording, each with what became of its entries.

    Returns
    -------
    before, after : pandas.DataFrame
        As from `neighbour_table`, with one column more: in the earlier list `after`, as
        `now 3` or `went`; in the later list `before`, as `was 3` or `came`.
    """
    before, after = (
        neighbour_table(comparison.evaluation, similarity, query)
        for similarity in comparison.similarities
    )
    later = dict(zip(after["track_id"], after["rank"], strict=True))
    earlier = dict(zip(before["track_id"], before["rank"], strict=True))
    before["after"] = [f"now {later[t]}" if t in later else "went" for t in before["track_id"]]
    after["before"] = [f"was {earlier[t]}" if t in earlier else "came" for t in after["track_id"]]
    return before, after
