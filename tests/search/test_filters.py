import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.core import SimlibError
from simlib.relevance import artist_keys
from simlib.search import filter_mask

TABLE = samples.tracks(
    5,
    title=["So What", "A..B", "1..2", "E=mc2", "Bleu"],
    artist=["Miles Davis", " miles davis", "Björk", "", "Motörhead;Girlschool"],
    genre=["Jazz", "rock; JAZZ ;Blues", "jazz-rock", "", "rock"],
    bpm=[90.0, 110.0, 119.5, float("nan"), 200.0],
    year=[1959.0, 1959.0, 1993.0, 1905.0, float("nan")],
).assign(seconds=[60.0, 120.0, 180.0, 240.0, 300.0], digest="d", log_mel="key", degraded="key")
TABLE["backbone.vgg"] = "key"
TABLE["auto_tags"] = ["jazz;female vocalists", "jazz", "", "80s", "female vocalists"]


def rows(*conditions):
    return np.flatnonzero(filter_mask(TABLE, conditions)).tolist()


def test_any_one_of_a_tracks_tags_may_be_equal():
    assert rows("genre=Jazz") == rows("genre=jAZZ") == [0, 1]
    assert rows("genre=blues") == [1]
    assert rows("genre=rock;jazz;blues") == [], "the cell reads otherwise"
    assert rows("genre=rock; jazz ;blues") == [1], "the cell as it stands in the table"


def test_automatic_tags_are_conditions_too():
    assert rows("auto_tags=Female Vocalists") == [0, 4]
    assert rows("auto_tags=jazz", "auto_tags!=female vocalists") == [1]
    assert rows("auto_tags=") == [2]


def test_names_are_compared_whole():
    assert rows("artist=Girlschool") == []
    assert rows("artist=motörhead;girlschool") == [4]
    assert rows("track_id=T03") == [3]
    assert rows("artist=Bjo\u0308rk") == [2], "however the letter is encoded"


def test_unequal_is_whatever_is_not_equal_the_unknown_too():
    assert rows("artist!=Miles Davis") == [2, 3, 4]
    assert rows("genre!=jazz") == [2, 3, 4]
    assert rows("year!=1959") == [2, 3, 4]
    assert rows("bpm!=100..150") == [0, 3, 4]


def test_the_unknown_can_be_a_condition():
    assert rows("genre=") == rows("artist=") == [3]
    assert rows("genre!=") == [0, 1, 2, 4]


def test_ranges_of_numbers_include_both_ends():
    assert rows("bpm=90..110") == [0, 1]
    assert rows("bpm=..110") == [0, 1]
    assert rows("bpm=110..") == [1, 2, 4]
    assert rows("bpm=-5..9e1") == [0]
    assert rows("bpm=119.5") == rows("bpm=119.5..119.5") == [2]
    assert rows("seconds=100..200") == [1, 2], "the pipeline's, but a property of the recording"


def test_blanks_around_name_operator_and_value_do_not_count():
    assert rows("  genre  =  jazz  ") == rows("genre=jazz")
    assert rows(" bpm != 90 .. 110 ") == rows("bpm!=90..110")
    assert rows("title=so  what") == [], "those inside the value do"


def test_a_name_may_hold_an_operator_or_a_range():
    assert rows("title=a..b") == [1]
    assert rows("title=1..2") == [2]
    assert rows("title=E=mc2") == [3]
    assert rows("title!=E=mc2") == [0, 1, 2, 4]
    assert rows("genre=..") == [], "no range either"


def test_all_conditions_must_hold():
    assert rows("genre=jazz", "bpm=100..", "artist!=Björk") == [1]
    assert rows("genre=jazz", "genre=rock") == [1]
    assert rows() == [0, 1, 2, 3, 4]
    assert filter_mask(TABLE.iloc[:0], ["genre=jazz"]).tolist() == []


@given(st.lists(st.text("eéÉ\u0301fiﬁ \u00a0", max_size=2), min_size=1, max_size=6))
def test_artists_are_equal_where_the_catalogue_takes_them_for_one(artists):
    tracks = samples.tracks(len(artists), artist=artists)
    keys = artist_keys(tracks)
    for artist, key in zip(artists, keys, strict=True):
        if artist.strip():
            expected = (keys == key).tolist()
            assert filter_mask(tracks, [f"artist={artist}"]).tolist() == expected


@pytest.mark.parametrize(
    ("condition", "cause"),
    [
        ("genre", "holds neither of the operators = and !=; write column=value, column!=value or"),
        ("bpm>90", "holds neither of the operators"),
        ("bpm>=90", "holds neither of the operators"),
        ("genre==jazz", "holds neither of the operators"),
        ("colour=red", "there is no column 'colour'; there are track_id, title, artist, album,"),
        ("=jazz", "there is no column ''"),
        ("Genre=jazz", "there is no column 'Genre'"),
        ("genre=90..110", "column 'genre' holds text, and only numbers have ranges; give one of"),
        ("genre!=..110", "column 'genre' holds text"),
        ("bpm=fast", "column 'bpm' holds numbers; give a number, low..high, low.. or ..high"),
        ("bpm=", "column 'bpm' holds numbers"),
        ("bpm=..", "column 'bpm' holds numbers"),
        ("bpm=nan", "column 'bpm' holds numbers"),
        ("bpm=90...110", "column 'bpm' holds numbers"),
        ("bpm=slow..fast", "column 'bpm' holds numbers"),
        ("bpm=110..90", "the range ends before it begins; write 90..110"),
    ],
)
def test_a_condition_that_is_wrong_is_refused_with_a_hint(condition, cause):
    with pytest.raises(SimlibError) as error:
        filter_mask(TABLE, ["artist!=nobody", condition])
    assert str(error.value).startswith(f"condition '{condition}': {cause}")


@pytest.mark.parametrize("column", ["path", "digest", "log_mel", "degraded", "backbone.vgg"])
def test_the_stores_own_columns_are_neither_accepted_nor_offered(column):
    with pytest.raises(SimlibError) as error:
        filter_mask(TABLE, [f"{column}=key"])
    offered = "track_id, title, artist, album, genre, bpm, year, seconds, auto_tags"
    assert error.value.hint == f"there are {offered}"
