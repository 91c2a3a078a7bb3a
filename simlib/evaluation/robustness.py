"""Robustness to degraded queries: how often the original is found, and what lists lose."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from simlib.core import SimlibError, cosine, digest_of, digest_order
from simlib.evaluation.protocol import Evaluation
from simlib.evaluation.settings import RobustnessSettings
from simlib.evaluation.systems import EvaluationContext
from simlib.features import (
    DEGRADATIONS,
    DESCRIPTOR_RATE,
    RecordingFeatures,
    decode,
    features_of_blocks,
)
from simlib.index import fingerprint, hub_penalties, penalise_hubs
from simlib.reporting import interval_text

UNDEGRADED = "none"
# The degraded copies of training are no part of a query.
KINDS = ("log_mel", "descriptor")


@dataclass(frozen=True)
class DegradedQueries:
    """Recordings, each degraded in every way, embedded and described as queries.

    Attributes
    ----------
    rows : numpy.ndarray of int64, shape (n_queries,)
        Their rows of the tracks.
    vectors : dict of str to numpy.ndarray of float32, shape (n_queries, embedding)
        By degradation, `UNDEGRADED` first; of unit length.
    descriptors : dict of str to numpy.ndarray of float32, shape (n_queries, 102)
        The hand-crafted features, by degradation.
    fingerprints : dict of str to list of numpy.ndarray of int8, shape (n_frames, n_bands)
        By degradation; see `simlib.index.fingerprints`.
    """

    rows: np.ndarray
    vectors: dict
    descriptors: dict
    fingerprints: dict


def degraded_queries(
    tracks: pd.DataFrame, context: EvaluationContext, settings: RobustnessSettings, jobs: int = -1
) -> DegradedQueries:
    """Degrade recordings in every way and embed the results.

    Recordings are chosen by a digest of their ids, so that most stay the same if others arrive. One
    that cannot be decoded is left out.

    Parameters
    ----------
    tracks : pandas.DataFrame
        With `track_id`, `path` and `seconds`.
    context : simlib.evaluation.EvaluationContext
    settings : simlib.evaluation.RobustnessSettings
    jobs : int
        Processes; one a core by default.

    Returns
    -------
    DegradedQueries

    Raises
    ------
    SimlibError
        If no recording can be decoded.
    """
    data, model, hop = context.project.data, context.model, context.settings.hop_seconds
    chosen = digest_order(tracks["track_id"])[: settings.queries]
    call = joblib.delayed(_features)
    variants = context.store.backbones() if model.backbones else {}
    recipe = model.front_end, {name: variants[name] for name in model.backbones}
    # The encoder stays here: each worker would have to load it, and torch.
    computed = joblib.Parallel(jobs, return_as="generator")(
        call(Path(data) / t.path, str(t.track_id), t.seconds, settings.seconds, recipe)
        for t in tracks.iloc[chosen].itertuples()
    )
    rows = []
    vectors, descriptors, fingerprints = defaultdict(list), defaultdict(list), defaultdict(list)
    for row, versions in zip(chosen, computed, strict=True):
        rows += [row] if versions else []
        for name, features in versions.items():
            vectors[name].append(model.track(features, hop)[0])
            descriptors[name].append(features.descriptor.mean(axis=0))
            fingerprints[name].append(fingerprint(features.log_mel, model.front_end))
    if not rows:
        raise SimlibError(data, "holds no recording that can be decoded", "run 'dvc repro extract'")
    return DegradedQueries(
        np.array(rows), {name: np.stack(v) for name, v in vectors.items()},
        {name: np.stack(d) for name, d in descriptors.items()}, dict(fingerprints),
    )  # fmt: skip


def _features(path, track_id, seconds, longest, recipe):
    """Return {degradation: features} of a recording, {} if it cannot be decoded."""
    front_end, backbones = recipe
    rate = max(front_end.sample_rate, DESCRIPTOR_RATE)
    start = max(0.0, (seconds - longest) / 2)
    try:
        samples = decode(path, rate, start=start, end=start + longest)
    except SimlibError:
        return {}
    found = {}
    # The number of threads that share a matrix product decides its last bits.
    with threadpool_limits(1):
        for name, version in _versions(samples, rate, track_id):
            arrays = features_of_blocks(path, iter([(version, rate)]), front_end, KINDS, backbones)
            found[name] = RecordingFeatures.of(arrays)
    return found


def _versions(samples, rate, track_id):
    """Yield (degradation, samples); the track's id seeds what is random about one."""
    yield UNDEGRADED, samples
    for name, degrade in DEGRADATIONS.items():
        rng = np.random.default_rng(int(digest_of([track_id, name]), 16))
        yield name, degrade(samples, rate, rng)


def robustness_report(
    queries: DegradedQueries, context: EvaluationContext, evaluation: Evaluation
) -> dict:
    """Measure the effect of each degradation, on simlib and on the hand-crafted features.

    Parameters
    ----------
    queries : DegradedQueries
        Of the evaluation's tracks.
    context : simlib.evaluation.EvaluationContext
    evaluation : simlib.evaluation.Evaluation

    Returns
    -------
    dict
        `{degradation: {measure: {"value", "low", "high", "n"}}}` with 95% intervals over artists.
        The measures of `simlib` and of `mfcc` are `first (...)` and, if there are tags,
        `nDCG left (...)`. The first is the share of the queries whose recording has rank 1 in the
        whole catalogue, without artist filter. The second is the nDCG among the test artists, the
        mean over tag columns, as a share of that of the undegraded queries.
    """
    test = np.flatnonzero(context.splits == "test")
    report: dict = {name: {} for name in queries.vectors}
    for system, answers in (("simlib", _by_search), ("mfcc", _by_features)):
        before = None
        for name, (first, similarity) in answers(queries, context, test):
            values = {f"first ({system})": (first == test[queries.rows]).astype(float)}
            if evaluation.columns:
                after = evaluation.mean_ndcg(evaluation.rank_block(similarity, queries.rows))
                before = after if before is None else before
                values[f"nDCG left ({system})"] = _share(after, before)
            report[name] |= {m: evaluation.interval(v, queries.rows) for m, v in values.items()}
    return report


def robustness_table(report: dict) -> pd.DataFrame:
    """Tabulate `robustness_report`: a row for each degradation, means with their intervals."""
    rows = [
        {"degradation": name} | {measure: interval_text(found) for measure, found in entry.items()}
        for name, entry in report.items()
    ]
    return pd.DataFrame(rows)


def _by_search(queries, context, test):
    """Rank as search does: yield degradation, rows of rank 1, similarity to the test tracks."""
    index, vectors = context.index, context.index.weighted()[test]
    # As the evaluation ranks them: the test artists are the catalogue.
    penalties = hub_penalties(vectors, index.artists[test], index.settings.hubs)
    for name, given in queries.vectors.items():
        pairs = zip(given, queries.fingerprints[name], strict=True)
        first = np.array([_first(index, vector, shown) for vector, shown in pairs])
        cosines = index.aspects.weighted(given, index.weights) @ vectors.T
        yield name, (first, penalise_hubs(cosines, penalties))


def _first(index, vector, shown):
    """Return the row that search puts first: the longest match, else the most similar track."""
    known = index.fingerprints.matches(shown)
    if known:
        return max(known, key=lambda row: known[row].seconds)
    return index.search(vector, 1)[0][0]


def _by_features(queries, context, test):
    """Compare hand-crafted features by cosine; see `_by_search`."""
    described = context.described
    for name, descriptors in queries.descriptors.items():
        similarity = cosine(context.standardised(descriptors), described)
        yield name, (similarity.argmax(axis=1), similarity[:, test])


def _share(after, before):
    """Linearise the ratio of two means: values by query that have it as their mean."""
    whole = np.nansum(before)
    if not whole:
        return np.full(len(before), np.nan)
    ratio = np.nansum(after) / whole
    return ratio + (after - ratio * before) * np.isfinite(before).sum() / whole
