"""Whether a recording is found again, and its list kept, when the query is a worse copy of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pandas as pd
import soxr
from threadpoolctl import threadpool_limits

from simlib.core import SimlibError, cosine, digest_of
from simlib.evaluation.statistics import bootstrap
from simlib.features import (
    DEGRADATIONS,
    DESCRIPTOR_RATE,
    compute_descriptor,
    compute_log_mel,
    decode,
)
from simlib.index import fingerprint, hub_penalties, penalise_hubs
from simlib.relevance import ndcg, rank_candidates

if TYPE_CHECKING:
    from simlib.evaluation.protocol import Evaluation
    from simlib.evaluation.systems import EvaluationContext
    from simlib.model import Embedder

# Recordings that are degraded, each in every way; more cost time and say little more.
MOST_QUERIES = 40
# Of a longer recording, its middle; clips of half a minute stay whole.
QUERY_SECONDS = 40.0
UNDEGRADED = "none"


@dataclass(frozen=True)
class DegradedQueries:
    """Recordings, each degraded in every way, as they are searched by.

    Attributes
    ----------
    rows : numpy.ndarray of int64, shape (n_queries,)
        Which of the tracks they are.
    vectors : dict of str to numpy.ndarray of float32, shape (n_queries, embedding)
        By degradation, `UNDEGRADED` first; of unit length.
    descriptors : dict of str to numpy.ndarray of float32, shape (n_queries, 102)
        The hand-crafted features, by degradation.
    prints : dict of str to list of numpy.ndarray of int8, shape (n_frames, n_bands)
        By degradation; see `simlib.index.fingerprints`.
    """

    rows: np.ndarray
    vectors: dict
    descriptors: dict
    fingerprints: dict


def degraded_queries(
    tracks: pd.DataFrame,
    data: str | os.PathLike,
    model: Embedder,
    hop_seconds: float,
    *,
    jobs: int = -1,
) -> DegradedQueries:
    """Degrade recordings in every way and embed what comes of it.

    Of more than 40 recordings so many, chosen by a digest of their ids: they stay mostly the same
    when others arrive. Of recordings longer than 40 s their middle. One that cannot be decoded is
    left out.

    Parameters
    ----------
    tracks : pandas.DataFrame
        With `track_id`, `path` and `seconds`.
    data : path-like
        The catalogue's folder.
    model : simlib.model.Embedder
    hop_seconds : float
        Step between two segments.
    jobs : int
        Processes; one a core by default.

    Returns
    -------
    Queries

    Raises
    ------
    SimlibError
        If not one recording can be decoded.
    """
    chosen = np.argsort([digest_of(str(track_id)) for track_id in tracks["track_id"]])[
        :MOST_QUERIES
    ]
    call = joblib.delayed(_features)
    # The network stays here: each worker would have to load it, and torch.
    heard = joblib.Parallel(jobs, return_as="generator")(
        call(Path(data) / one.path, str(one.track_id), one.seconds, model.front_end)
        for one in tracks.iloc[chosen].itertuples()
    )
    rows, found = [], []
    for row, versions in zip(chosen, heard, strict=True):
        if versions is not None:
            rows.append(row)
            found.append({
                name: (
                    model.track(log_mel, descriptor, hop_seconds)[0], descriptor.mean(axis=0),
                    fingerprint(log_mel, model.front_end),
                )
                for name, (log_mel, descriptor) in versions.items()
            })  # fmt: skip
    if not found:
        raise SimlibError(data, "holds no recording that can be decoded", "run 'dvc repro extract'")
    vectors, descriptors = (
        {name: np.stack([versions[name][part] for versions in found]) for name in found[0]}
        for part in (0, 1)
    )
    fingerprints = {name: [versions[name][2] for versions in found] for name in found[0]}
    return DegradedQueries(np.array(rows), vectors, descriptors, fingerprints)


def _features(path, track_id, seconds, front_end):
    """Return {degradation: (log-mel, descriptor)} of a recording, None if it cannot be decoded."""
    rate = max(front_end.sample_rate, DESCRIPTOR_RATE)
    start = max(0.0, (seconds - QUERY_SECONDS) / 2)
    try:
        samples = decode(path, rate, start=start, end=start + QUERY_SECONDS)
    except SimlibError:
        return None
    found = {}
    # How many threads share a matrix product decides its last bits.
    with threadpool_limits(1):
        for name, version in _versions(samples, rate, track_id):
            at_front_end = soxr.resample(version, rate, front_end.sample_rate)
            log_mel = compute_log_mel([at_front_end], front_end)
            at_descriptor = soxr.resample(version, rate, DESCRIPTOR_RATE)
            found[name] = log_mel, compute_descriptor([at_descriptor])
    return found


def _versions(samples, rate, track_id):
    """Yield (degradation, samples); what is random about one follows from the track's id."""
    yield UNDEGRADED, samples
    for name, degrade in DEGRADATIONS.items():
        rng = np.random.default_rng(int(digest_of([track_id, name]), 16))
        yield name, degrade(samples, rate, rng)


def robustness_report(
    queries: DegradedQueries, context: EvaluationContext, evaluation: Evaluation
) -> dict:
    """Measure how each degradation is borne, by simlib and by the traditional descriptor.

    Parameters
    ----------
    queries : Queries
        Of the evaluation's tracks.
    stage : simlib.evaluation.EvaluationContext
    evaluation : simlib.evaluation.Evaluation

    Returns
    -------
    dict
        `{degradation: {measure: {"value", "low", "high", "n"}}}` with 95% intervals over artists.
        The measures are, of `simlib` and of `mfcc`, `first (...)`, the share of the queries whose
        recording comes first of the whole catalogue, without artist filter, and, where there are
        tags, `nDCG left (...)`: what the lists are worth among the test artists, with the artist
        filter, as a share of what those of the recordings as they are are worth (mean over tag
        columns).
    """
    test = np.flatnonzero(context.splits == "test")
    answers = {
        "simlib": _searched(queries, context, test),
        "mfcc": _compared(queries, context, test),
    }
    return {
        name: {
            measure: bootstrap(
                values, evaluation.artists[queries.rows],
                evaluation.settings.bootstrap, evaluation.settings.seed,
            )
            for system, answered in answers.items()
            for measure, values in _measured(system, answered, name, queries, evaluation)
        }
        for name in queries.vectors
    }  # fmt: skip


def _measured(system, answered, name, queries, evaluation):
    """Yield (measure, values by query) of one system and degradation."""
    first, similarity = answered[name]
    yield f"first ({system})", first.astype(float)
    if evaluation.columns:
        before, after = (
            _ndcg(lists, queries.rows, evaluation)
            for lists in (answered[UNDEGRADED][1], similarity)
        )
        yield f"nDCG left ({system})", _share(after, before)


def robustness_table(report: dict) -> pd.DataFrame:
    """Lay out `robustness_report`: a row for each degradation, means with their intervals."""
    rows = [
        {"degradation": name} | {measure: _cell(found) for measure, found in measures.items()}
        for name, measures in report.items()
    ]
    return pd.DataFrame(rows)


def _searched(queries, context, test):
    """Ask as search does: {degradation: (comes first?, similarity to the test tracks)}."""
    index = context.index
    vectors, artists = index.weighted()[test], index.artists[test]
    # As the evaluation ranks them: the test artists are the catalogue.
    penalties, found = hub_penalties(vectors, artists, index.settings.hubs), {}
    for name, asked in queries.vectors.items():
        pairs = zip(asked, queries.fingerprints[name], strict=True)
        nearest = np.array([_first(index, vector, shown) for vector, shown in pairs])
        cosines = index.aspects.weighted(asked, index.weights) @ vectors.T
        found[name] = nearest == test[queries.rows], penalise_hubs(cosines, penalties)
    return found


def _first(index, vector, shown):
    """Row of what search puts first: the recording itself, if it is known again, or the nearest."""
    known = index.fingerprints.matches(shown)
    if known:
        return max(known, key=lambda row: known[row].seconds)
    return index.search(vector, 1)[0][0]


def _compared(queries, context, test):
    """Compare hand-crafted features by cosine; see `_searched`."""
    described = context.describe(context.index.tracks)
    # At once: for each call the stage reads what the recordings of the other artists are like.
    asked = context.standardised(np.concatenate(list(queries.descriptors.values())))
    similarities = np.split(cosine(asked, described), len(queries.descriptors))
    return {
        name: (similarity.argmax(axis=1) == test[queries.rows], similarity[:, test])
        for name, similarity in zip(queries.descriptors, similarities, strict=True)
    }


def _ndcg(similarity, rows, evaluation):
    """Mean nDCG over the tag columns: float64, shape (n_queries,); NaN with nothing to find."""
    candidate_mask, settings = evaluation.candidate_mask[rows], evaluation.settings
    ranked = rank_candidates(similarity, candidate_mask, settings.k, settings.seed)
    gains = [evaluation.gains[column][rows] for column in evaluation.columns]
    return pd.DataFrame([ndcg(ranked, gain, candidate_mask) for gain in gains]).mean().to_numpy()


def _share(after, before):
    """Linearise the ratio of two means: values by query that have it as their mean."""
    whole = np.nansum(before)
    if not whole:
        return np.full(len(before), np.nan)
    ratio = np.nansum(after) / whole
    return ratio + (after - ratio * before) * np.isfinite(before).sum() / whole


def _cell(found):
    if found["value"] is None:
        return ""
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"
