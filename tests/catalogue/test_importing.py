import csv
import os
import shutil

import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.catalogue import (
    append_triplet,
    audio_files,
    import_folder,
    read_catalogue,
    read_triplets,
)
from simlib.catalogue.importing import _copy_file, _write_tables
from simlib.core import SimlibError


@pytest.fixture
def music(tmp_path):
    """A small folder of music to import."""
    source = tmp_path / "music"
    samples.write(source / "Ann" / "LP" / "one.wav", samples.chord(0.2))
    samples.write(source / "Bob" / "two.flac", samples.chord(0.2))
    samples.write(source / "three.wav", samples.bursts(0.2))
    return source


@pytest.fixture
def data(tmp_path):
    return tmp_path / "project" / "data"


def rows(path):
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def rejected(data):
    return {row["path"]: row["cause"] for row in rows(data / "rejected.csv")}


def audio(data):
    return sorted(audio_files(data))


def test_a_folder_becomes_a_catalogue_and_stays_as_it_was(music, data):
    before = samples.tree(music)
    assert import_folder(music, data) == (3, 0)
    assert samples.tree(music) == before
    assert audio(data) == ["audio/Ann/LP/one.wav", "audio/Bob/two.flac", "audio/three.wav"]
    for path in audio(data):
        taken, given = data / path, music / path.removeprefix("audio/")
        assert taken.read_bytes() == given.read_bytes()
        assert not taken.samefile(given)
    assert [p.name for p in data.parent.iterdir()] == ["data"], "nothing is left lying"


@pytest.mark.parametrize("kind", ["link", "mount"])
def test_a_link_or_a_mounted_disk_stays_and_holds_the_catalogue(
    music, data, tmp_path, monkeypatch, kind
):
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "lost+found").mkdir()
    data.parent.mkdir()
    if kind == "link":
        data.symlink_to(disk)
    else:
        data = disk
        monkeypatch.setattr(os.path, "ismount", lambda path: os.fspath(path) == os.fspath(disk))
    import_folder(music, data)
    shutil.rmtree(music / "Ann")
    assert import_folder(music, data) == (2, 0)
    assert data.is_symlink() == (kind == "link")
    assert audio(data) == ["audio/Bob/two.flac", "audio/three.wav"]
    names = {"audio", "tracks.csv", "rejected.csv", "lost+found"}
    assert {path.name for path in disk.iterdir()} == names
    assert {path.name for path in tmp_path.iterdir()} == {"music", "disk", "project"}


def test_the_table_is_made_of_tags_and_folders(music, data):
    import_folder(music, data)
    assert rows(data / "tracks.csv")[0] == {
        "track_id": "Ann/LP/one",
        "path": "audio/Ann/LP/one.wav",
        "title": "one",
        "artist": "Ann",
        "album": "LP",
        "genre": "",
    }
    tracks, left_out = read_catalogue(data)
    assert tracks["track_id"].tolist() == ["Ann/LP/one", "Bob/two", "three"]
    assert left_out.empty


def test_a_folder_that_holds_audio_already_is_not_nested(music, data):
    (music / "audio").mkdir()
    shutil.move(music / "Ann", music / "audio" / "Ann")
    import_folder(music, data)
    assert "audio/Ann/LP/one.wav" in audio(data)


def test_two_files_with_one_place_in_the_catalogue_do_not_overwrite_each_other(music, data):
    samples.write(music / "audio" / "three.wav", samples.tone(0.3))
    assert import_folder(music, data) == (3, 1)
    kept = (data / "audio" / "three.wav").read_bytes()
    assert kept == (music / "audio" / "three.wav").read_bytes()
    assert "same name" in rejected(data)["three.wav"]


def test_the_new_catalogue_replaces_the_old_one_whole(music, data):
    import_folder(music, data)
    (music / "Bob" / "two.flac").unlink()
    samples.write(music / "four.wav", samples.tone(0.2))
    import_folder(music, data)
    assert audio(data) == ["audio/Ann/LP/one.wav", "audio/four.wav", "audio/three.wav"]
    assert [p.name for p in data.parent.iterdir()] == ["data"]


@pytest.mark.parametrize("step", ["_copy", "_write_tables"])
@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt])
def test_when_something_fails_the_old_catalogue_stays(music, data, monkeypatch, step, failure):
    import_folder(music, data)
    before = samples.tree(data)
    (music / "three.wav").unlink()

    def fail(*args):
        raise failure

    monkeypatch.setattr(f"simlib.catalogue.importing.{step}", fail)
    with pytest.raises(failure):
        import_folder(music, data)
    assert samples.tree(data) == before
    assert [p.name for p in data.parent.iterdir()] == ["data"]


def test_the_old_catalogue_is_whole_until_the_new_one_is(music, data, monkeypatch):
    import_folder(music, data)
    before = samples.tree(data)
    seen = []
    write = _write_tables

    def validate(fresh, *args):
        write(fresh, *args)
        seen.append(samples.tree(data))

    monkeypatch.setattr("simlib.catalogue.importing._write_tables", validate)
    samples.write(music / "four.wav", samples.tone(0.2))
    import_folder(music, data)
    assert seen == [before]


def test_an_old_catalogue_comes_back_when_the_last_step_fails(music, data, monkeypatch):
    import_folder(music, data)
    before = samples.tree(data)
    rename = os.rename

    def fail(source, target):
        if ".part" in str(source):
            raise OSError("the disk is gone")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        import_folder(music, data)
    assert samples.tree(data) == before


def test_a_full_disk_never_makes_half_a_catalogue(music, data, monkeypatch):
    import_folder(music, data)
    before = samples.tree(data)
    copy = _copy_file

    def full(source, target):
        if source.name == "two.flac":
            raise OSError(28, "No space left on device")
        copy(source, target)

    monkeypatch.setattr("simlib.catalogue.importing._copy_file", full)
    with pytest.raises((OSError, SimlibError), match="No space left"):
        import_folder(music, data)
    assert samples.tree(data) == before


# --- what is left out ------------------------------------------------------------------------


def test_what_cannot_be_used_is_listed_and_stops_nothing(music, data):
    (music / "notes.txt").write_text("not music")
    (music / "empty").mkdir()
    (music / "folder.wav").mkdir()
    samples.write(music / "folder.wav" / "inside.wav", samples.tone(0.2))
    samples.write(music / ".hidden.wav", samples.tone(0.2))
    samples.write(music / "new\nline.wav", samples.tone(0.2))
    os.mkfifo(music / "pipe.wav")
    (music / "dangling.wav").symlink_to("nowhere.wav")
    (music / "ring.wav").symlink_to("ring.wav")
    (music / "elsewhere").symlink_to(music / "Ann")
    (music / "link.wav").symlink_to(music / "three.wav")
    strange = os.fsencode(music) + b"/caf\xe9.wav"
    with open(strange, "wb") as stream:
        stream.write((music / "three.wav").read_bytes())
    before = samples.tree(music)
    taken, left_out = import_folder(music, data)
    assert samples.tree(music) == before
    found = rejected(data)
    assert {name: cause.split(" (")[0] for name, cause in found.items()} == {
        "notes.txt": "is not an audio file by its name",
        "folder.wav": "is a folder with an audio file's name",
        ".hidden.wav": "is a hidden file",
        r"new\nline.wav": "its name holds a control character",
        "pipe.wav": "is no regular file",
        "dangling.wav": "is a dangling link",
        "ring.wav": "is a dangling link",
        "elsewhere": "is a link to a folder, which is not followed",
        r"caf\xe9.wav": "its name is not valid UTF-8",
    }
    assert left_out == len(found) == 9
    assert taken == 5
    assert "audio/folder.wav/inside.wav" in audio(data)
    link = data / "audio" / "link.wav"
    assert not link.is_symlink()
    assert link.read_bytes() == (music / "three.wav").read_bytes()
    assert not any(p.is_symlink() for p in data.rglob("*"))


@pytest.mark.parametrize(
    "name", ["$(touch pwned).wav", "-rf.wav", "a;b&c|d.wav", "ü 日本.wav", "'\".wav", "=1+1.wav"]
)
def test_odd_names_are_names_like_any_other(music, data, name, monkeypatch):
    monkeypatch.chdir(music.parent)
    samples.write(music / name, samples.tone(0.2))
    assert import_folder(music, data) == (4, 0)
    assert (data / "audio" / name).read_bytes() == (music / name).read_bytes()
    tracks, _ = read_catalogue(data)
    assert f"audio/{name}" in tracks["path"].tolist()
    assert sorted(p.name for p in music.parent.iterdir()) == ["music", "project"]


def test_a_file_that_cannot_be_read_is_left_out(music, data, monkeypatch):
    copy = _copy_file

    def broken(source, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.name == "two.flac":
            target.write_bytes(b"half")
            raise OSError(5, "Input/output error")
        copy(source, target)

    monkeypatch.setattr("simlib.catalogue.importing._copy_file", broken)
    assert import_folder(music, data) == (2, 1)
    assert rejected(data) == {"Bob/two.flac": "cannot be read (Input/output error)"}
    assert audio(data) == ["audio/Ann/LP/one.wav", "audio/three.wav"]


def test_files_are_copied_where_the_kernel_cannot_share_them(music, data, monkeypatch):
    def refuse(*args):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    import_folder(music, data)
    taken = (data / "audio" / "three.wav").read_bytes()
    assert taken == (music / "three.wav").read_bytes()


# --- what is refused -------------------------------------------------------------------------


def test_a_folder_without_music_is_refused_and_the_old_catalogue_stays(music, data, tmp_path):
    import_folder(music, data)
    before = samples.tree(data)
    poor = tmp_path / "poor"
    poor.mkdir()
    (poor / "notes.txt").write_text("not music")
    with pytest.raises(SimlibError, match=r"holds no audio file .*\(1 other entries\)"):
        import_folder(poor, data)
    with pytest.raises(SimlibError, match="is not a folder"):
        import_folder(tmp_path / "absent", data)
    with pytest.raises(SimlibError, match="is not a folder"):
        import_folder(music / "three.wav", data)
    assert samples.tree(data) == before


@pytest.mark.parametrize("where", [".", "audio", "..", "../.."])
def test_a_folder_that_overlaps_with_the_catalogue_is_refused(music, data, where):
    import_folder(music, data)
    before = samples.tree(data)
    with pytest.raises(SimlibError, match="overlaps"):
        import_folder(data / where, data)
    assert samples.tree(data) == before


def test_a_link_to_the_catalogue_is_seen_through(music, data, tmp_path):
    import_folder(music, data)
    (tmp_path / "link").symlink_to(data)
    with pytest.raises(SimlibError, match="overlaps"):
        import_folder(tmp_path / "link", data)


# --- with a table of theirs ------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "audio/", "./"])
def test_their_table_is_used_with_paths_of_either_kind(music, data, prefix):
    table = f"path,title,artist,mood,bpm\n{prefix}three.wav,Three,Cid,calm;slow,90\n"
    (music / "tracks.csv").write_text(table)
    assert import_folder(music, data) == (3, 0)
    assert rows(data / "tracks.csv") == [
        {
            "path": "audio/three.wav",
            "title": "Three",
            "artist": "Cid",
            "mood": "calm;slow",
            "bpm": "90",
        }
    ]
    tracks, left_out = read_catalogue(data)
    assert left_out.empty
    by_id = tracks.set_index("track_id")
    assert by_id.loc["three", ["title", "artist", "mood"]].tolist() == ["Three", "Cid", "calm;slow"]
    assert by_id.loc["three", "bpm"] == 90
    assert by_id.loc["Bob/two", "artist"] == "Bob", "a file without a row joins"


def test_their_ids_are_kept_and_filled_in_where_they_are_missing(music, data):
    (music / "tracks.csv").write_text("track_id,path\nX-1,three.wav\n,Bob/two.flac\n")
    import_folder(music, data)
    tracks, _ = read_catalogue(data)
    ids = dict(zip(tracks["path"], tracks["track_id"], strict=True))
    assert ids["audio/three.wav"] == "X-1"
    assert ids["audio/Bob/two.flac"] == "Bob/two"


def test_a_row_whose_file_is_left_out_is_listed_once(music, data):
    os.mkfifo(music / "pipe.wav")
    (music / "tracks.csv").write_text("path\nthree.wav\npipe.wav\nabsent.wav\n")
    import_folder(music, data)
    _, left_out = read_catalogue(data)
    assert sorted(left_out["path"]) == ["audio/absent.wav", "pipe.wav"]


def test_a_table_with_problems_is_refused_before_anything_happens(music, data):
    import_folder(music, data)
    before = samples.tree(data)
    (music / "tracks.csv").write_text("path,\n../three.wav,x\n,y\n")
    with pytest.raises(SimlibError, match="3 problems: .*no name.*leads out.*no path"):
        import_folder(music, data)
    assert samples.tree(data) == before


def test_what_was_imported_twice_is_the_same_to_the_byte(music, data, tmp_path):
    os.mkfifo(music / "pipe.wav")
    (music / "notes.txt").touch()
    import_folder(music, data)
    import_folder(music, tmp_path / "again" / "data")
    for name in ("tracks.csv", "rejected.csv"):
        assert (data / name).read_bytes() == (tmp_path / "again" / "data" / name).read_bytes()


# --- with judgements -------------------------------------------------------------------------

HEADER = "reference,nearer,farther\n"


def test_their_judgements_are_taken_along_and_are_no_rejected_entry(music, data):
    table = (
        HEADER + "three,Bob/two,Ann/LP/one\nthree,Ann/LP/one,Bob/two\nthree,Bob/two,Ann/LP/one\n"
    )
    (music / "triplets.csv").write_text(table)
    (music / "Bob" / "triplets.csv").write_text("of another catalogue")
    assert import_folder(music, data) == (3, 1)
    assert list(rejected(data)) == ["Bob/triplets.csv"]
    assert (data / "triplets.csv").read_text() == table
    triplets, left_out = read_triplets(data, read_catalogue(data)[0])
    assert len(triplets) == 3
    assert left_out.empty


def test_a_catalogue_without_judgements_gets_none(music, data):
    import_folder(music, data)
    assert not (data / "triplets.csv").exists()


def test_judgements_outlast_the_catalogue_that_they_were_made_in(music, data):
    import_folder(music, data)
    append_triplet(data, "three", "Bob/two", "Ann/LP/one")
    append_triplet(data, "Bob/two", "three", "Ann/LP/one")
    before = (data / "triplets.csv").read_bytes()
    shutil.move(music / "Ann", music.parent / "Ann")
    import_folder(music, data)
    assert (data / "triplets.csv").read_bytes() == before
    triplets, left_out = read_triplets(data, read_catalogue(data)[0])
    assert triplets.empty
    assert left_out["track_id"].tolist() == ["Ann/LP/one", "Ann/LP/one"]
    shutil.move(music.parent / "Ann", music / "Ann")
    import_folder(music, data)
    assert (data / "triplets.csv").read_bytes() == before
    assert len(read_triplets(data, read_catalogue(data)[0])[0]) == 2


def test_judgements_that_their_file_lacks_come_after_those_that_it_has(music, data):
    (music / "triplets.csv").write_text(HEADER + "three,Bob/two,Ann/LP/one\n" * 2)
    import_folder(music, data)
    for nearer, farther in [("Bob/two", "Ann/LP/one"), ("Ann/LP/one", "Bob/two")]:
        append_triplet(data, "three", nearer, farther)
    triplets = (
        "who,nearer,reference,farther\nAnn,Bob/two,three,Ann/LP/one\nBob,three,Bob/two,Ann/LP/one\n"
    )
    (music / "triplets.csv").write_text(triplets)
    import_folder(music, data)
    kept = [tuple(row.values()) for row in rows(data / "triplets.csv")]
    assert kept == [
        ("Ann", "Bob/two", "three", "Ann/LP/one"),
        ("Bob", "three", "Bob/two", "Ann/LP/one"),
        ("", "Bob/two", "three", "Ann/LP/one"),
        ("", "Bob/two", "three", "Ann/LP/one"),
        ("", "Ann/LP/one", "three", "Bob/two"),
    ], "three times judged, once of them in their file too"
    before = (data / "triplets.csv").read_bytes()
    import_folder(music, data)
    assert (data / "triplets.csv").read_bytes() == before, "nothing is counted twice"


def test_judgements_on_what_is_left_out_or_was_judged_before_are_no_mistake(music, data):
    os.mkfifo(music / "pipe.wav")
    samples.write(music / "three.flac", samples.tone(0.2))
    (music / "tracks.csv").write_text("track_id,path\nX-1,absent.wav\n")
    table = HEADER + "three,pipe,X-1\naudio/three.wav,Bob/two,Ann/LP/one\n"
    (music / "triplets.csv").write_text(table)
    import_folder(music, data)
    triplets, left_out = read_triplets(data, read_catalogue(data)[0])
    assert triplets["reference"].tolist() == ["audio/three.wav"], "beside three.flac"
    assert left_out["track_id"].tolist() == ["pipe"]
    (music / "Bob" / "two.flac").unlink()
    (music / "tracks.csv").unlink()
    import_folder(music, data)
    assert (data / "triplets.csv").read_text() == table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("three,Bob/two,two\nthree.wav,Bob/two,three\n", "row 2.*'two'; row 3.*'three.wav'"),
        ("three,three,Bob/two\n", "compares 'three' with itself"),
    ],
)
def test_judgements_with_problems_are_refused_before_anything_is_copied(
    music, data, monkeypatch, table, message
):
    import_folder(music, data)
    before = samples.tree(data)
    monkeypatch.setattr("simlib.catalogue.importing._copy", None)
    (music / "triplets.csv").write_text(HEADER + table)
    with pytest.raises(SimlibError, match=message) as error:
        import_folder(music, data)
    assert error.value.subject == str(music / "triplets.csv")
    assert samples.tree(data) == before


def test_old_judgements_that_cannot_be_read_are_not_thrown_away(music, data):
    import_folder(music, data)
    (data / "triplets.csv").write_text("reference,nearer,further\nthree,Bob/two,Ann/LP/one\n")
    before = samples.tree(data)
    with pytest.raises(SimlibError, match="no column 'farther'") as error:
        import_folder(music, data)
    assert error.value.subject == str(data / "triplets.csv")
    assert samples.tree(data) == before


# --- a table that simlib wrote is never refused ----------------------------------------------

parts = st.text(
    st.sampled_from("aA.\\ \u00a0\u3000'\",;|#%&+=-_~[]{}!$@é\u0301İßﬁ\ufeff\u200b\u2028\x7f日🎵1"),
    min_size=1,
    max_size=4,
).filter(lambda part: part not in (".", ".."))
nasty = st.sampled_from(
    ["NA", "None", "nan", "-", "null", "audio", "CD1", "VA", "tracks.csv", "a ", " a", "A", "=1+1"]
)
file_names = st.lists(
    st.tuples(
        st.lists(parts | nasty, max_size=2),
        parts | nasty,
        st.sampled_from([".mp3", ".flac", ".MP3", " .mp3", ".mp3 ", ".mp3.mp3"]),
    ).map(lambda name: "/".join([*name[0], name[1] + name[2]])),
    min_size=1,
    max_size=8,
    unique=True,
)
table_headers = st.sampled_from(
    ["", "path", "path,artist,mood", "Path;Artist;bpm", "track_id,path,title", "path\tAlbum Artist"]
)


def made(source, names):
    """Write files as far as their names allow."""
    for name in names:
        try:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(name.encode())
        except OSError:
            continue


@given(file_names, table_headers, st.data())
def test_a_table_that_simlib_wrote_is_never_refused(tmp_path_factory, names, header, choices):
    root = tmp_path_factory.mktemp("nasty")
    source, data = root / "music", root / "project" / "data"
    made(source, ["first.mp3", *names])
    if header and not (source / "tracks.csv").is_dir():
        separator = next((s for s in ",;\t" if s in header), ",")
        with open(source / "tracks.csv", "w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, delimiter=separator)
            writer.writerow(header.split(separator))
            for name in ["first.mp3", *names]:
                cells = {"path": name, "track_id": choices.draw(st.sampled_from(["", "NA"]))}
                columns = header.lower().split(separator)
                writer.writerow([cells.get(c, choices.draw(parts | nasty)) for c in columns])
    try:
        copied, rejected = import_folder(source, data)
    except SimlibError as error:
        assert "stands in 2 rows" in str(error), "of their table: two names that csv cannot tell"
        return
    tracks, left_out = read_catalogue(data)
    assert sorted(tracks["path"]) == audio(data)
    assert len(tracks) == copied == tracks["track_id"].str.strip().nunique()
    assert len(left_out) >= rejected
    again, _ = read_catalogue(data)
    assert again.equals(tracks)


@given(file_names)
def test_a_catalogue_that_is_imported_once_more_is_the_same(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("nasty")
    made(root / "music", ["first.mp3", *names])
    import_folder(root / "music", root / "one" / "data")
    import_folder(root / "one" / "data", root / "two" / "data")
    one, two = (read_catalogue(root / name / "data")[0] for name in ("one", "two"))
    assert one.equals(two)


def test_a_table_in_capitals_is_used(music, data):
    (music / "TRACKS.CSV").write_text("path,artist\nthree.wav,Cid\n")
    assert import_folder(music, data) == (3, 0)
    assert read_catalogue(data)[0]["artist"].tolist() == ["Ann", "Bob", "Cid"]


def test_a_table_that_finds_no_file_is_refused_at_once(music, data):
    (music / "tracks.csv").write_text("path,artist\nx/three.wav,Cid\nx/Bob/two.flac,Bob\n")
    with pytest.raises(SimlibError, match="take 'x/' off the front of every path"):
        import_folder(music, data)
    (music / "tracks.csv").write_text("path,artist\nthree.mp3,Cid\nfour.mp3,Bob\n")
    with pytest.raises(SimlibError, match=r"'three.mp3' may be 'three.wav'"):
        import_folder(music, data)
    (music / "tracks.csv").write_text("path,artist\nfive.mp3,Cid\nfour.mp3,Bob\n")
    with pytest.raises(SimlibError, match=r"no row finds its file, for example 'five.mp3'"):
        import_folder(music, data)
    assert not data.exists()


def test_rows_that_become_one_path_are_one_row(music, data):
    samples.write(music / "audio" / "three.wav", samples.tone(0.3))
    (music / "tracks.csv").write_text("path,artist\naudio/three.wav,Cid\nthree.wav,Dan\n")
    import_folder(music, data)
    tracks, _ = read_catalogue(data)
    taken = (data / "audio" / "three.wav").read_bytes() == (music / "three.wav").read_bytes()
    assert tracks.set_index("track_id").loc["three", "artist"] == ("Dan" if taken else "Cid")
