"""How far a score, and "nothing here is close", can be taken at their word."""

import numpy as np
import pandas as pd

from simlib.calibration import company, others_of, unrelated_proximities
from simlib.catalogue import tag_columns, tag_sets
from simlib.evaluate import bootstrap


def reliability(index, calibration, rows, settings):
    """Compare what is stated of scores with what is so, for other queries.

    Parameters
    ----------
    index : simlib.index.Index
    calibration : simlib.calibration.Calibration
    rows : numpy.ndarray of int, shape (n_queries,)
    settings : simlib.settings.EvaluateSettings

    Returns
    -------
    pandas.DataFrame
        Columns `stated`, shares of unrelated pairs that are said to be less near, `found`, the
        shares that are, `low` and `high`, its 95% interval over the queries' artists; empty where
        no pair is unrelated.
    """
    proximities = unrelated_proximities(index, rows)
    artists = np.repeat(index.artists[rows], [len(found) for found in proximities])
    scores = calibration.closer_than(np.concatenate(proximities))
    table = []
    for stated in np.linspace(0.01, 0.99, 99) if len(scores) else ():
        below = (scores < stated).astype(float)
        found = bootstrap(below, artists, settings.bootstrap, settings.seed)
        table.append([stated, found["value"], found["low"], found["high"]])
    return pd.DataFrame(table, columns=["stated", "found", "low", "high"])


def removed(index, calibration, rows, columns):
    """Tell of references whether nothing is close, also where their kind is taken out.

    Parameters
    ----------
    index : simlib.index.Index
    calibration : simlib.calibration.Calibration
    rows : numpy.ndarray of int, shape (n_queries,)
    columns : list of str
        Tag columns; a reference's kind are the recordings that share a value of one with it.

    Returns
    -------
    list of numpy.ndarray of bool, shape (n_queries,)
        With the whole catalogue there, then for each column without the kind.
    """
    sets = [tag_sets(index.tracks[column]) for column in columns]
    vectors, said = index.vectors(), []
    for row in rows:
        others = others_of(index, index.artists[row])
        kept = [others] + [
            others & [not tags[row] & tags[other] for other in index.crowd_rows] for tags in sets
        ]
        companies = [company(index, vectors[row], counts) for counts in kept]
        said.append(np.array(companies) < calibration.floor)
    return list(np.array(said).T)


def alone(index, calibration, sides):
    """Tabulate how often it is said that nothing is close.

    Parameters
    ----------
    index : simlib.index.Index
    calibration : simlib.calibration.Calibration
    sides : numpy.ndarray of object, shape (n_tracks,)
        From `catalogue.split`.

    Returns
    -------
    pandas.DataFrame
        For the validation and the test artists, as far as there are any: `artists`, `recordings`,
        and the shares of them of which it is said, `in the whole catalogue` and, where there are
        tags, `without its <first tag column>`.
    """
    columns, table = tag_columns(index.tracks), []
    for side in ("validation", "test"):
        rows = np.flatnonzero(sides == side)
        if not len(rows):
            continue
        row = {"artists": side, "recordings": len(rows)}
        there, *gone = removed(index, calibration, rows, columns[:1])
        row["in the whole catalogue"] = there.mean()
        row |= {f"without its {c}": g.mean() for c, g in zip(columns, gone, strict=False)}
        table.append(row)
    return pd.DataFrame(table)
