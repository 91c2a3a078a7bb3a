import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.evaluation import (
    Neighbourhoods,
    confused_tags,
    swap_artists,
    tag_support_table,
)

COUNT, SOUNDS = 160, 4


def catalogue(seed=1):
    """Artists of two recordings each, four sounds; what their words have to do with them is known.

    `rock` and `jazz` are sounds; `rap` and `hip-hop` are the same sound, told apart by nobody;
    `calm` and `wild` are drawn by lot, `calm` and `peaceful` stand on the same recordings.
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
    return Neighbourhoods(vectors[queries] @ vectors.T, table, queries, list(columns), settings)


@pytest.fixture(scope="module")
def known():
    return neighbourhoods(*catalogue())


@pytest.fixture(scope="module")
def supported(known):
    return tag_support_table(known).set_index("tag")


def test_words_that_are_sounds_are_heard_and_words_by_lot_are_not(supported):
    assert (supported.loc[["rock", "jazz", "folk"], "audibility"] == "audible").all()
    lot = supported.loc[["calm = peaceful", "wild"]]
    assert lot["audibility"].isin(["not audible", "unclear"]).all()
    assert (supported.loc["rock", ["low", "high"]] > 3).all()


def test_shares_and_odds_are_the_naive_counts(known, supported):
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
    assert found["share"] == pytest.approx(met[True][0] / met[True][1])
    assert found["elsewhere"] == pytest.approx(met[False][0] / met[False][1])
    odds = [(h + 0.5) / (n - h + 0.5) for h, n in (met[True], met[False])]
    assert found["odds"] == pytest.approx(odds[0] / odds[1])
    assert (found["recordings"], found["queries"], found["artists"]) == (20, 20, 10)


def test_words_on_the_same_recordings_are_one_word(supported):
    assert "calm = peaceful" in supported.index
    assert "calm" not in supported.index


def test_words_of_few_artists_are_not_judged():
    table, vectors = catalogue()
    table.loc[:3, "genre"] = "polka"
    found = tag_support_table(neighbourhoods(table, vectors)).set_index("tag").loc["polka"]
    assert found["audibility"] == "unclear"
    assert found["artists"] == 2
    assert np.isnan(found[["low", "high", "q"]].astype(float)).all()


def test_what_chance_alone_hears_stays_rare():
    """Words by lot, many times over: at most about one family of words in twenty has one heard."""
    heard = 0
    for seed in range(20):
        table, vectors = catalogue(seed)
        rng = np.random.default_rng(seed)
        table["genre"] = rng.choice(list("abcdef"), COUNT // 2)[np.arange(COUNT) // 2].tolist()
        heard += (
            tag_support_table(neighbourhoods(table, vectors, columns=["genre"]))["audibility"]
            .eq("audible")
            .any()
        )
    assert heard <= 3


def test_names_of_one_sound_are_found_and_those_of_two_are_not(known, supported):
    pairs = confused_tags(known, supported.reset_index())
    assert pairs[["tag", "other"]].to_numpy().tolist() == [["hip-hop", "rap"]]
    found = pairs.iloc[0]
    assert found["confusion"] == "one sound"
    assert found["low"] <= found["attraction"] <= found["high"]
    assert found["together"] == 0
    assert pairs["attraction"].dtype == float, "a report rounds numbers"
    # 4 of 5 heard words of the column make 10 pairs.
    assert pairs.attrs["pairs"] == 10


def test_queries_are_those_that_are_named():
    table, vectors = catalogue()
    queries = np.arange(0, 40)
    found = tag_support_table(neighbourhoods(table, vectors, queries)).set_index("tag")
    assert found.loc["rock", "queries"] == 10
    assert found.loc["rock", "recordings"] == 40


def test_without_words_there_is_nothing_to_say():
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


def test_where_all_carry_a_word_nothing_can_be_told_of_it():
    table, vectors = catalogue()
    found = tag_support_table(
        neighbourhoods(table.assign(genre="music"), vectors, columns=["genre"])
    )
    assert found["audibility"].tolist() == ["unclear"]


@given(st.integers(0, 2**32 - 1))
def test_artists_swap_their_words_as_wholes(seed):
    rng = np.random.default_rng(seed)
    artists = np.unique(rng.integers(0, 6, 20), return_inverse=True)[1]
    for swap in swap_artists(artists, 5, seed):
        for artist in range(artists.max() + 1):
            givers = artists[swap[artists == artist]]
            assert len(set(givers)) == 1
