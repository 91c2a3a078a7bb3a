import unicodedata

import pytest

from simlib.catalogue.table_paths import PathFinder

FILES = ["rock/1.mp3", "rock/Café.mp3", "jazz/a b.mp3", "jazz/Song.mp3", "jazz/song.mp3", "x.mp3"]


def finder(tmp_path, files=FILES):
    return PathFinder(tmp_path, files)


@pytest.mark.parametrize(
    ("cell", "file"),
    [
        ("rock/1.mp3", "rock/1.mp3"),
        ("./rock//1.mp3", "rock/1.mp3"),
        ("rock\\1.mp3", "rock/1.mp3"),
        (".\\rock\\1.mp3", "rock/1.mp3"),
        ("audio/rock/1.mp3", "rock/1.mp3"),
        ("/rock/1.mp3", "rock/1.mp3"),
        ("\\rock\\1.mp3", "rock/1.mp3"),
        ("{root}/rock/1.mp3", "rock/1.mp3"),
        ("file://{root}/jazz/a%20b.mp3", "jazz/a b.mp3"),
        ("file://localhost{root}/x.mp3", "x.mp3"),
        (unicodedata.normalize("NFD", "rock/Café.mp3"), "rock/Café.mp3"),
        ("ROCK/CAFÉ.MP3", "rock/Café.mp3"),
        ("rock/1 .mp3", "rock/1.mp3"),
        ("jazz/a  b.mp3", "jazz/a b.mp3"),
        ("jazz/song.mp3", "jazz/song.mp3"),
        ("jazz/Song.mp3", "jazz/Song.mp3"),
        ("jazz/SONG.mp3", None),
        ("rock/2.mp3", None),
        ("../rock/1.mp3", None),
        ("/elsewhere/rock/1.mp3", None),
        ("", None),
    ],
)
def test_a_path_finds_its_file_however_it_is_written(tmp_path, cell, file):
    assert finder(tmp_path).find([cell.format(root=tmp_path)]) == [file]


def test_a_path_through_a_link_to_the_folder_finds_its_file(tmp_path):
    (tmp_path / "music").mkdir()
    (tmp_path / "link").symlink_to("music")
    found = finder(tmp_path / "music", ["x.mp3"]).find([f"{tmp_path}/link/x.mp3"])
    assert found == ["x.mp3"]


def test_a_path_in_decomposed_form_finds_a_file_in_composed_form_and_back(tmp_path):
    nfc, nfd = (unicodedata.normalize(form, "Ünï.mp3") for form in ("NFC", "NFD"))
    assert finder(tmp_path, [nfd]).find([nfc]) == [nfd]
    assert finder(tmp_path, [nfc, nfd]).find([nfd, nfc]) == [nfd, nfc]


def test_a_file_that_a_row_names_exactly_is_not_given_to_another_row(tmp_path):
    assert finder(tmp_path, ["a.mp3"]).find(["A.mp3", "a.mp3"]) == [None, "a.mp3"]
    assert finder(tmp_path, ["a\\b.mp3", "a/b.mp3"]).find(["a\\b.mp3", "a/b.mp3"]) == [
        "a\\b.mp3",
        "a/b.mp3",
    ]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["music/rock/1.mp3", "music/x.mp3"], "take 'music/' off the front of every path"),
        (["/home/me/rock/1.mp3", "/home/me/x.mp3"], "take '/home/me/' off the front of every path"),
        (["C:\\Music\\rock\\1.mp3", "C:\\Music\\x.mp3"], "take 'C:\\Music\\' off the front of"),
        (["Rock'n'Roll/1.mp3"], "write 'rock/' for 'Rock'n'Roll/' at the front of every path"),
        (["1.mp3", "Café.mp3", "gone.mp3"], "put 'rock/' in front of 2 of 3 paths"),
        (["old/gone.mp3", "old/2.mp3"], ""),
        (["1.mp3", "a b.mp3"], ""),
    ],
)
def test_a_wrong_front_of_the_paths_is_named(tmp_path, cells, message):
    problem = finder(tmp_path).wrong_prefix(cells)
    assert problem == message or (message and f"no row finds its file: {message}" in problem)


def test_a_file_with_the_name_or_the_stem_of_a_path_is_named(tmp_path):
    assert "'y/x.mp3' may be 'x.mp3'" in finder(tmp_path).elsewhere(["gone.mp3", "y/x.mp3"])
    assert "'1.wav' may be 'rock/1.mp3'" in finder(tmp_path).elsewhere(["1.wav"])
    assert "'rock/1' may be 'rock/1.mp3'" in finder(tmp_path).elsewhere(["rock/1"])
    assert finder(tmp_path).elsewhere(["gone.mp3"]) == ""
