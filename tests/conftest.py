import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest
import samples
import torch
import yaml
from hypothesis import settings

from simlib.catalogue import read_catalogue
from simlib.features import FeatureStore, extract
from simlib.index import build_index, calibrate
from simlib.model import Embedder

# The machine may be busy: how long an example takes proves nothing.
settings.register_profile("simlib", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("simlib")

# What is computed here is small: on a busy machine threads would only wait for each other.
torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = ROOT.parent / "shared" / "catalogue"


@pytest.fixture(scope="session")
def real_catalogue():
    """The team's catalogue of real recordings, where this machine has it."""
    if not (CATALOGUE / "tracks.csv").is_file():
        pytest.skip("there is no catalogue of real recordings beside this checkout")
    return CATALOGUE


@pytest.fixture
def unprivileged():
    """A context without root's rights, to whom every file is readable."""

    @contextmanager
    def without_rights():
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(user)

    return without_rights


def project_of(root, songs):
    """Make a small project with features, an untrained encoder and an index.

    `songs` are (artist's number, samples, genre, mood), called s00 and so on.
    """
    (root / "dvc.yaml").touch()
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params |= {"extract": samples.EXTRACT, "train": samples.TRAIN}
    params |= {"index": samples.INDEX, "search": samples.SEARCH}
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    lines = ["track_id,path,title,artist,genre,mood"]
    for number, (artist, sound, *tags) in enumerate(songs):
        name = f"artist {artist}/song {number:02d}.wav"
        samples.write(root / "data" / "audio" / name, sound)
        named = f"s{number:02d},audio/{name},Song {number},Artist {artist}"
        lines.append(",".join([named, *tags]))
    (root / "data" / "tracks.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    tracks, _ = read_catalogue(root / "data")
    store = FeatureStore(root / "features")
    stored, rejected, _ = extract(root / "data", tracks, store, samples.extract_settings(), jobs=1)
    assert len(stored) == len(songs)
    assert rejected.empty
    weights = root / "models" / "encoder.safetensors"
    model = Embedder.untrained(samples.front_end(), 0.5, samples.ARCHITECTURE, 7)
    model.descriptor_branch.scale_by(store.descriptors(stored["descriptor"]))
    model.subspaces = {name: model.new_subspace(name) for name in ("genre", "tempo")}
    model.save(weights, train=samples.TRAIN)
    model = Embedder.load(weights)
    index = build_index(model, store, samples.index_settings())
    index.save(root / "index")
    splits = np.array(["train"] * 4 + ["test"] * (len(songs) - 4), dtype=object)
    calibrate(index, splits).save(root / "index")
    return SimpleNamespace(root=root, store=store, model=model, index=index, splits=splits)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A small project, not to be changed."""
    songs = []
    for number in range(12):
        artist, tonal = number // 2, number // 2 % 2 == 0
        seconds = 2.0 + 0.25 * (number % 4)
        sound = (
            samples.chord(seconds, root=220 * 2 ** (number / 12))
            if tonal
            else samples.bursts(seconds, per_second=3 + number / 4, seed=number)
        )
        mood = ("calm", "wild", "calm;wild")[artist % 3]
        songs.append((artist, sound, "tonal" if tonal else "drums", mood))
    return project_of(tmp_path_factory.mktemp("project"), songs)


@pytest.fixture(scope="session")
def tagged(built, tmp_path_factory):
    """The same project with automatic tags, not to be changed.

    Tonal music is jazz, drums are punk; `s03` has a female vocalist and `s00` none of all these.
    """
    root = shutil.copytree(built.root, tmp_path_factory.mktemp("tagged") / "project")
    store = FeatureStore(root / "features")
    probable = [{"jazz": 0.9} if row // 2 % 2 == 0 else {"punk": 0.5} for row in range(12)]
    probable[0], probable[3] = {}, {"punk": 0.5, "female vocalist": 0.4, "sad": 0.02}
    samples.add_backbones(store, probable)
    index = build_index(built.model, store, samples.index_settings())
    index.save(root / "index")
    return SimpleNamespace(root=root, store=store, model=built.model, index=index)


@pytest.fixture(scope="session")
def longer(tmp_path_factory):
    """A small project of eight melodies, 8 s long, two by each artist; not to be changed."""
    songs = [(number // 2, samples.melody(8.0, number), "tonal", "calm") for number in range(8)]
    return project_of(tmp_path_factory.mktemp("longer"), songs)
