import pytest
import samples
from mutagen.flac import FLAC
from mutagen.mp3 import EasyMP3
from mutagen.mp4 import MP4

from simlib.catalogue import infer_metadata


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
