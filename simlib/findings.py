"""What an evaluation tells: tables, a verdict in words, queries to listen to."""

import numpy as np
import pandas as pd

from simlib import evaluate, hubs, relevance
from simlib.artefacts import digest_of
from simlib.catalogue import artist_keys, tag_sets

# Pairs of tracks grow with the square.
LOOKED_AT = 5_000


def verdict(report, baselines=("mfcc", "untrained")):
    """Say in words what the numbers say, also when they are bad.

    Parameters
    ----------
    report : dict
        From `compare` or `compare_excerpts`.
    baselines : iterable of str
        Which systems to speak of.

    Returns
    -------
    headline : str
    details : list of str
        A sentence for each baseline and measure.
    """
    names = {"mfcc": "the hand-picked features", "untrained": "the same network untrained"}
    sides, details = {}, []
    for system in baselines:
        for measure, lead in report[system]["simlib_lead"].items():
            if lead["value"] is None:
                continue
            side = "ahead of" if lead["low"] > 0 else "behind" if lead["high"] < 0 else "level with"
            sides.setdefault(system, {}).setdefault(side, []).append(measure)
            ours, theirs = report["simlib"][measure]["value"], report[system][measure]["value"]
            details.append(
                f"{measure}: {ours:.3f} against {theirs:.3f} of {names.get(system, system)}; "
                f"difference {lead['value']:+.3f}, 95% interval {lead['low']:+.3f} to "
                f"{lead['high']:+.3f}: {side.removesuffix(' of').removesuffix(' with')}."
            )
    if not details:
        return "There were too few test recordings to say anything.", []
    clauses = [
        f"{side} {names.get(system, system)} on {', '.join(found[side])}"
        for system, found in sides.items()
        for side in ("ahead of", "level with", "behind")
        if side in found
    ]
    headline = f"The Siamese network is {'; '.join(clauses)}."
    if any(measure.startswith(evaluate.EXCERPT) for measure in report["simlib"]):
        headline += (
            " Without tags, how well an excerpt finds the rest of its own recording is all that can"
            " be measured; whether the lists sound alike, listening will say."
        )
    return headline, details


def table(report):
    """Lay the report out as one row a system and measure.

    Returns
    -------
    pandas.DataFrame
        Columns `system, measure, value, low, high, n`.
    """
    rows = [
        {"system": system, "measure": measure, **entry}
        for system, measures in report.items()
        for measure, entry in measures.items()
        if measure != "simlib_lead"
    ]
    return pd.DataFrame(rows, columns=["system", "measure", "value", "low", "high", "n"])


def wide_table(report):
    """Lay the report out as one row a system: `value [low, high]` by measure."""
    long = table(report)
    long["text"] = [
        "" if pd.isna(row.value)
        else f"{row.value:.3f}" + ("" if pd.isna(row.low) else f" [{row.low:.3f}, {row.high:.3f}]")
        for row in long.itertuples()
    ]  # fmt: skip
    wide = long.pivot(index="system", columns="measure", values="text")
    order = list(dict.fromkeys(long["system"])), list(dict.fromkeys(long["measure"]))
    return wide.loc[order[0], order[1]].fillna("").reset_index()


def lead_table(report):
    """Lay out simlib's leads: `difference [low, high]` by system and measure."""
    rows = []
    for system, entry in report.items():
        cells = {
            measure: f"{lead['value']:+.3f} [{lead['low']:+.3f}, {lead['high']:+.3f}]"
            for measure, lead in entry.get("simlib_lead", {}).items()
            if lead["value"] is not None
        }
        if cells:
            rows.append({"simlib minus": system, **cells})
    return pd.DataFrame(rows).fillna("")


def examples(evaluation, count):
    """Choose queries of great variety: spread over tag values and artists, the same every time.

    Returns
    -------
    list of int
        Rows of the evaluation's tracks.
    """
    tracks = evaluation.tracks
    order = np.argsort([digest_of(str(t)) for t in tracks["track_id"]])
    chosen, artists, seen = [], set(), {}
    first = tag_sets(tracks[evaluation.columns[0]]) if evaluation.columns else None
    for _ in range(min(count, len(tracks))):
        # The next is the one whose tags, and then whose artist, have been heard least.
        def heard(row):
            tags = first[row] if first else frozenset()
            return (
                row in chosen,
                min((seen.get(tag, 0) for tag in tags), default=0),
                evaluation.artists[row] in artists,
            )

        row = min(order, key=heard)
        chosen.append(int(row))
        artists.add(evaluation.artists[row])
        for tag in first[row] if first else ():
            seen[tag] = seen.get(tag, 0) + 1
    return chosen


def hardest(evaluation, similarity, count):
    """Name the queries whose lists are worst, by the mean of their nDCG over tag columns.

    Returns
    -------
    list of int
        Rows of the evaluation's tracks, the worst first; empty where there is no tag column.
    """
    measures = evaluation.scores(similarity)
    ndcgs = [values for name, values in measures.items() if "_ndcg@" in name]
    if not ndcgs:
        return []
    counted = np.isfinite(ndcgs).any(axis=0)
    mean = np.full(len(counted), np.inf)
    mean[counted] = np.nanmean(np.stack(ndcgs)[:, counted], axis=0)
    return [int(row) for row in np.argsort(mean, kind="stable")[:count] if counted[row]]


def neighbour_table(evaluation, similarity, query):
    """The ranked list of one query with what it shares with it; see `listed`."""
    ranked = evaluation.ranked(similarity)[query]
    ranked = ranked[ranked >= 0]
    return listed(evaluation.tracks, evaluation.columns, query, ranked, similarity[query, ranked])


def listed(tracks, columns, query, ranked, similarities):
    """Lay out a ranked list.

    Parameters
    ----------
    tracks : pandas.DataFrame
    columns : list of str
        Its tag columns.
    query : int
        Its row of the reference.
    ranked : numpy.ndarray of int, shape (n_found,)
        Rows of the results, best first.
    similarities : numpy.ndarray, shape (n_found,)

    Returns
    -------
    pandas.DataFrame
        Columns `rank, track_id, path, title, artist, similarity`, the tag columns and `shares`,
        the tags in common.
    """
    table = tracks.iloc[ranked][["track_id", "path", "title", "artist", *columns]].copy()
    table.insert(0, "rank", np.arange(1, len(ranked) + 1))
    table.insert(4, "similarity", similarities)
    sets = [tag_sets(tracks[column].iloc[[query, *ranked]]) for column in columns]
    table["shares"] = [
        ", ".join(sorted(frozenset().union(*(tags[0] & tags[at] for tags in sets))))
        for at in range(1, len(ranked) + 1)
    ]
    return table.reset_index(drop=True)


def tag_neighbourhoods(evaluation, similarity, most=15):
    """Whose company the queries with a tag keep, for the first tag column.

    Returns
    -------
    pandas.DataFrame
        Rows: tags of the query, columns: tags of a neighbour, both the most frequent `most`; cells:
        the share of the k neighbours with that tag. Empty where there is no tag column.
    """
    if not evaluation.columns:
        return pd.DataFrame()
    column = evaluation.columns[0]
    member = evaluation.members[column]
    names = np.array(sorted(frozenset().union(*tag_sets(evaluation.tracks[column]))), dtype=object)
    often = np.argsort(-member.sum(axis=0), kind="stable")[:most]
    often = often[member[:, often].sum(axis=0) > 0]
    ranked = evaluation.ranked(similarity)
    present = (ranked >= 0)[:, :, None]
    share = (member[np.maximum(ranked, 0)] * present).sum(axis=1)
    share = share / np.maximum(present.sum(axis=1), 1)
    queries = member[:, often]
    cells = (queries.T @ share[:, often]) / queries.sum(axis=0)[:, None]
    names = pd.Index(names[often], name=column)
    return pd.DataFrame(cells, index=names, columns=names)


def hubs_before_and_after(vectors, tracks, k, seed):
    """Count in how many lists each track of the catalogue stands, without and with correction.

    Every track is a query to all the others by other artists, as search ranks them; of more than
    5,000 tracks, so many, evenly spread.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, embedding)
        Of unit length.
    tracks : pandas.DataFrame
    k, seed : int

    Returns
    -------
    skew : dict of str to float
        Skewness of the k-occurrence `by cosine` and `corrected`.
    table : pandas.DataFrame
        The five tracks that stood in most lists by cosine: `track_id, title, artist`, and the
        two counts.
    """
    looked_at = hubs.spread(len(vectors), LOOKED_AT)
    vectors, tracks = vectors[looked_at], tracks.iloc[looked_at].reset_index(drop=True)
    artists = artist_keys(tracks)
    similarities = {
        "by cosine": vectors @ vectors.T,
        "corrected": hubs.corrected(vectors, artists),
    }
    allowed = relevance.other_artists(artists)
    table = tracks[["track_id", "title", "artist"]].copy()
    skew = {}
    for name, similarity in similarities.items():
        ranked = relevance.ranking(similarity, allowed, k, seed)
        table[name] = np.bincount(ranked[ranked >= 0], minlength=len(tracks))
        skew[name] = evaluate.skewness(table[name])
    return skew, table.nlargest(5, "by cosine", keep="first").reset_index(drop=True)


def price(evaluation, before, after):
    """Lay out what a correction does to the lists of the test artists: nDCG before and after.

    Parameters
    ----------
    evaluation : simlib.evaluate.Evaluation
    before, after : numpy.ndarray, shape (n_tracks, n_tracks)
        Similarities.

    Returns
    -------
    pandas.DataFrame
        Columns `measure`, `by cosine`, `corrected` and `difference`, paired, with its interval.
    """
    first, second = evaluation.scores(before), evaluation.scores(after)
    rows = []
    for measure in first:
        change = evaluation.interval(second[measure] - first[measure])
        if "_ndcg@" not in measure or change["value"] is None:
            continue
        rows.append({
            "measure": measure,
            "by cosine": f"{np.nanmean(first[measure]):.3f}",
            "corrected": f"{np.nanmean(second[measure]):.3f}",
            "difference": f"{change['value']:+.3f} [{change['low']:+.3f}, {change['high']:+.3f}]",
        })  # fmt: skip
    return pd.DataFrame(rows, columns=["measure", "by cosine", "corrected", "difference"])
