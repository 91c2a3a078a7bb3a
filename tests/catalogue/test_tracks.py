import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlib.catalogue import audio_files, read_catalogue, read_tracks_table
from simlib.core import REJECTED_COLUMNS, SimlibError

HEADER = "track_id,path,title,artist,genre\n"


def make(folder, table, *files):
    """A catalogue of empty files: nothing here may look at samples."""
    for name in files:
        path = folder / "audio" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    content = table if isinstance(table, bytes) else table.encode()
    (folder / "tracks.csv").write_bytes(content)
    return folder


def problems(folder, table, *files):
    with pytest.raises(SimlibError) as error:
        read_catalogue(make(folder, table, *files))
    assert error.value.subject == str(folder / "tracks.csv")
    return str(error.value)


# --- reading ---------------------------------------------------------------------------------


def test_the_table_is_read_as_text_and_sorted_by_id(tmp_path):
    table = HEADER + "2,audio/b.wav, B ,ann,rock;pop\n01,audio/a.wav,A,,\n"
    tracks, rejected = read_catalogue(make(tmp_path, table, "a.wav", "b.wav"))
    assert rejected.empty
    assert list(tracks.columns) == ["track_id", "path", "title", "artist", "album", "genre"]
    assert tracks.to_dict("list") == {
        "track_id": ["01", "2"],
        "path": ["audio/a.wav", "audio/b.wav"],
        "title": ["A", "B"],
        "artist": ["", "ann"],
        "album": ["", ""],
        "genre": ["", "rock;pop"],
    }


def test_a_track_without_an_id_is_called_by_its_path(tmp_path):
    table = "path\naudio/x/a.b.wav\n./audio//c.wav\n"
    tracks, _ = read_catalogue(make(tmp_path, table, "x/a.b.wav", "c.wav"))
    assert tracks["track_id"].tolist() == ["c", "x/a.b"]
    assert tracks["path"].tolist() == ["audio/c.wav", "audio/x/a.b.wav"]


def test_a_column_is_a_number_only_where_every_filled_cell_is_one(tmp_path):
    table = "path,bpm,year,key,note\naudio/a.wav,120,1999,1,inf\naudio/b.wav,,2001,C,\n"
    tracks, _ = read_catalogue(make(tmp_path, table, "a.wav", "b.wav"))
    assert tracks["bpm"].tolist()[0] == 120.0
    assert np.isnan(tracks["bpm"].tolist()[1])
    assert tracks["year"].dtype == "float64"
    assert tracks["key"].tolist() == ["1", "C"]
    assert tracks["note"].tolist() == ["inf", ""], "no number to compute with"


def test_an_artist_called_by_a_number_stays_text(tmp_path):
    tracks, _ = read_catalogue(make(tmp_path, "path,artist\naudio/a.wav,311\n", "a.wav"))
    assert tracks["artist"].tolist() == ["311"]


def test_excels_byte_order_mark_quotes_and_line_ends_are_no_problem(tmp_path):
    table = '\ufeffpath,title\r\naudio/a.wav,"one, ""two""\r\nthree"\r\n\r\n'
    tracks, _ = read_catalogue(make(tmp_path, table, "a.wav"))
    assert tracks["title"].tolist() == ['one, "two"\r\nthree']


def test_a_row_without_its_file_is_a_rejection(tmp_path):
    table = "path\naudio/a.wav\naudio/gone.wav\n"
    tracks, rejected = read_catalogue(make(tmp_path, table, "a.wav"))
    assert tracks["track_id"].tolist() == ["a"]
    assert list(rejected.columns) == REJECTED_COLUMNS
    assert rejected["path"].tolist() == ["audio/gone.wav"]
    assert "no such file" in rejected["cause"][0]


def test_what_the_import_left_out_is_listed_once(tmp_path):
    make(tmp_path, "path\naudio/a.wav\naudio/bad.wav\n", "a.wav")
    rows = "path,cause,hint\nbad.wav,is a pipe,replace it\nnotes.txt,no audio,nothing\n"
    (tmp_path / "rejected.csv").write_text(rows)
    _, rejected = read_catalogue(tmp_path)
    assert rejected["path"].tolist() == ["bad.wav", "notes.txt"]
    assert rejected["cause"].tolist() == ["is a pipe", "no audio"]


def test_a_file_without_a_row_joins_by_its_folders(tmp_path):
    files = ["one.wav", "Ann/two.wav", "Ann/Best of/three.wav", "rock/Ann/Best of/four.wav"]
    tracks, _ = read_catalogue(make(tmp_path, "path,mood\naudio/one.wav,calm\n", *files))
    rows = tracks.set_index("track_id")[["title", "artist", "album", "mood"]].T.to_dict("list")
    assert rows == {
        "one": ["one", "", "", "calm"],
        "Ann/two": ["two", "Ann", "", ""],
        "Ann/Best of/three": ["three", "Ann", "Best of", ""],
        "rock/Ann/Best of/four": ["four", "Ann", "Best of", ""],
    }


def test_hidden_files_and_folders_are_no_tracks(tmp_path):
    make(tmp_path, "path\n", ".DS_Store", "a.wav")
    (tmp_path / "audio" / "x.wav").mkdir()
    assert audio_files(tmp_path) == ["audio/a.wav"]


def test_two_formats_of_one_name_get_ids_of_their_own(tmp_path):
    tracks, _ = read_catalogue(make(tmp_path, "path\n", "a.mp3", "a.flac", "b.mp3"))
    ids = dict(zip(tracks["path"], tracks["track_id"], strict=True))
    assert ids == {"audio/a.flac": "a", "audio/a.mp3": "audio/a.mp3", "audio/b.mp3": "b"}


def test_a_file_whose_id_a_row_has_taken_is_called_by_its_path(tmp_path):
    table = "track_id,path\na,audio/other.wav\n"
    tracks, _ = read_catalogue(make(tmp_path, table, "other.wav", "a.wav"))
    ids = dict(zip(tracks["path"], tracks["track_id"], strict=True))
    assert ids == {"audio/other.wav": "a", "audio/a.wav": "audio/a.wav"}


def test_the_files_of_the_folder_can_be_given(tmp_path):
    make(tmp_path, "path\naudio/a.wav\naudio/b.wav\n")
    tracks, rejected = read_catalogue(tmp_path, files=["audio/a.wav"])
    assert tracks["track_id"].tolist() == ["a"]
    assert rejected["path"].tolist() == ["audio/b.wav"]


# --- problems of a table ---------------------------------------------------------------------


def test_all_problems_of_a_table_are_listed_at_once(tmp_path):
    table = (
        b"track_id,path,title,title,\n"
        b"1,audio/a.wav,A,,\n"
        b"1,audio/a.wav,B,,\n"
        b"3,../secret.wav,C,,\n"
        b"4,/etc/passwd,D,,\n"
        b"5,music/e.wav,E,,\n"
        b"6,,F,,\n"
        b"7,audio/g.wav,G\n"
        b"8,audio\\..\\..\\h.wav,H,,x\n"
        b"9,audio/i.wav,Gr\xfc\xdfe,,\n"
        b"10,audio/../../j.wav,J,,\n"
    )
    message = problems(tmp_path, table, "a.wav")
    assert "correct these rows and run again" in message
    for part in [
        "line 10 is not UTF-8 (save the table as 'CSV UTF-8')",
        "2 columns are called 'title'",
        "column 5 has no name",
        "row 4: '../secret.wav' leads out of the catalogue",
        "row 5: '/etc/passwd' leads out of the catalogue",
        "row 6: 'music/e.wav' is not inside 'audio/'",
        "row 7 has no path",
        "row 8 has 3 cells, not 5",
        r"row 9: 'audio\..\..\h.wav' leads out of the catalogue",
        "row 11: 'audio/../../j.wav' leads out",
        "path 'audio/a.wav' stands in 2 rows",
        "track_id '1' stands in 2 rows",
    ]:
        assert part in message
    assert "12 problems: " in message
    assert message.count("; ") == 12, "a problem is listed twice"


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("", "there is no column 'path'"),
        ("title\nA\n", "there is no column 'path'"),
        ("path,Unnamed: 1\naudio/a.wav,x\n", "column 2 has no name"),
        ("path,seconds\naudio/a.wav,3\n", "'seconds' is a name that the pipeline uses"),
        ("path,log_mel\naudio/a.wav,3\n", "'log_mel' is a name that the pipeline uses"),
        ("path,backbone.x\naudio/a.wav,3\n", "'backbone.x' is a name that the pipeline uses"),
        ("path,title\naudio/a.wav\n", "row 2 has 1 cells, not 2"),
        ("path\naudio/a.wav\naudio/./a.wav\n", "path 'audio/a.wav' stands in 2 rows"),
        ("track_id,path\nb,audio/a.wav\n,audio/b.wav\n", "track_id 'b' stands in 2 rows"),
        ('path,title\naudio/a.wav,"A\x1b[2J"\n../\x1b.wav,B\n', r"'../\x1b.wav' leads out"),
        ("path\n\naudio/a.wav\n/b.wav\n", "row 4: '/b.wav' leads out"),
        ('path,title\naudio/a.wav,"' + "A" * 140_000, "row 2 cannot be parsed"),
    ],
)
def test_a_problem_is_named(tmp_path, table, problem):
    message = problems(tmp_path, table, "a.wav", "b.wav")
    assert problem in message
    assert message.isprintable()


def test_of_very_many_problems_the_first_are_listed(tmp_path):
    message = problems(tmp_path, "path\n" + "".join(f"/{i}.wav\n" for i in range(80)))
    assert "80 problems" in message
    assert "'/49.wav'" in message
    assert "'/50.wav'" not in message
    assert "and 30 more" in message


def test_a_catalogue_without_a_table_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(SimlibError, match="make catalogue FROM="):
        read_catalogue(tmp_path)


cells = st.sampled_from(["", ".", "/", "..", "audio", "audio/a.wav", "audio/a", "a.wav", " ", '"'])


@given(
    st.binary(max_size=200)
    | st.lists(st.tuples(cells, cells), max_size=5).map(
        lambda rows: "\n".join(map(",".join, [("path", "track_id"), *rows])).encode()
    ),
    st.booleans(),
)
def test_any_bytes_are_a_good_table_or_a_simlib_error(tmp_path_factory, content, inside):
    path = tmp_path_factory.mktemp("table") / "tracks.csv"
    path.write_bytes(content)
    try:
        header, rows = read_tracks_table(path, inside_audio=inside)
    except SimlibError:
        return
    assert "path" in header
    for row in rows:
        assert row["track_id"]
        assert row["path"] not in ("", ".", "/")
        assert ".." not in row["path"]
        assert row["path"].startswith("audio") or not inside
    assert len({row["track_id"] for row in rows}) == len({row["path"] for row in rows}) == len(rows)
