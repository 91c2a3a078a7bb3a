"""What words cannot say: which tags can be heard, which name one sound, whom they do not fit.

A word is heard where the neighbours of recordings that carry it carry it more often than those of
other recordings do. Artists are the witnesses: intervals resample them, and chance is what the same
lists tell when artists swap their tags. Among dozens of words some would pass by chance, so that
what is claimed is held to a false discovery rate (Benjamini and Hochberg 1995).
"""

import numpy as np
import pandas as pd

from simlib.evaluation.tag_audibility import HALF


def suspicious_tracks(neighbourhoods, count):
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
