"""The demo catalogue: what it says is true, and it never receives anybody's music."""

import configparser
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import yaml
from project import Project, write_music

from simlib.core import digest_of_file

ROOT = Path(__file__).resolve().parents[1]
POINTER = ROOT / "demo" / "catalogue.dvc.yaml"


def tree(folder):
    """Return {file: digest} of a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): digest_of_file(p) for p in files}


def test_only_the_demo_names_the_remote_in_the_repository():
    config = configparser.ConfigParser()
    config.read(ROOT / ".dvc" / "config")
    assert "remote" not in config["core"], "a default remote would receive everybody's music"
    assert config["'remote \"demo\"'"]["url"] == "../demo/remote"
    (out,) = yaml.safe_load(POINTER.read_text())["outs"]
    assert (out["path"], out["remote"]) == ("data", "demo")


def test_the_demo_is_small():
    remote = ROOT / "demo" / "remote"
    assert sum(p.stat().st_size for p in remote.rglob("*") if p.is_file()) < 12e6


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("demo"))
    project.make("demo")
    return project


def test_the_demo_comes_without_a_network_and_is_what_it_says(project):
    data = project.folder / "data"
    tracks = pd.read_csv(data / "tracks.csv")
    artists = tracks.groupby(tracks["genre"].str.split(";").str[0])["artist"].nunique()
    assert len(artists) >= 8
    assert (artists >= 12).all()
    assert (tracks.groupby("artist").size() >= 2).all()
    assert {"genre", "mood", "instrument", "tempo", "bpm"} <= set(tracks.columns)
    tempo = np.select([tracks["bpm"] < 90, tracks["bpm"] >= 125], ["slow", "fast"], "medium")
    assert (tracks["tempo"] == tempo).all()
    for path in tracks["path"]:
        info = sf.info(data / path)
        assert info.channels == 1
        assert info.duration >= 12


def test_nobodys_music_goes_to_the_remote_of_the_demo(project, tmp_path):
    remote = project.folder / "demo" / "remote"
    before = tree(remote)
    write_music(tmp_path / "mine", artists=2, each=1)
    project.make("catalogue", f"FROM={tmp_path / 'mine'}")
    assert "remote" not in (project.folder / "data.dvc").read_text()
    # With no remote to push to, DVC may say so with an error; nothing must arrive either way.
    project.run("bash", "-c", "dvc push || true")
    assert tree(remote) == before


def test_music_added_to_the_demo_does_not_go_there_either(project):
    remote = project.folder / "demo" / "remote"
    project.make("demo")
    before = tree(remote)
    write_music(project.folder / "data" / "audio" / "mine", artists=1, each=1)
    project.make("tracked")
    assert "remote" not in (project.folder / "data.dvc").read_text()
    project.run("bash", "-c", "dvc push || true")
    assert tree(remote) == before


def test_the_demo_comes_back(project):
    project.make("demo")
    assert len(list((project.folder / "data" / "audio").rglob("*.mp3"))) == 216
    assert (project.folder / "data.dvc").read_text() == POINTER.read_text()


@pytest.fixture
def composer(monkeypatch):
    """The modules of demo/, as `python demo/compose.py` sees them."""
    monkeypatch.syspath_prepend(str(ROOT / "demo"))
    before = set(sys.modules)
    import compose

    yield compose
    for name in set(sys.modules) - before:
        if str(ROOT / "demo") in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]


def test_scores_follow_from_the_seed_and_say_what_the_tags_say(composer):
    genre = sorted(composer.STYLES)[0]

    def scores(seed):
        recordings = list(composer.book(composer.hire(genre, seed), seed))[:4]
        made = [composer.arrange(recording, seed) for recording in recordings]
        return recordings, made

    recordings, made = scores(0)
    assert repr(made) == repr(scores(0)[1])
    assert repr(made) != repr(scores(1)[1])
    for recording, score in zip(recordings, made, strict=True):
        row = composer.describe(recording, score)
        assert row["genre"].startswith(genre)
        assert row["tempo"] == composer.tempo_class(row["bpm"])
        assert sum(len(part.notes) for part in score.parts) > 50
