import pytest

from simlib.catalogue import read_catalogue, read_tracks_table
from simlib.core import SimlibError
from simlib.relevance import tag_columns


def header_of(tmp_path, names, cells="1.mp3"):
    (tmp_path / "tracks.csv").write_text(f"{names}\n{cells}\n")
    return read_tracks_table(tmp_path / "tracks.csv", inside_audio=False)[0]


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        *((n, "path") for n in ("Path", "PATH", "file", "File Name", "filename", "file_path")),
        *((n, "artist") for n in ("Artist", "ARTISTS", "artist_name", "Artist Name(s)")),
        *((n, "artist") for n in ("track-artist", "Album Artist", "albumartist", "Performer")),
        *((n, "title") for n in ("Title", "track_title", "Song Title", "Track Name", "Name")),
        *((n, "title") for n in ("Track", "Song")),
        *((n, "album") for n in ("Album", "album_title", "AlbumName")),
        *((n, "genre") for n in ("Genre", "Genres", "GENRE")),
        *((n, "track_id") for n in ("Track ID", "trackId", "TRACK_ID")),
        ("BPM", "bpm"),
        ("Mood", "Mood"),
        ("tempo", "tempo"),
        ("key", "key"),
        ("label", "label"),
        ("language", "language"),
    ],
)
def test_usual_spellings_of_a_column_are_known(tmp_path, name, meaning):
    if meaning == "path":
        assert header_of(tmp_path, f"mood,{name}", "x,1.mp3") == ["mood", "path"]
    else:
        assert header_of(tmp_path, f"path,{name}", "1.mp3,some words") == ["path", meaning]


@pytest.mark.parametrize(
    ("names", "cells", "expected"),
    [
        ("path,Track,Name", "1.mp3,3,Song", ["path", "Track", "title"]),
        ("path,Track", "1.mp3,03/12", ["path", "Track"]),
        ("path,Track", "1.mp3,B2", ["path", "Track"]),
        ("path,Title,Name", "1.mp3,Song,x", ["path", "title", "Name"]),
        ("path,Artist,Performer", "1.mp3,Anna,x", ["path", "artist", "Performer"]),
        ("path,Album Artist,Artist", "1.mp3,Anna,", ["path", "artist"]),
    ],
)
def test_a_plainer_name_comes_first(tmp_path, names, cells, expected):
    assert header_of(tmp_path, names, cells) == expected


def test_the_albums_artist_counts_if_there_is_no_other(tmp_path):
    table = "path,Artist,Album Artist\n1.mp3,Anna,Ben\n2.mp3,,Ben\n3.mp3,NA,Various Artists\n"
    (tmp_path / "tracks.csv").write_text(table)
    _, rows = read_tracks_table(tmp_path / "tracks.csv", inside_audio=False)
    assert [row["artist"] for row in rows] == ["Anna", "Ben", "NA"]


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ("path,artits", "column 'artits' is not known: is it 'artist'?"),
        ("path,tittle", "column 'tittle' is not known: is it 'title'?"),
        ("path,Titel", "column 'Titel' is not known: is it 'title'?"),
        ("path,ablum", "column 'ablum' is not known: is it 'album'?"),
        ("path,Gerne", "column 'Gerne' is not known: is it 'genre'?"),
        ("path,Albun Artist", "is it 'album_artist'?"),
        ("paht,artist", "column 'paht' is not known: is it 'path'?; there is no column 'path'"),
        ("path,Artist,artist_name", "columns 'Artist' and 'artist_name' mean the same: keep one"),
        ("path,filename", "columns 'path' and 'filename' mean the same: keep one"),
        ("path,Mood,mood", "columns 'Mood' and 'mood' mean the same: keep one"),
        ("path,auto_tags", "column 'auto_tags' is a name that the pipeline uses itself"),
        ("path,title,title", "2 columns are called 'title'"),
    ],
)
def test_names_in_doubt_are_an_error(tmp_path, names, problem):
    with pytest.raises(SimlibError) as error:
        header_of(tmp_path, names, "1.mp3" + ",x" * names.count(","))
    assert problem in str(error.value)


@pytest.mark.parametrize(
    "name",
    ["Comment", "comments", "ISRC", "Track Number", "track_no", "No.", "spotify_id", "albumId",
     "Album ID", "MusicBrainz Track Id", "url", "Cover URL", "Duration", "bit rate", "Date Added",
     "original filename", "md5", "Encoded By", "sort_name"],
)  # fmt: skip
def test_comments_numbers_and_identifiers_are_no_tags(tmp_path, name):
    lines = [f"path,artist,mood,{name}"]
    for row in range(4):
        (tmp_path / "audio").mkdir(exist_ok=True)
        (tmp_path / f"audio/{row}.mp3").touch()
        lines.append(f"audio/{row}.mp3,artist {row},calm,3:4{row // 2}")
    (tmp_path / "tracks.csv").write_text("\n".join(lines))
    tracks, _ = read_catalogue(tmp_path)
    assert tag_columns(tracks) == ["mood"]
    assert name not in tracks


@pytest.mark.parametrize("name", ["patch work", "arts", "Paid", "grid", "tile work"])
def test_other_columns_keep_their_names(tmp_path, name):
    assert header_of(tmp_path, f"path,{name}", "1.mp3,x") == ["path", name]
