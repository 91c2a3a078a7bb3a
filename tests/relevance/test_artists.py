import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.relevance import artist_codes, artist_filter, artist_keys, split_artists


def groups(*artists):
    """Lists of the artists that count as one."""
    found = {}
    for artist, key in zip(
        artists, artist_keys(samples.tracks(len(artists), artist=artists)), strict=True
    ):
        found.setdefault(key, []).append(artist)
    return list(found.values())


@pytest.mark.parametrize(
    "spellings",
    [
        ("Anna Alder", " anna  ALDER", "Anna\u00a0Alder", "AnnaAlder", "Anna\u200b Alder"),
        ("Björk", "Bjo\u0308rk", "BJÖRK"),
        ("Guns N' Roses", "Guns N’ Roses", "guns n‘ roses"),
        ("Jay-Z", "Jay‐Z", "JAY–Z"),
        ("Straße", "STRASSE"),
        ("ＡＢＣ", "abc"),
    ],
)
def test_spellings_of_one_artist_are_one(spellings):
    assert groups(*spellings, "Another") == [list(spellings), ["Another"]]


@pytest.mark.parametrize(
    "joint",
    [
        "Anna;Ben",
        "Anna; Ben",
        "Anna feat. Ben",
        "Anna Feat Ben",
        "Anna ft. Ben",
        "Anna ft.Ben",
        "Anna (feat. Ben)",
        "Anna [Ft. Ben]",
        "Anna featuring BEN",
        "Anna with Ben",
        "Anna & Ben",
        "Ben And Anna",
        "Anna, Ben",
        "Anna / Ben",
        "Anna/Ben",
        "Anna x Ben",
        "Anna vs. Ben",
        "Anna + Ben",
        "Anna und Ben",
        "Dora, Anna & Ben feat. Emil",
    ],
)
def test_a_joint_recording_is_one_by_each_of_its_artists(joint):
    assert groups("Anna", "Ben", "Cleo", joint) == [["Anna", "Ben", joint], ["Cleo"]]


@pytest.mark.parametrize(
    "artists",
    [
        ("Simon & Garfunkel", "Simon & Schuster"),
        ("Earth, Wind & Fire", "Wind"[::-1], "Fireflies"),
        ("AC/DC", "Accept"),
        ("Little Feat", "Little"),
        ("Frank with Orchestra", "Nancy with Orchestra", "Ella with the Orchestra"),
        ("Ann & The Band", "Bob & The Band", "The Band"),
        ("Nina feat. Friends", "Otis feat. friends"),
        ("Tyler, The Creator", "The Creators"),
        ("Florence and the Machine", "the"),
        ("", ""),
        ("Withers", "Bill"),
        ("Anderson", "Anders"),
    ],
)
def test_names_of_bands_are_not_taken_apart(artists):
    assert len({*artist_keys(samples.tracks(len(artists), artist=artists))}) == len(artists)


def test_parts_of_bands_count_if_they_are_artists_themselves():
    assert groups("Bob Marley", "Bob Marley & The Wailers", "The Wailers") == [
        ["Bob Marley", "Bob Marley & The Wailers", "The Wailers"]
    ]
    joint = "Simon & Garfunkel feat. Anna, Earth, Wind & Fire"
    assert groups("Earth, Wind & Fire", joint, "Anna & Earth, Wind & Fire") == [
        ["Earth, Wind & Fire", joint, "Anna & Earth, Wind & Fire"]
    ]


def test_the_order_of_the_artists_does_not_matter():
    assert groups("Anna & Ben", "Ben, Anna", "Anna & Cleo") == [
        ["Anna & Ben", "Ben, Anna"],
        ["Anna & Cleo"],
    ]


@given(st.lists(st.sets(st.sampled_from("abcdefghij"), min_size=1, max_size=3), min_size=1))
def test_artists_are_linked_as_by_merging_sets_until_none_overlap(recordings):
    merged = []
    for people in recordings:
        linked = [group for group in merged if group & people]
        merged = [group for group in merged if not group & people] + [people.union(*linked)]
    artists = [";".join(sorted(people)) for people in recordings]
    keys = artist_keys(samples.tracks(len(artists), artist=artists))
    expected = [next(i for i, group in enumerate(merged) if one <= group) for one in recordings]
    assert len({*zip(keys, expected, strict=True)}) == len({*keys}) == len({*expected})


def test_chains_of_joint_recordings_link_artists():
    artists = ("Anna; Ben", "Cleo feat. Ben", "Cleo & Dora", "Dora", "Emil")
    assert groups(*artists) == [list(artists[:4]), ["Emil"]]
    keys = artist_keys(samples.tracks(5, artist=artists))
    assert artist_codes(keys).tolist() == [0, 0, 0, 0, 1]
    assert not artist_filter(keys)[:4, :4].any()


def test_an_artist_without_joint_recordings_keeps_its_key():
    table = samples.tracks(4, artist=["Ann", "", "Simon & Garfunkel", "Ben;Cleo"])
    assert artist_keys(table).tolist() == ["a:ann", "t:t01", "a:simon & garfunkel", "a:ben;cleo"]


names = st.lists(
    st.lists(st.sampled_from(["Ann", "Ben", "Cleo", "ann"]), min_size=1, max_size=3).flatmap(
        lambda parts: st.sampled_from([" & ", ";", " feat. ", ", "]).map(lambda s: s.join(parts))
    ),
    min_size=1,
    max_size=8,
)


@given(names, st.integers(0, 3))
def test_nobody_is_in_two_splits(artists, seed):
    solo = ["Ann", "Ben", "Cleo"]
    table = samples.tracks(len(artists) + 3, artist=artists + solo)
    splits = split_artists(table, samples.split_settings(test=0.4, validation=0.3, seed=seed))
    for name in solo:
        found = {s for a, s in zip(table["artist"], splits, strict=True) if name in a.title()}
        assert len(found) == 1


@given(names, names, st.integers(0, 3))
def test_joint_recordings_move_artists_towards_training_only(first, more, seed):
    settings = samples.split_settings(test=0.4, validation=0.3, seed=seed)
    order = ["test", "validation", "train"]
    before = split_artists(samples.tracks(len(first), artist=first), settings)
    grown = samples.tracks(len(first) + len(more), artist=first + more)
    after = split_artists(grown, settings)[: len(first)]
    assert all(order.index(b) <= order.index(a) for b, a in zip(before, after, strict=True))
