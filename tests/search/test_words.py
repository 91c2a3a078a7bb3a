"""A query by words: scores against a naive twin, the ranked list, and words that are not known."""

import math
import statistics

import numpy as np
import pandas as pd
import pytest
import samples
from samples import unit

from simlib.core import SimlibError
from simlib.index import known_auto_tags
from simlib.search import Searcher, fits_better_than, split_words, synonyms, word_scores


@pytest.fixture(scope="module")
def searcher(tagged):
    return Searcher(tagged.root)


def index_of(count=30, seed=0, **columns):
    """An index of tracks with random scores of automatic tags."""
    index = samples.index_of(unit(count, seed), samples.tracks(count, **columns))
    scores = np.random.default_rng(seed).lognormal(size=(count, len(known_auto_tags())))
    index.auto_tags = pd.DataFrame(scores.astype(np.float32), columns=known_auto_tags())
    return index


def naive(values):
    mean, spread = statistics.fmean(values), statistics.pstdev(values)
    return [(value - mean) / spread for value in values]


def naive_own(carried):
    """The normal quantile at the middle rank of those that carry a tag, or of those that do not."""
    share = sum(carried) / len(carried)
    quantile = statistics.NormalDist().inv_cdf
    return [quantile(1 - share / 2) if one else quantile((1 - share) / 2) for one in carried]


def test_a_tag_is_scored_by_its_standardised_logarithm():
    index = index_of()
    found = word_scores(index, ["Folk", "HIP-HOP "])
    for word, tag in (("Folk", "folk"), ("HIP-HOP ", "hip-hop")):
        expected = naive([math.log(score) for score in index.auto_tags[tag]])
        np.testing.assert_allclose(found[word], expected, atol=1e-6)


def test_a_synonym_is_the_mean_of_its_tags():
    index = index_of()
    found = word_scores(index, ["slow", "mellow", "chillout", "beautiful", "rap", "hip-hop"])
    tags = ["mellow", "chillout", "beautiful"]
    np.testing.assert_allclose(found["slow"], found[tags].mean(axis=1))
    np.testing.assert_allclose(found["rap"], found["hip-hop"])


def test_own_tags_count_whole_and_beside_automatic_ones():
    genres = ["Free Jazz;Folk", "folk", "jazz"] * 10
    index = index_of(genre=genres)
    found = word_scores(index, ["free jazz", "FOLK", "jazz"])
    carried = naive_own([genre == genres[0] for genre in genres])
    np.testing.assert_allclose(found["free jazz"], carried)
    carried = np.array(naive_own(["folk" in genre.lower() for genre in genres]))
    automatic = np.array(naive([math.log(score) for score in index.auto_tags["folk"]]))
    np.testing.assert_allclose(found["FOLK"], (carried + automatic) / 2, atol=1e-6)


def test_a_rare_tag_does_not_outweigh_another_word():
    index = samples.index_of(unit(500, 0), samples.tracks(500, genre=["x", "x"] + ["y"] * 498))
    assert 2 < word_scores(index, ["x"])["x"].max() < 4


def test_what_all_tracks_have_ranks_none_before_another():
    index = samples.index_of(unit(4, 0), samples.tracks(4, genre=["rock"] * 4))
    assert word_scores(index, ["rock"])["rock"].tolist() == [0, 0, 0, 0]


def test_an_impossible_tag_is_finite():
    index = index_of()
    index.auto_tags.loc[3, "folk"] = 0.0
    found = word_scores(index, ["folk"])["folk"]
    assert np.isfinite(found).all()
    assert found.idxmin() == 3


def test_a_percentage_counts_the_tracks_that_fit_less():
    scores = pd.DataFrame({"a": [0.3, 0.1, 0.3, 0.9], "b": [1.0, 1.0, 1.0, 1.0]})
    found = fits_better_than(scores)
    assert found["a"].tolist() == [25, 0, 25, 75]
    assert found["b"].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("female vocals, electronic ,slow", ["female vocals", "electronic", "slow"]),
        ("rock; pop", ["rock", "pop"]),
        ("rock, ,rock", ["rock"]),
        (["Salsa, Son", "rock"], ["Salsa, Son", "rock"]),
    ],
)
def test_words_are_separated_by_commas(words, expected):
    assert split_words(words) == expected


def test_synonyms_stand_for_automatic_tags():
    tags = set(known_auto_tags())
    for word, of in synonyms().items():
        assert of, word
        assert set(of) <= tags, word
        assert word not in tags, "a tag means itself"


# --- the list --------------------------------------------------------------------------------


def test_the_list_is_ranked_by_the_mean_over_words(searcher):
    found = searcher.query_words("female vocals, punk", k=12, per_artist=None)
    assert found.columns.tolist() == [
        "rank", "track_id", "title", "artist", "tags", "auto_tags", "score", "why", "start", "end",
    ]  # fmt: skip
    scores = word_scores(searcher.index, ["female vocals", "punk"]).mean(axis=1)
    expected = [row for row in np.argsort(-scores, kind="stable") if scores[row] >= 0]
    assert found["track_id"].tolist() == [f"s{row:02d}" for row in expected]
    assert found["track_id"][0] == "s03"
    assert found["rank"].tolist() == list(range(1, len(expected) + 1))
    np.testing.assert_allclose(found["score"], scores[expected], atol=1e-4)
    assert found["auto_tags"][0] == "punk, female vocalists, sad"
    assert found["why"][0] == {"female vocals": 91.7, "punk": 50.0}
    assert ((found["start"] >= 0) & (found["start"] < found["end"])).all()


def test_conditions_and_artists_bound_the_list(searcher):
    found = searcher.query_words("punk", where="mood=wild")
    tracks = searcher.tracks.set_index("track_id").loc[found["track_id"]]
    assert found["artist"].is_unique
    assert tracks["mood"].str.contains("wild").all()
    every = searcher.query_words(["punk"], where=["genre=drums"], per_artist=None)
    assert set(every["track_id"]) == {"s02", "s03", "s06", "s07", "s10", "s11"}
    assert len(searcher.query_words("punk", 2)) == 2
    assert searcher.query_words("punk", where="genre=polka").empty


@pytest.mark.parametrize(("options", "subject"), [({"k": 0}, "k"), ({"per_artist": 0}, "per_a")])
def test_numbers_out_of_range_are_refused(searcher, options, subject):
    with pytest.raises(SimlibError, match=f"{subject}.*no whole number above 0"):
        searcher.query_words("punk", **options)


@pytest.mark.parametrize(
    ("word", "near"), [("punkk", "punk"), ("femal vocals", "female vocals"), ("drum", "drums")]
)
def test_an_unknown_word_is_answered_with_the_nearest_ones(searcher, word, near):
    with pytest.raises(SimlibError) as error:
        searcher.query_words(["jazz", word])
    assert error.value.subject == f"word '{word}'"
    assert error.value.hint.startswith(f"known words are {near}, ")


def test_without_backbones_only_own_tags_are_known(built):
    searcher = Searcher(built.root)
    found = searcher.query_words("drums", per_artist=None)
    assert set(found["track_id"]) == {"s02", "s03", "s06", "s07", "s10", "s11"}
    assert set(found["auto_tags"]) == {""}
    with pytest.raises(SimlibError, match=r"word 'rap': needs automatic tags.*train\.backbones"):
        searcher.query_words("rap")
    with pytest.raises(SimlibError) as error:
        searcher.query_words("tonall")
    assert error.value.hint.startswith("known words are tonal, ")
    assert "chillout" not in error.value.hint
