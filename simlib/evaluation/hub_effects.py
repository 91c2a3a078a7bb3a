"""The effect of the hub penalty: how many lists a track stands in, and what the lists are worth."""

import numpy as np
import pandas as pd

from simlib.core import stable_sample
from simlib.evaluation.lists import RankedLists, rank_by_other_artists
from simlib.evaluation.protocol import Evaluation
from simlib.evaluation.settings import EvaluateSettings
from simlib.evaluation.similarities import CosineSimilarity, HubCorrectedSimilarity
from simlib.evaluation.statistics import skewness
from simlib.index import Index
from simlib.reporting import interval_text


def hubs_before_and_after(
    index: Index, settings: EvaluateSettings
) -> tuple[dict[str, float], pd.DataFrame]:
    """Count in how many lists each track of the catalogue stands, by cosine and hub-corrected.

    Every track is a query, and all tracks by other artists are its candidates.

    Parameters
    ----------
    index : simlib.index.Index
    settings : simlib.evaluation.EvaluateSettings
        Of a catalogue of more than `most_tracks`, a sample is counted.

    Returns
    -------
    skew : dict of str to float
        Skewness of the k-occurrence `by cosine` and `corrected`.
    table : pandas.DataFrame
        The five tracks that stand in most lists by cosine: `track_id, title, artist`, and the
        two counts.
    """
    rows = stable_sample(index.tracks["track_id"], settings.most_tracks)
    vectors, artists = index.weighted()[rows], index.artists[rows]
    similarities = {
        "by cosine": CosineSimilarity(vectors),
        "corrected": HubCorrectedSimilarity(vectors, artists, index.settings.hubs),
    }
    table, skew = index.tracks.iloc[rows][["track_id", "title", "artist"]], {}
    for name, similarity in similarities.items():
        lists = rank_by_other_artists(similarity, artists, np.arange(len(rows)), settings)
        table[name] = lists.occurrence(len(rows))
        skew[name] = skewness(table[name])
    return skew, table.nlargest(5, "by cosine", keep="first").reset_index(drop=True)


def hub_correction_cost(
    evaluation: Evaluation, before: RankedLists, after: RankedLists
) -> pd.DataFrame:
    """Compare the lists of the test artists before and after a correction, by their nDCG.

    Parameters
    ----------
    evaluation : simlib.evaluation.Evaluation
    before, after : RankedLists
        From `Evaluation.rank`.

    Returns
    -------
    pandas.DataFrame
        Columns `measure`, `by cosine`, `corrected` and `difference`, paired, with its interval.
    """
    first, second = evaluation.scores(before), evaluation.scores(after)
    rows = [
        {
            "measure": measure,
            "by cosine": f"{np.nanmean(first[measure]):.3f}",
            "corrected": f"{np.nanmean(second[measure]):.3f}",
            "difference": interval_text(evaluation.interval(second[measure] - values), "+"),
        }
        for measure, values in first.items()
        if "_ndcg@" in measure and np.isfinite(values).any()
    ]
    return pd.DataFrame(rows, columns=["measure", "by cosine", "corrected", "difference"])
