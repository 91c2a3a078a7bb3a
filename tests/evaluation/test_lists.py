"""Ranked lists in blocks, beside the evaluation that holds all pairs at once."""

import numpy as np
import pytest
import samples

from simlib.core import cosine, digest_of
from simlib.evaluation import (
    CosineSimilarity,
    Evaluation,
    HubCorrectedSimilarity,
    by_other_tags,
    compare_excerpts,
    compare_systems,
    sampled_queries,
    skewness,
)
from simlib.evaluation import lists as lists_module
from simlib.index import hub_penalties, penalise_hubs
from simlib.relevance import jaccard, tag_matrix

HUBS = samples.hub_settings()


def catalogue(count, seed=0):
    """Tracks by a third as many artists whose vectors have something to do with their tags."""
    rng = np.random.default_rng(seed)
    artist = rng.integers(0, count // 3, count)
    genre = artist % 7
    mood = np.array(["calm", "wild", "calm;sad", ""], dtype=object)[rng.integers(0, 4, count)]
    table = samples.tracks(
        count,
        artist=[f"artist {a}" for a in artist],
        genre=[f"genre {g}" for g in genre],
        mood=mood.tolist(),
    )
    vectors = np.eye(16)[genre] + 0.4 * rng.standard_normal((count, 16))
    return table, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def whole(similarity, evaluation, column):
    """All lists and scores from the matrices of all pairs: every pair is sorted."""
    k, artists = evaluation.settings.k, evaluation.artists
    allowed = artists[:, None] != artists[None, :]
    shuffled = np.random.default_rng(evaluation.settings.seed).permutation(len(artists))
    scores = np.where(allowed, similarity, -np.inf)[:, shuffled]
    ranked = shuffled[np.argsort(-scores, axis=1, kind="stable")[:, :k]]
    gain = np.where(allowed, jaccard(tag_matrix(evaluation.tracks[column])), 0)
    discount = 1 / np.log2(np.arange(2, k + 2))
    found = np.take_along_axis(gain, ranked, axis=1) @ discount
    ideal = -np.sort(-gain, axis=1)[:, :k] @ discount
    with np.errstate(invalid="ignore"):
        return ranked, found / ideal


@pytest.mark.parametrize("count", [216, 591])
@pytest.mark.parametrize("block", [2**23, 5000, 1])
def test_blocks_give_what_all_pairs_give(count, block, monkeypatch):
    """With equal similarities of many pairs: what is decided at random is decided the same."""
    monkeypatch.setattr(lists_module, "BLOCK", block)
    table, vectors = catalogue(count)
    evaluation = Evaluation(table, ["genre", "mood"], samples.evaluate_settings(k=10))
    systems = {
        "simlib": (
            HubCorrectedSimilarity(vectors, evaluation.artists, HUBS),
            # Hubs stand just behind the last place of some lists: float32 may turn two of them.
            penalise_hubs(cosine(vectors), hub_penalties(vectors, evaluation.artists, HUBS)),
        ),
        "tags": (by_other_tags(evaluation)["genre"], jaccard(tag_matrix(table["mood"]))),
    }
    for similarity, matrix in systems.values():
        found = evaluation.rank(similarity)
        scores = evaluation.scores(found)
        for column in ("genre", "mood"):
            ranked, values = whole(matrix, evaluation, column)
            np.testing.assert_array_equal(found.ranked, ranked)
            np.testing.assert_allclose(scores[f"{column}_ndcg@10"], values, atol=1e-6)
        counts = np.bincount(ranked.ravel(), minlength=count)
        np.testing.assert_array_equal(evaluation.occurrence(similarity), counts)
        listed = np.take_along_axis(matrix, ranked, axis=1)
        np.testing.assert_allclose(found.similarities, listed, atol=1e-6)


class Watched:
    """A system that remembers how many pairs it was asked for at once."""

    def __init__(self, vectors):
        self.similarity, self.most = CosineSimilarity(vectors), 0

    def __getitem__(self, rows):
        block = self.similarity[rows]
        self.most = max(self.most, block.size)
        return block

    def among(self, rows):
        return self.similarity.among(rows)


def test_no_more_pairs_are_in_memory_than_a_block_has(monkeypatch):
    monkeypatch.setattr(lists_module, "BLOCK", 3000)
    table, vectors = catalogue(600)
    evaluation = Evaluation(table, ["genre"], samples.evaluate_settings())
    watched = Watched(vectors)
    compare_systems({"simlib": watched}, evaluation)
    assert 0 < watched.most <= 3000


# --- samples ---------------------------------------------------------------------------------

FEW = {"exact_tracks": 599, "queries": 200, "k": 10}


def both(seed):
    """The reports of one catalogue with all queries and with a third of them."""
    table, vectors = catalogue(600, seed)
    noisy = vectors + 0.2 * np.random.default_rng(seed).standard_normal(vectors.shape)
    for settings in ({"k": 10}, FEW):
        evaluation = Evaluation(table, ["genre", "mood"], samples.evaluate_settings(**settings))
        assert len(evaluation.tracks) == 600, "all are candidates"
        systems = {
            "simlib": HubCorrectedSimilarity(vectors, evaluation.artists, HUBS),
            "noisy": CosineSimilarity(noisy),
        }
        report = compare_systems(systems, evaluation)
        yield {
            (system, measure): entry
            for system, measures in report.items()
            for measure, entry in measures.items()
            if "low" in entry
        } | {("lead", measure): e for measure, e in report["noisy"]["simlib_lead"].items()}


def test_sampled_and_full_scores_agree_within_their_intervals():
    held = []
    for seed in range(8):
        full, sampled = both(seed)
        assert list(full) == list(sampled)
        for key, entry in sampled.items():
            assert entry["n"] <= 200 < full[key]["n"]
            assert entry["low"] <= full[key]["high"] and full[key]["low"] <= entry["high"]
            held.append(entry["low"] <= full[key]["value"] <= entry["high"])
    assert np.mean(held) > 0.9, "95% intervals"


def test_a_sampled_query_scores_what_it_scores_among_all():
    table, vectors = catalogue(600)
    similarity = CosineSimilarity(vectors)
    full = Evaluation(table, ["genre"], samples.evaluate_settings(k=10))
    some = Evaluation(table, ["genre"], samples.evaluate_settings(**FEW))
    assert len(some.queries) == 200
    for measure, values in some.scores(some.rank(similarity)).items():
        expected = full.scores(full.rank(similarity))[measure][some.queries]
        np.testing.assert_allclose(values, expected, atol=1e-12)


def test_neither_queries_nor_scores_depend_on_the_order_of_the_table():
    table, vectors = catalogue(600)
    order = np.random.default_rng(0).permutation(600)
    settings = samples.evaluate_settings(**FEW)
    found = []
    for rows in (np.arange(600), order):
        evaluation = Evaluation(table.iloc[rows], ["genre"], settings)
        scores = evaluation.scores(evaluation.rank(CosineSimilarity(vectors[rows])))
        ids = evaluation.tracks["track_id"].iloc[evaluation.queries]
        values = zip(ids, scores["genre_ndcg@10"].round(9), strict=True)
        found.append((dict(values), evaluation.occurrence(CosineSimilarity(vectors[rows]))))
    assert found[0][0] == found[1][0]
    assert sorted(found[0][1]) == sorted(found[1][1])


def test_up_to_the_limit_every_track_is_a_query():
    table, _ = catalogue(30)
    counts = [
        len(sampled_queries(table, samples.evaluate_settings(exact_tracks=limit, queries=7)))
        for limit in (29, 30, 31)
    ]
    assert counts == [7, 30, 30]


def test_of_many_tracks_the_hubs_of_a_sample_are_counted_as_if_it_were_all():
    table, vectors = catalogue(200)
    evaluation = Evaluation(table, [], samples.evaluate_settings(most_tracks=50))
    system = HubCorrectedSimilarity(vectors, evaluation.artists, HUBS)
    found = evaluation.occurrence(system)
    assert len(found) == 50
    assert found.sum() == 50 * 3, "each of them has a list"
    lowest = sorted(table["track_id"], key=digest_of)[:50]
    rows = np.flatnonzero(table["track_id"].isin(lowest))
    alone = Evaluation(table.iloc[rows], [], samples.evaluate_settings())
    again = HubCorrectedSimilarity(vectors[rows], alone.artists, HUBS)
    np.testing.assert_array_equal(found, alone.occurrence(again))
    assert evaluation.hub_skew(system) == pytest.approx(skewness(found))


def test_excerpts_of_sampled_queries_are_sought_among_all():
    table, vectors = catalogue(600)
    rng = np.random.default_rng(1)
    excerpts = vectors + 0.3 * rng.standard_normal(vectors.shape)
    excerpts[::50] = np.nan
    full = Evaluation(table, [], samples.evaluate_settings(k=10))
    some = Evaluation(table, [], samples.evaluate_settings(**FEW))
    found = [compare_excerpts({"simlib": (excerpts, vectors)}, e)["simlib"] for e in (full, some)]
    assert found[0]["excerpt_mrr"]["n"] == 588
    assert 190 <= found[1]["excerpt_mrr"]["n"] <= 200
    cosines = excerpts @ vectors.T / np.linalg.norm(excerpts, axis=1, keepdims=True)
    usable = np.isfinite(excerpts[:, 0])
    ranks = [(cosines[q, usable] >= cosines[q, q]).sum() for q in some.queries if usable[q]]
    mean = np.mean(1 / np.array(ranks))
    assert found[1]["excerpt_mrr"]["value"] == pytest.approx(mean, abs=1e-5)
    assert found[1]["excerpt_mrr"]["low"] <= found[0]["excerpt_mrr"]["value"]
    assert found[0]["excerpt_mrr"]["value"] <= found[1]["excerpt_mrr"]["high"]
