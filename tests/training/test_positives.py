"""Pair weights beside a slow loop that computes the same."""

import numpy as np
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.relevance import artist_keys, tag_sets
from simlib.training import PairWeights, PositiveSettings


def naive_jaccard(a, b):
    return len(a & b) / len(a | b) if a | b else 0.0


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_an_anchors_positives_by_one_relation_share_its_weight(seed, rows):
    rng = np.random.default_rng(seed)
    table = samples.tracks(
        6,
        artist=rng.choice(["ann", "Ann ", "bob", ""], 6).tolist(),
        genre=rng.choice(["rock", "rock;jazz", "jazz", ""], 6).tolist(),
        mood=rng.choice(["calm", "wild"], 6).tolist(),
    )
    weights = PositiveSettings.of(
        {"recording": 2.0, "artist": 0.5, "tags": {"default": 0.25, "genre": 1.0}}
    )
    found = PairWeights(table, ["genre", "mood"], weights)(rows)
    assert found.shape == (len(rows), len(rows))
    artists, genres, moods = artist_keys(table), *map(tag_sets, (table["genre"], table["mood"]))
    pair_weights = [
        (2.0, lambda a, b: float(a == b)),
        (0.5, lambda a, b: float(artists[a] == artists[b])),
        (1.0, lambda a, b: naive_jaccard(genres[a], genres[b])),
        (0.25, lambda a, b: naive_jaccard(moods[a], moods[b])),
    ]
    for i, a in enumerate(rows):
        naive = [0.0] * len(rows)
        for weight, degree in pair_weights:
            degrees = [degree(a, b) if j != i else 0.0 for j, b in enumerate(rows)]
            for j, value in enumerate(degrees):
                naive[j] += weight * value / sum(degrees) if value else 0.0
        np.testing.assert_allclose(found[i], naive, atol=1e-6)


def test_a_column_of_no_weight_makes_no_positive():
    table = samples.tracks(2, genre=["rock", "rock"])
    tags = {"default": 1.0, "genre": 0.0}
    weights = PositiveSettings.of({"recording": 1.0, "artist": 1.0, "tags": tags})
    found = PairWeights(table, ["genre"], weights)([0, 1, 0])
    np.testing.assert_array_equal(found, [[0, 0, 2], [0, 0, 0], [2, 0, 0]])
