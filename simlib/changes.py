"""What a retrain changed: the lists of two indexes of one catalogue, beside each other."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from dvc.exceptions import DvcException, NotDvcRepoError, OutputNotFoundError
from dvc.repo import Repo
from dvc.scm import RevError, SCMError, resolve_rev
from dvc_data.index import DataIndexError

from simlib import artefacts, findings, hubs
from simlib.artefacts import SimlibError
from simlib.catalogue import tag_sets
from simlib.evaluate import Evaluation
from simlib.index import Index

# Where the index of a revision is laid, in the project; git and DVC leave it alone.
BEFORE = ".checkpoints/before"


def fetch(root, revision, folder):
    """Take the index of an earlier revision out of DVC's cache, or the project's remote.

    Parameters
    ----------
    root : path-like
        The project.
    revision : str
        Anything that git takes for a commit: `HEAD~1`, a tag, part of a hash.
    folder : path-like
        Where to put the index, in place of what is there, with `revision.json`: the revision as
        it was named, and its commit.

    Returns
    -------
    str
        The commit.

    Raises
    ------
    SimlibError
        If there is no such revision, it knows of no index, or the cache has lost it.
    """
    commit = _commit(root, revision)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with Repo(str(root)) as repo, repo.switch(commit):
            [out] = repo.find_outs_by_path(repo.fs.join(repo.root_dir, "index"))
            if not out.hash_info:
                raise OutputNotFoundError("index")
            repo.dvcfs.get("/index", str(folder), recursive=True)
    except (NotDvcRepoError, OutputNotFoundError):
        mend = "name a later one: 'git log --oneline dvc.lock' lists the runs"
        raise SimlibError(revision, "knows of no index", mend) from None
    except (DvcException, DataIndexError, OSError) as error:
        cause = f"its index is not in DVC's cache ({' '.join(str(error).split())})"
        mend = "check that revision out and run 'make repro', or name another one"
        raise SimlibError(revision, cause, mend) from None
    named = {"revision": revision, "commit": commit}
    artefacts.write_json(Path(folder) / "revision.json", named)
    return commit


def _commit(root, revision):
    try:
        with Repo(str(root)) as repo:
            return repo.scm.resolve_commit(resolve_rev(repo.scm, revision)).hexsha
    except (RevError, AttributeError):
        # The second is what DVC makes of an object of git's that is no commit.
        mend = "'git log --oneline' lists those that there are"
        raise SimlibError(revision, "is no revision of this project", mend) from None
    except (SCMError, DvcException):
        mend = "make it one ('git init'), and commit dvc.lock after each run to compare with it"
        raise SimlibError(root, "is no git repository that DVC knows", mend) from None


def load(folder, mend):
    """Read an index, whichever weights made it.

    Parameters
    ----------
    folder : pathlib.Path
    mend : str
        What to do if it cannot be read.

    Returns
    -------
    simlib.index.Index

    Raises
    ------
    SimlibError
        If it is absent, damaged, or of a form that this version does not know.
    """
    made_with = artefacts.read_json(folder / "made_with.json", mend)
    try:
        return Index.load(folder, made_with["model"])
    except SimlibError as error:
        cause = error.cause
    except (KeyError, TypeError):
        cause = "cannot be read (made_with.json is of another form)"
    raise SimlibError(folder, f"{cause} by this version of simlib", mend)


class Comparison:
    """The lists that two indexes of one catalogue give.

    Only recordings that both have are compared, by their track ids, and listed, as search ranks
    them if they were the whole catalogue: what joined or left pushes nothing out. Artists and tags
    are those of the later index. Of more than 5,000 recordings, so many, evenly spread.

    Parameters
    ----------
    before, after : simlib.index.Index
    settings : simlib.settings.EvaluateSettings
        Of which `k` and `seed` count.

    Attributes
    ----------
    evaluation : simlib.evaluate.Evaluation
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

    def __init__(self, before, after, settings):
        rows = pd.Index(before.tracks["track_id"]).get_indexer(after.tracks["track_id"])
        both = np.flatnonzero(rows >= 0)
        self.kept = len(both)
        self.gone, self.new = len(before.tracks) - len(both), len(after.tracks) - len(both)
        looked_at = both[hubs.spread(len(both), findings.LOOKED_AT)]
        tracks = after.tracks.iloc[looked_at]
        self.evaluation = Evaluation(tracks, after.tag_columns, settings)
        if not self.evaluation.allowed.any():
            cause = f"have {self.kept} recording(s) in common, not by two artists"
            raise SimlibError("the two indexes", cause, "name a revision with the same music")
        vectors = before.weighed()[rows[looked_at]], after.weighed()[looked_at]
        artists = self.evaluation.artists
        self.similarities = tuple(hubs.corrected(v, artists) for v in vectors)
        self.lists = tuple(self.evaluation.ranked(s) for s in self.similarities)
        self.overlap = overlap(*self.lists)


def overlap(before, after):
    """Share of each list's candidates that stand in the other, too, at whatever rank.

    Parameters
    ----------
    before, after : numpy.ndarray of int64, shape (n_queries, k)
        From `relevance.ranking`, with the same candidates allowed.

    Returns
    -------
    numpy.ndarray of float64, shape (n_queries,)
        NaN for an empty list.
    """
    listed = before >= 0
    shared = ((before[:, :, None] == after[:, None, :]) & listed[:, :, None]).any(axis=2)
    size = listed.sum(axis=1)
    return np.divide(shared.sum(axis=1), size, out=np.full(len(size), np.nan), where=size > 0)


def headline(comparison, since):
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


def by_chance(comparison):
    """Return the overlap that lists drawn at random would have, on average over the queries."""
    allowed = comparison.evaluation.allowed.sum(axis=1)
    sizes = (comparison.lists[0] >= 0).sum(axis=1)
    return float(np.mean(sizes[allowed > 0] / allowed[allowed > 0]))


def summary(comparison):
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


def by_tag(comparison, most=15):
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


def moved(comparison, count):
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
    nearness = np.where(before >= 0, now, 0.0).sum(axis=1)
    ids = comparison.evaluation.tracks["track_id"].to_numpy(dtype=object).astype(str)
    chosen = {}
    for row in np.lexsort((ids, nearness, comparison.overlap)):
        if comparison.overlap[row] < 1:
            chosen.setdefault(comparison.evaluation.artists[row], int(row))
    return list(chosen.values())[:count]


def before_and_after(comparison, query):
    """The two ranked lists of one recording, each with what became of its entries.

    Returns
    -------
    before, after : pandas.DataFrame
        As from `findings.neighbour_table`, with one column more: in the earlier list `after`, as
        `now 3` or `went`; in the later list `before`, as `was 3` or `came`.
    """
    before, after = (
        findings.neighbour_table(comparison.evaluation, similarity, query)
        for similarity in comparison.similarities
    )
    later = dict(zip(after["track_id"], after["rank"], strict=True))
    earlier = dict(zip(before["track_id"], before["rank"], strict=True))
    before["after"] = [f"now {later[t]}" if t in later else "went" for t in before["track_id"]]
    after["before"] = [f"was {earlier[t]}" if t in earlier else "came" for t in after["track_id"]]
    return before, after
