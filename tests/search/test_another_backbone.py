"""A network in ONNX as a backbone, from extraction over training and index to a query."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import samples
from conftest import project_of
from onnx_networks import tiny_backbone, write_card

from simlib.core import SimlibError
from simlib.features import FeatureStore, extract, load_backbone
from simlib.index import build_index, calibrate
from simlib.model import Embedder
from simlib.search import Searcher, embed
from simlib.training import TrainingData, train

NAME = "backbones/tiny.yaml"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small project that a training on two backbones has gone through."""
    songs = [(n // 2, samples.melody(3.0 + n % 3, n), "tonal", "calm") for n in range(10)]
    root = project_of(tmp_path, songs).root
    monkeypatch.chdir(root)
    tiny_backbone(root / "backbones")
    project = SimpleNamespace(root=root, store=FeatureStore(root / "features"))
    extract_again(project)
    train_again(project)
    index_again(project)
    return project


def extract_again(project):
    tracks = project.store.tracks()[["track_id", "path", "title", "artist", "genre", "mood"]]
    settings = samples.extract_settings()
    names = ["vgg", NAME]
    return extract(project.root / "data", tracks, project.store, settings, backbones=names, jobs=1)


def train_again(project):
    settings = samples.train_settings(backbones=["vgg", NAME], epochs=1)
    splits = np.array(["train"] * 6 + ["validation"] * 2 + ["test"] * 2, dtype=object)
    tracks = project.store.tracks()
    data = TrainingData.read(project.store, tracks, splits, settings.backbones)
    model, _ = train(data, settings, project.root / ".checkpoints" / "run.safetensors")
    weights = project.root / "models" / "encoder.safetensors"
    model.save(weights, train=settings.as_dict(), backbones=project.store.backbones())
    project.splits = splits


def index_again(project):
    model = Embedder.load(project.root / "models" / "encoder.safetensors")
    index = build_index(model, project.store, samples.index_settings())
    index.save(project.root / "index")
    calibrate(index, project.splits).save(project.root / "index")
    return index


def song(project, row):
    return project.root / "data" / project.store.tracks()["path"][row]


def test_a_file_is_found_by_the_same_activations(project):
    stored = project.store.tracks()
    variants = json.loads((project.root / "features" / "backbones.json").read_text())
    assert variants[NAME] == load_backbone(NAME).variant
    rows = project.store.backbone(NAME, stored[f"backbone.{NAME}"][3])
    # Of 3 s at 8 kHz there are 94 frames: patches of 20 frames, and one that ends with them.
    assert rows.shape == (5, 6)
    searcher = Searcher()
    assert searcher.model.backbones == ("vgg", NAME)
    query = searcher.load_query(song(project, 3))
    np.testing.assert_allclose(query.vector, searcher.index.vectors_of([3])[0], atol=1e-5)
    found = searcher.query(song(project, 3), k=3, own_artist=True)
    assert found["track_id"][0] == "s03"
    arrays, failed = embed([song(project, row) for row in (3, 5)])
    assert failed == []
    np.testing.assert_allclose(arrays["emb"], searcher.index.vectors_of([3, 5]), atol=1e-5)


def test_the_activations_take_part_in_the_sound(project):
    """A trained model with other activations of the network has other vectors."""
    model = Embedder.load(project.root / "models" / "encoder.safetensors")
    features = project.store.features(project.store.tracks().iloc[0])
    before = model.track(features, 0.5)[0]
    features.backbones[NAME] = np.asarray(features.backbones[NAME])[:, ::-1]
    assert np.abs(model.track(features, 0.5)[0] - before).max() > 1e-3


def test_another_network_is_refused_until_all_is_made_again(project):
    before = Searcher().index.vectors()
    tiny_backbone(project.root / "backbones", seed=1)
    with pytest.raises(SimlibError, match="not the one that the features were extracted with"):
        Searcher().query(song(project, 3))
    assert len(Searcher().query("s03")), "a track of the catalogue needs no network"
    assert extract_again(project)[2] == 10
    with pytest.raises(SimlibError, match=f"another '{NAME}' than the encoder was trained on"):
        index_again(project)
    train_again(project)
    after = index_again(project).vectors()
    assert np.abs(after - before).max() > 1e-3
    assert len(Searcher().query(song(project, 3)))


def test_a_card_that_is_gone_is_named(project):
    card = project.root / NAME
    card.unlink()
    searcher = Searcher()
    with pytest.raises(SimlibError, match=f"{NAME}: cannot be read .No such file"):
        searcher.query(song(project, 3))
    write_card(card, licence="Apache-2.0")
    assert len(Searcher().query(song(project, 3)))
