"""Lists that leave: read back by another program, hostile titles included."""

import csv
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import samples

from simlib.core import SimlibError
from simlib.search import Searcher, write_csv, write_m3u

HOSTILE = ["Straße nach Süd", "two\nlines\r\nand a tab\there", "#EXTINF:1,fake", "", "=1+1"]


@pytest.fixture
def catalogue(tmp_path):
    """Five recordings in a folder, with hostile names."""
    data = tmp_path / "my music" / "data"
    names = ["a b.wav", "ü.wav", "#c.wav", "http: d.wav", "deep/e%20.wav"]
    for number, name in enumerate(names):
        samples.write(data / name, samples.chord(number + 1))
    tracks = samples.tracks(5).assign(path=names, seconds=1.6, title=HOSTILE, artist="One\nOther")
    return tracks, data


def entries(file):
    """Read a playlist: [(seconds, name, path)]."""
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    assert head == "#EXTM3U"
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [(*info.removeprefix("#EXTINF:").split(",", 1), path) for info, path in pairs]


@pytest.mark.parametrize("place", ["list.m3u8", "elsewhere/list.m3u8"])
def test_a_playlist_names_each_file_relative_to_itself(catalogue, tmp_path, place, monkeypatch):
    tracks, data = catalogue
    monkeypatch.chdir(tmp_path)
    found = tracks.iloc[[3, 0, 4, 1, 2]]
    write_m3u(found, tracks, data.relative_to(tmp_path), place)
    read = entries(tmp_path / place)
    assert len(read) == 5
    for (seconds, name, path), track in zip(read, found.itertuples(), strict=True):
        assert seconds == "2"
        assert name == " - ".join(filter(None, ["One Other", " ".join(track.title.split())]))
        assert not path.startswith(("/", "#"))
        assert ((tmp_path / place).parent / path).samefile(data / track.path)


def test_a_file_name_with_a_line_break_is_written_as_an_address(tmp_path):
    tracks = samples.tracks(1).assign(path="a\nb.wav", seconds=1.0)
    write_m3u(tracks, tracks, tmp_path, tmp_path / "list.m3u8")
    [(_, _, path)] = entries(tmp_path / "list.m3u8")
    assert path == (tmp_path / "a\nb.wav").as_uri()


@pytest.mark.skipif(not shutil.which("mpv"), reason="mpv is not installed")
def test_a_player_plays_every_entry(catalogue, tmp_path):
    tracks, data = catalogue
    write_m3u(tracks, tracks, data, tmp_path / "list.m3u8")
    command = ["mpv", "--no-config", "--ao=null", "--vo=null", "--untimed", "list.m3u8"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout.count("Playing:") == 5
    assert "Errors" not in said.stdout


def test_a_table_comes_back_and_no_cell_is_a_formula(tmp_path):
    found = pd.DataFrame({
        "track_id": ["=cmd()", "+1", "-2", "@x"],
        "title": ["\t=tab", 'quote "', "Straße", "two\nlines"],
        "closer_than": [99.9, 50.0, -1.5, np.nan],
        "why": [{"sound": 0.5, "=genre": -0.25}] * 4,
    })  # fmt: skip
    write_csv(found, tmp_path / "list.csv")
    read = pd.read_csv(tmp_path / "list.csv", keep_default_na=False, encoding="utf-8-sig")
    assert read["track_id"].tolist() == ["'=cmd()", "'+1", "'-2", "'@x"]
    assert read["title"].tolist() == ["'\t=tab", 'quote "', "Straße", "two\nlines"]
    assert read["why sound"].tolist() == [0.5] * 4
    assert read["why =genre"].tolist() == [-0.25] * 4
    with open(tmp_path / "list.csv", encoding="utf-8-sig", newline="") as stream:
        numbers = {"closer_than", "why sound", "why =genre"}
        for row in csv.DictReader(stream):
            for name, cell in row.items():
                assert name in numbers or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_an_empty_list_has_its_columns(tmp_path):
    write_csv(pd.DataFrame({"track_id": [], "why": []}), tmp_path / "list.csv")
    assert pd.read_csv(tmp_path / "list.csv").columns.tolist() == ["track_id", "why"]


def test_a_list_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "taken").write_text("a file, no folder")
    with pytest.raises(SimlibError, match=r"list\.csv.*cannot be written"):
        write_csv(pd.DataFrame({"a": [1]}), tmp_path / "taken" / "list.csv")


def test_results_playlists_and_paths_can_be_written(built, tmp_path):
    searcher = Searcher(built.root)
    for found in (
        searcher.query("s02", k=4),
        searcher.radio("s02", 5),
        searcher.path("s02", "s05", 2),
    ):
        searcher.to_m3u(found, tmp_path / "list.m3u8")
        read = entries(tmp_path / "list.m3u8")
        assert len(read) == len(found) > 2
        assert all((tmp_path / path).exists() for *_, path in read)
