import pytest

from simlib.catalogue import audio_files, import_folder, read_catalogue
from simlib.catalogue.scanning import is_left_out, scan_folder
from simlib.core import AUDIO_SUFFIXES

RUBBISH = [".Trash-1000", ".stversions", ".AppleDouble", ".git", ".hidden", "#recycle",
           "$RECYCLE.BIN", "@eaDir", "__MACOSX", "lost+found", "System Volume Information",
           "@Recycle", "#snapshot"]  # fmt: skip


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"not silence")
    return folder


@pytest.mark.parametrize("rubbish", RUBBISH)
@pytest.mark.parametrize("above", ["", "A/"])
def test_folders_of_trash_and_previews_are_one_entry_each(tmp_path, rubbish, above):
    path = f"{above}{rubbish}"
    touch(tmp_path / "m", "A/song.mp3", f"{path}/song.mp3", f"{path}/deep/er/song.mp3")
    assert import_folder(tmp_path / "m", tmp_path / "p" / "data") == (1, 1)
    tracks, rejected = read_catalogue(tmp_path / "p" / "data")
    assert tracks["path"].tolist() == ["audio/A/song.mp3"]
    assert rejected["path"].tolist() == [path]
    assert "rename it if it is music" in rejected["hint"][0]


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_a_catalogue_made_by_hand_is_read_by_the_same_rules(tmp_path, rubbish):
    touch(tmp_path / "audio", "A/song.mp3", f"A/{rubbish}/song.mp3", "A/._song.mp3", "A/x.mp3 ")
    table = f"path,mood\naudio/A/song.mp3,calm\naudio/A/{rubbish}/song.mp3,calm\n"
    (tmp_path / "tracks.csv").write_text(table)
    assert audio_files(tmp_path) == ["audio/A/song.mp3"]
    tracks, rejected = read_catalogue(tmp_path)
    assert tracks["path"].tolist() == ["audio/A/song.mp3"]
    causes = dict(zip(rejected["path"], rejected["cause"], strict=True))
    assert set(causes) == {
        f"audio/A/{rubbish}", f"audio/A/{rubbish}/song.mp3", "audio/A/._song.mp3", "audio/A/x.mp3 ",
    }  # fmt: skip
    assert causes["audio/A/x.mp3 "] == "its name ends with a blank"
    assert causes[f"audio/A/{rubbish}/song.mp3"] == "listed in tracks.csv, but hidden"


@pytest.mark.parametrize("name", ["...And Justice for All", "#1 Record", "@peace", "$ave", "Git"])
def test_names_of_music_that_look_like_rubbish_are_music(tmp_path, name):
    touch(tmp_path / "m", f"{name}/...song.mp3")
    assert list(scan_folder(tmp_path / "m")) == [(f"{name}/...song.mp3", None)]
    assert not is_left_out(f"{name}/...song.mp3")


def test_a_file_that_is_no_audio_by_its_name_is_left_to_its_decoder_in_a_catalogue(tmp_path):
    touch(tmp_path / "audio", "notes.txt", "Thumbs.db")
    assert audio_files(tmp_path) == ["audio/notes.txt"]
    assert [problem for _, problem in scan_folder(tmp_path / "audio")] != [None, None]


def test_every_format_is_imported_in_small_letters_and_capitals(tmp_path):
    names = [f"a{suffix}" for suffix in AUDIO_SUFFIXES] + [f"b{s.upper()}" for s in AUDIO_SUFFIXES]
    touch(tmp_path / "m", *names)
    assert import_folder(tmp_path / "m", tmp_path / "p" / "data") == (len(names), 0)
