import pytest
import samples
from mutagen.flac import FLAC
from mutagen.mp3 import EasyMP3
from mutagen.mp4 import MP4

from simlib.catalogue import import_folder, infer_metadata, read_catalogue
from simlib.relevance import split_artists, tag_columns


def tagged(folder, suffix, **tags):
    """A file with its own tags, spelt as its format wants them."""
    path = folder / "audio" / "Folder artist" / f"file name{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix in samples.AV_FORMATS:
        samples.write_av(path, 0.2)
        file = MP4(path)
        names = {"title": "\xa9nam", "artist": "\xa9ART", "album": "\xa9alb", "genre": "\xa9gen"}
        file.update({names[k]: v for k, v in tags.items()})
    else:
        samples.write(path, samples.tone(0.2, rate=44100), 44100)
        file = (EasyMP3 if suffix == ".mp3" else FLAC)(path)
        file.update(tags)
    file.save()
    return path.relative_to(folder).as_posix()


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".m4a"])
def test_a_files_own_tags_come_before_its_folders(tmp_path, suffix):
    tags = {"title": ["Own"], "artist": ["Ann"], "album": ["LP"], "genre": ["Rock", "Pop"]}
    row = infer_metadata(tmp_path, tagged(tmp_path, suffix, **tags))
    assert row == {
        "track_id": "Folder artist/file name",
        "path": f"audio/Folder artist/file name{suffix}",
        "title": "Own",
        "artist": "Ann",
        "album": "LP",
        "genre": "Rock;Pop",
    }


def test_a_files_tags_become_one_line_each(tmp_path):
    row = infer_metadata(tmp_path, tagged(tmp_path, ".flac", title=["a\n b\t c"]))
    assert row["title"] == "a b c"
    assert row["artist"] == "Folder artist", "where the file says nothing"


def test_broken_tags_stop_nobody(tmp_path):
    (tmp_path / "audio" / "Ann").mkdir(parents=True)
    (tmp_path / "audio/Ann/a.mp3").write_bytes(b"ID3\x04\x00\xff\xff\xff\xff\xff" + b"\xff" * 50)
    assert infer_metadata(tmp_path, "audio/Ann/a.mp3")["title"] == "a"


# --- folders and names -----------------------------------------------------------------------


DISCS = "CD1|CD 2|cd_03|Disc 2|Disk 1|DISC ONE|Disc II|CD 1 - Live|[Disc 1]|CD-1|Side A|DVD 1"


@pytest.mark.parametrize("disc", DISCS.split("|"))
def test_folders_of_discs_are_no_albums(tmp_path, disc):
    row = infer_metadata(tmp_path, f"audio/Anna/Tree/{disc}/song.mp3")
    assert (row["artist"], row["album"]) == ("Anna", "Tree")
    row = infer_metadata(tmp_path, f"audio/Anna/{disc}/song.mp3")
    assert (row["artist"], row["album"]) == ("Anna", "")
    assert infer_metadata(tmp_path, f"audio/{disc}/song.mp3")["artist"] == ""


@pytest.mark.parametrize("album", ["Disco 2000", "CD Baby", "Discovery", "LP1", "Sideways", "2001"])
def test_folders_with_names_like_those_of_discs_are_albums(tmp_path, album):
    row = infer_metadata(tmp_path, f"audio/Anna/{album}/song.mp3")
    assert (row["artist"], row["album"]) == ("Anna", album)


@pytest.mark.parametrize(
    ("path", "artist", "album", "title"),
    [
        ("Anna - Song.mp3", "Anna", "", "Song"),
        ("Anna – Song - Live.mp3", "Anna", "", "Song - Live"),
        ("01 - Anna - Song.mp3", "Anna", "", "Song"),
        ("01. Anna - Song.mp3", "Anna", "", "Song"),
        ("01 Anna - Song.mp3", "Anna", "", "Song"),
        ("Anna - 01 - Song.mp3", "Anna", "", "Song"),
        ("Anna - Tree - 01 - Song.mp3", "Anna", "", "Song"),
        ("50 Cent - Song.mp3", "50 Cent", "", "Song"),
        ("01 - Song.mp3", "", "", "01 - Song"),
        ("Anna-Song.mp3", "", "", "Anna-Song"),
        ("Ann/Anna - Song.mp3", "Ann", "", "Anna - Song"),
        ("Various Artists/Best of/Anna - Song.mp3", "Anna", "Best of", "Song"),
        ("VA/Best of/03 - Anna - Song.mp3", "Anna", "Best of", "Song"),
        ("Compilations/Best of/song.mp3", "", "Best of", "song"),
        ("VA - Best of/Anna - Song.mp3", "Anna", "Best of", "Song"),
        ("Various Artists/song.mp3", "", "", "song"),
        ("Rock/Various Artists/Anna - Song.mp3", "Anna", "", "Song"),
        ("Unknown Artist/Unknown Album/song.mp3", "", "", "song"),
        ("Anna/Unknown Album/song.mp3", "Anna", "", "song"),
        ("Compilations/Best of/CD2/Anna - Song.mp3", "Anna", "Best of", "Song"),
        ("Various - Song.mp3", "", "", "Song"),
        ("Anna - Tree/song.mp3", "Anna", "Tree", "song"),
        ("2004 - Tree/song.mp3", "2004 - Tree", "", "song"),
        ("Anna/Tree - Live/song.mp3", "Anna", "Tree - Live", "song"),
        ("Anna\\Tree\\song.mp3", "Anna", "Tree", "song"),
    ],
)
def test_names_tell_what_tags_do_not(tmp_path, path, artist, album, title):
    row = infer_metadata(tmp_path, f"audio/{path}")
    assert (row["artist"], row["album"], row["title"]) == (artist, album, title)


def test_a_files_name_does_not_count_if_its_tags_name_the_artist(tmp_path):
    path = tmp_path / "audio" / "Ben - Other.flac"
    samples.write(path, samples.tone(0.2))
    file = FLAC(path)
    file["artist"] = "Anna"
    file.save()
    row = infer_metadata(tmp_path, "audio/Ben - Other.flac")
    assert (row["artist"], row["title"]) == ("Anna", "Ben - Other")


# --- what a table lacks ----------------------------------------------------------------------


def music_with_tags(folder, count=6):
    """Files by Anna, whose tags say so, in folders that say something else."""
    for number in range(count):
        path = folder / "Folder" / "Other" / f"{number}.flac"
        samples.write(path, samples.tone(0.2, 200 + 20 * number))
        file = FLAC(path)
        file.update({"title": f"Song {number}", "artist": "Anna", "album": "Tree", "genre": "Folk"})
        file.save()
    return folder


def imported(tmp_path, table):
    source = music_with_tags(tmp_path / "music")
    (source / "tracks.csv").write_text(table)
    import_folder(source, tmp_path / "p" / "data")
    return read_catalogue(tmp_path / "p" / "data")[0]


@pytest.mark.parametrize("artist", ["", ",Artist", ",album artist"])
@pytest.mark.parametrize("cell", ["", "NA", "nan", "-"])
def test_an_artist_that_the_table_lacks_is_in_one_split(tmp_path, artist, cell):
    moods = ("calm", "wild")
    lines = [f"path,mood{artist}"]
    for number in range(6):
        cells = f"Folder/Other/{number}.flac,{moods[number % 2]}"
        lines.append(cells + (f",{cell}" if artist else ""))
    tracks = imported(tmp_path, "\n".join(lines))
    assert set(tracks["artist"]) == {"Anna"}
    assert tracks["title"].tolist() == [f"Song {number}" for number in range(6)]
    assert set(tracks["album"]) == {"Tree"}
    assert set(tracks["genre"]) == {"Folk"}
    for seed in range(5):
        settings = samples.split_settings(test=0.4, validation=0.3, seed=seed)
        assert len(set(split_artists(tracks, settings))) == 1
    assert tag_columns(tracks) == []


def test_what_a_table_says_comes_before_the_files(tmp_path):
    table = (
        "path,title,artist,album,genre\nFolder/Other/0.flac,T,A,L,G\nFolder/Other/1.flac,,B,NA,\n"
    )
    tracks = imported(tmp_path, table).set_index("path")
    columns = ["title", "artist", "album", "genre"]
    assert tracks.loc["audio/Folder/Other/0.flac", columns].tolist() == ["T", "A", "L", "G"]
    assert tracks.loc["audio/Folder/Other/1.flac", columns].tolist() == ["Song 1", "B", "Tree", ""]
    assert tracks.loc["audio/Folder/Other/2.flac", "artist"] == "Anna", "a file without a row"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("path,artist\n{}\n", ("", "a", "")),
        ("path,artist,title\n{},NA\n", ("", "", "")),
        ("path,mood\n{}calm\n", ("Ann", "a", "LP")),
    ],
)
def test_an_empty_cell_beside_a_file_without_tags_stays_empty(tmp_path, table, expected):
    samples.write(tmp_path / "audio/Ann/LP/a.wav", samples.tone(0.2))
    (tmp_path / "tracks.csv").write_text(table.format("audio/Ann/LP/a.wav,"))
    row = read_catalogue(tmp_path)[0].iloc[0]
    assert tuple(row[["artist", "title", "album"]]) == expected


def test_an_artist_that_is_really_called_none_keeps_the_name(tmp_path):
    for name in ("None/NA/-.wav", "Ann/null.wav"):
        samples.write(tmp_path / "music" / name, samples.tone(0.2))
    import_folder(tmp_path / "music", tmp_path / "p" / "data")
    tracks, _ = read_catalogue(tmp_path / "p" / "data")
    assert tracks[["artist", "album", "title"]].to_numpy().tolist() == [
        ["Ann", "", "null"],
        ["None", "NA", "-"],
    ]
