import pytest

from simlib.catalogue import append_triplet, read_tracks_table, read_triplets_table
from simlib.catalogue.csv_table import is_missing, known_tags, parse_csv


def table(tmp_path, content):
    """Header and rows of a table with a path and an artist."""
    path = tmp_path / "tracks.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_tracks_table(path, inside_audio=False)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "lines",
    [
        ("path,artist,mood", '1.mp3,Anna,"a;b"', "2.mp3,Ben,"),
        ("path;artist;mood", '1.mp3;Anna;"a;b"', "2.mp3;Ben;"),
        ("path\tartist\tmood", "1.mp3\tAnna\ta;b", "2.mp3\tBen\t"),
        ("path|artist|mood", "1.mp3|Anna|a;b", "2.mp3|Ben|"),
        ("sep=;", "path;artist;mood", '1.mp3;Anna;"a;b"', "2.mp3;Ben;"),
        ('"path";"artist";"mood"', '"1.mp3";"Anna";"a;b"', '"2.mp3";"Ben";""'),
        ("", "path,artist,mood,,", "1.mp3,Anna,a;b,,", ",,,,", "2.mp3,Ben,,,", ",,,,"),
        ("path,artist,mood", "1.mp3,Anna,a;b,,", "2.mp3,Ben,", "", " , ,"),
        (",path,artist,mood", "0,1.mp3,Anna,a;b", "7,2.mp3,Ben,"),
        ('"","path","artist","mood"', '"1","1.mp3","Anna","a;b"', '"2","2.mp3","Ben",NA'),
        ("Unnamed: 0,path,artist,mood", "0,1.mp3,Anna,a;b", "1,2.mp3,Ben,nan"),
    ],
)
def test_what_programs_write_is_one_table(tmp_path, lines, end):
    _, rows = table(tmp_path, end.join(lines) + end)
    assert [(row["path"], row["artist"], row["mood"]) for row in rows] == [
        ("1.mp3", "Anna", "a;b"),
        ("2.mp3", "Ben", ""),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_are_read(tmp_path, encoding):
    _, rows = table(tmp_path, "path\tartist\n1.mp3\tMotörhead 日本\n".encode(encoding))
    assert rows[0]["artist"] == "Motörhead 日本"


def test_other_encodings_are_an_error_with_the_line_and_the_way_out():
    _, _, problems = parse_csv("path,artist\n1.mp3,Motörhead\n".encode("cp1252"))
    assert problems == ["line 2 is not UTF-8 (save the table as 'CSV UTF-8')"]


def test_a_known_column_decides_between_separators(tmp_path):
    header, rows = table(tmp_path, 'path,"mood;of;day;or;night"\n1.mp3,x\n')
    assert header == ["path", "mood;of;day;or;night"]
    assert rows[0]["path"] == "1.mp3"


def test_an_unnamed_column_with_content_is_a_problem():
    _, _, problems = parse_csv(b"path,\n1.mp3,x\n")
    assert problems == []
    header, _, _ = parse_csv(b"path,\n1.mp3,x\n")
    assert header == ["path", ""], "the reader of tracks names it"


@pytest.mark.parametrize(
    ("separator", "cells", "expected"),
    [
        (";", ["90,5", "100", "NA"], ["90.5", "100", ""]),
        ("\t", ["90,5", "-1,25", ""], ["90.5", "-1.25", ""]),
        (";", ["90,5", "fast"], ["90,5", "fast"]),
        (";", ["90,5", "90.5"], ["90,5", "90.5"]),
    ],
)
def test_decimal_commas_are_numbers_if_commas_do_not_separate(tmp_path, separator, cells, expected):
    lines = [f"path{separator}bpm", *(f"{i}.mp3{separator}{c}" for i, c in enumerate(cells))]
    _, rows = table(tmp_path, "\n".join(lines))
    assert [row["bpm"] for row in rows] == expected


def test_a_comma_inside_a_number_of_a_comma_table_stays(tmp_path):
    """In the countries that separate by commas it groups thousands."""
    _, rows = table(tmp_path, 'path,plays\n1.mp3,"1,234"\n')
    assert rows[0]["plays"] == "1,234"


@pytest.mark.parametrize(
    "word", "NA N/A n/a nan NaN NAN None null NULL - -- – ? <NA> #N/A unknown".split()
)
def test_words_for_unknown_values_are_missing(word):
    assert is_missing(word)
    assert known_tags(word) == ""
    assert known_tags(f"Rock;{word}; Pop") == "Rock; Pop"


@pytest.mark.parametrize("word", ["none", "Nan Goldin", "no", "0", "Unknown Pleasures", "a;;b"])
def test_other_words_are_values(word):
    assert not is_missing(word)
    assert known_tags(word) == word


def test_judgements_of_other_programs_are_read_and_added_to(tmp_path):
    path = tmp_path / "triplets.csv"
    path.write_bytes("who;reference;nearer;farther;\nÄnne;a;b;c;\n".encode("utf-16"))
    append_triplet(tmp_path, "c", "b", "a")
    header, rows = read_triplets_table(path)
    assert header == ["who", "reference", "nearer", "farther"]
    assert [tuple(row.values()) for _, row in rows] == [
        ("Änne", "a", "b", "c"),
        ("", "c", "b", "a"),
    ]
    assert path.read_text().startswith("who,reference,nearer,farther\nÄnne,a,b,c\n")
