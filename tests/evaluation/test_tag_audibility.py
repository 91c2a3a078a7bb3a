"""Audible and confused tags beside naive counts."""

import itertools

import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.evaluation import (
    Evaluation,
    Neighbourhoods,
    confused_tags,
    swap_artists,
    tag_neighbourhoods,
    tag_support_table,
)
from simlib.relevance import tag_sets

COUNT, SOUNDS = 160, 4


def catalogue(seed=1):
    """Artists of two recordings each, four sounds, and tags whose relation to them is known.

    `rock` and `jazz` are sounds; `rap` and `hip-hop` are one sound; `calm` and `wild` are random;
    `calm` and `peaceful` are tags of the same recordings.
    """
    rng = np.random.default_rng(seed)
    artist = np.arange(COUNT) // 2
    sound = artist % SOUNDS
    genre = np.array(["rock", "jazz", "folk", "rap"], dtype=object)[sound]
    genre[(sound == 3) & (artist // SOUNDS % 2 == 0)] = "hip-hop"
    mood = rng.choice(["calm;peaceful", "wild"], COUNT // 2)[artist]
    table = samples.tracks(
        COUNT, artist=[f"artist {a}" for a in artist], genre=genre.tolist(), mood=mood.tolist()
    )
    vectors = np.eye(8)[sound] + 0.15 * rng.standard_normal((COUNT, 8))
    return table, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def neighbourhoods(table, vectors, queries=None, columns=("genre", "mood")):
    queries = np.arange(len(table)) if queries is None else queries
    settings = samples.evaluate_settings(k=10)
    return Neighbourhoods(vectors @ vectors.T, table, queries, list(columns), settings)


@pytest.fixture(scope="module")
def known():
    return neighbourhoods(*catalogue())


@pytest.fixture(scope="module")
def supported(known):
    return tag_support_table(known).set_index("tag")


def test_tags_that_are_sounds_are_audible_and_random_tags_are_not(supported):
    assert (supported.loc[["rock", "jazz", "folk"], "audibility"] == "audible").all()
    random = supported.loc[["calm = peaceful", "wild"]]
    assert random["audibility"].isin(["not audible", "unclear"]).all()
    assert (supported.loc["rock", ["low", "high"]] > 3).all()


def test_odds_are_the_naive_counts(known, supported):
    table, vectors = catalogue()
    similarity = vectors @ vectors.T
    tags = [set(cell.split(";")) for cell in table["genre"]]
    met = {True: [0, 0], False: [0, 0]}
    for row in range(COUNT):
        others = [i for i in range(COUNT) if table["artist"][i] != table["artist"][row]]
        nearest = sorted(others, key=lambda i: -similarity[row, i])[:10]
        counts = met["rap" in tags[row]]
        counts[0] += sum("rap" in tags[i] for i in nearest)
        counts[1] += 10
    found = supported.loc["rap"]
    odds = [(h + 0.5) / (n - h + 0.5) for h, n in (met[True], met[False])]
    assert found["odds"] == pytest.approx(odds[0] / odds[1])
    assert (found["recordings"], found["queries"], found["artists"]) == (20, 20, 10)


def test_tags_of_the_same_recordings_are_one_tag(supported):
    assert "calm = peaceful" in supported.index
    assert "calm" not in supported.index


def test_tags_of_few_artists_are_unclear():
    table, vectors = catalogue()
    table.loc[:3, "genre"] = "polka"
    found = tag_support_table(neighbourhoods(table, vectors)).set_index("tag").loc["polka"]
    assert found["audibility"] == "unclear"
    assert found["artists"] == 2
    assert np.isnan(found[["low", "high", "q"]].astype(float)).all()


def test_random_tags_are_rarely_audible():
    """Of many draws of random tags, about one in twenty has an audible one."""
    audible = 0
    for seed in range(20):
        table, vectors = catalogue(seed)
        rng = np.random.default_rng(seed)
        table["genre"] = rng.choice(list("abcdef"), COUNT // 2)[np.arange(COUNT) // 2].tolist()
        audible += (
            tag_support_table(neighbourhoods(table, vectors, columns=["genre"]))["audibility"]
            .eq("audible")
            .any()
        )
    assert audible <= 3


def test_tags_of_one_sound_are_confused_and_those_of_two_are_not(known, supported):
    pairs = confused_tags(known, supported.reset_index())
    assert pairs[["tag", "other"]].to_numpy().tolist() == [["hip-hop", "rap"]]
    found = pairs.iloc[0]
    assert found["confusion"] == "one sound"
    assert found["low"] <= found["attraction"] <= found["high"]
    assert found["together"] == 0
    assert pairs["attraction"].dtype == float, "a report rounds numbers"
    # The 5 audible tags of the column make 10 pairs.
    assert pairs.attrs["pairs"] == 10


def test_queries_are_those_that_are_named():
    table, vectors = catalogue()
    queries = np.arange(0, 40)
    found = tag_support_table(neighbourhoods(table, vectors, queries)).set_index("tag")
    assert found.loc["rock", "queries"] == 10
    assert found.loc["rock", "recordings"] == 40


def test_without_tags_the_tables_are_empty():
    table, vectors = catalogue()
    for empty in (
        neighbourhoods(table, vectors, columns=[]),
        neighbourhoods(table.assign(genre="", mood=""), vectors),
        neighbourhoods(table.assign(artist="all the same"), vectors),
    ):
        supported = tag_support_table(empty)
        assert supported.empty
        assert {"column", "tag", "odds", "audibility"} <= set(supported)
        assert confused_tags(empty, supported).empty


def test_a_tag_of_all_recordings_is_unclear():
    table, vectors = catalogue()
    found = tag_support_table(
        neighbourhoods(table.assign(genre="music"), vectors, columns=["genre"])
    )
    assert found["audibility"].tolist() == ["unclear"]


@given(st.integers(0, 2**32 - 1))
def test_artists_swap_all_their_tags(seed):
    rng = np.random.default_rng(seed)
    artists = np.unique(rng.integers(0, 6, 20), return_inverse=True)[1]
    for swap in swap_artists(artists, 5, seed):
        for artist in range(artists.max() + 1):
            givers = artists[swap[artists == artist]]
            assert len(set(givers)) == 1


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 12]))
def test_the_neighbours_of_a_tag_are_the_share_with_another(seed, k):
    evaluation = samples.evaluation_of(seed, k=k)
    similarity = samples.similarity_of(evaluation, seed)
    lists = evaluation.rank(similarity)
    cells = tag_neighbourhoods(evaluation, lists)
    sets = tag_sets(evaluation.tracks["genre"])
    ranked = lists.ranked
    assert set(cells.index) == set(cells.columns) == frozenset().union(*sets)
    for tag, other_tag in itertools.product(cells.index, repeat=2):
        shares = [
            np.mean([other_tag in sets[c] for c in row[row >= 0]])
            for query, row in enumerate(ranked)
            if tag in sets[query]
        ]
        assert cells.loc[tag, other_tag] == pytest.approx(np.mean(shares), abs=1e-6)
    assert len(tag_neighbourhoods(evaluation, lists, most=2)) <= 2
    untagged = Evaluation(evaluation.tracks, [], evaluation.settings)
    assert tag_neighbourhoods(untagged, lists).empty


@pytest.mark.parametrize(
    ("key", "value", "audibility"),
    [
        ("relevant_odds_ratio", 1e9, "barely audible"),
        ("fewest_artists", 81, "unclear"),
        ("false_discoveries", 0.0, "unclear"),
    ],
)
def test_the_settings_decide_what_is_audible(key, value, audibility):
    table, vectors = catalogue()
    near = neighbourhoods(table, vectors, columns=["genre"])
    study = samples.EVALUATE["tag_study"] | {key: value}
    near.settings = samples.evaluate_settings(k=10, tag_study=study)
    found = tag_support_table(near).set_index("tag")
    assert found.loc["rock", "audibility"] == audibility


def test_a_larger_least_attraction_leaves_no_confused_tags(known, supported):
    study = samples.EVALUATE["tag_study"] | {"least_attraction": 1.0}
    table, vectors = catalogue()
    near = neighbourhoods(table, vectors)
    near.settings = samples.evaluate_settings(k=10, tag_study=study)
    strict, usual = (confused_tags(n, supported.reset_index()) for n in (near, known))
    assert set(strict["tag"]) == set(usual["tag"][usual["attraction"] >= 1])
