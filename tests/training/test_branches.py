import dataclasses

import numpy as np
import samples
import torch
from school import School, everything, two_columns

from simlib.model import Branch, BranchSettings, Embedder
from simlib.training import (
    fit_branch,
)


def branch_of(features, weights, degraded=None, encoded=0, **changes):
    settings = samples.train_settings()
    wanted = BranchSettings.of(samples.BRANCH | changes)
    branch = Branch(features.shape[1], wanted.hidden, 8, 0.2, wanted.dropout, wanted.noise)

    def pair_weights(rows):
        return (weights[np.ix_(rows, rows)] * (1 - np.eye(len(rows)))).astype(np.float32)

    degraded = features if degraded is None else degraded
    inputs = np.stack([features, degraded])
    fit_branch(branch, inputs, pair_weights, wanted, settings, encoded=encoded)
    return branch.eval()


def test_a_branch_learns_to_ignore_degradation():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(200, 30)).astype(np.float32)
    degraded = features.copy()
    degraded[:, :20] = rng.normal(3, 1, size=(200, 20))
    weights = np.eye(200, dtype=np.float32)

    def found_again(**known):
        branch = branch_of(features[:150], weights, hidden=64, steps=150, **known)
        with torch.inference_mode():
            clean, query = (branch(torch.from_numpy(x[150:])).numpy() for x in (features, degraded))
        return ((query @ clean.T).argmax(axis=1) == np.arange(50)).mean()

    assert found_again(degraded=degraded[:150]) > found_again() + 0.3


def test_a_branch_learns_which_features_matter():
    rng = np.random.default_rng(2)
    kinds = np.arange(200) % 2
    features = rng.normal(0, 50, size=(200, 102)).astype(np.float32)
    features[:, 7] = kinds * 1e-3 + rng.normal(0, 1e-4, size=200)
    weights = (kinds[:, None] == kinds[None, :]).astype(np.float32)
    branch = branch_of(features[:150], weights[:150, :150], hidden=64, steps=150)
    with torch.no_grad():
        vectors = branch(torch.from_numpy(features[150:])).numpy()
    similarity = vectors @ vectors.T
    same_kind = weights[150:, 150:].astype(bool)
    assert similarity[same_kind].mean() > similarity[~same_kind].mean() + 0.3


def test_a_subspace_does_not_overfit_to_the_encoders_embedding():
    """The encoder's features separate the training recordings fully, others hardly."""
    rng = np.random.default_rng(2)
    kinds = np.arange(200) % 2
    features = rng.normal(size=(200, 40)).astype(np.float32)
    features[:150, :20] += 3 * kinds[:150, None]
    features[:, 20:] += 0.4 * kinds[:, None]
    weights = (kinds[:, None] == kinds[None, :]).astype(np.float32)

    def separation(encoded):
        branch = branch_of(
            features[:150], weights[:150, :150], encoded=encoded, hidden=64, steps=150
        )
        with torch.inference_mode():
            vectors = branch(torch.from_numpy(features[150:])).numpy()
        similarity, same_kind = vectors @ vectors.T, weights[150:, 150:].astype(bool)
        return similarity[same_kind].mean() - similarity[~same_kind].mean()

    assert separation(encoded=20) > 1.5 * separation(encoded=0)


def test_a_branch_scales_by_the_recordings_it_learned_from():
    features = np.random.default_rng(3).normal(5, 2, size=(30, 102)).astype(np.float32)
    features[:, 0] = 4.0
    branch = branch_of(features, np.ones((30, 30)))
    np.testing.assert_allclose(branch.mean, features.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(branch.deviation[1:], features[:, 1:].std(axis=0), rtol=1e-5)
    assert branch.deviation[0] == 1, "what never changes is not divided by nothing"


def test_a_branch_follows_from_the_seed():
    features = np.random.default_rng(4).normal(size=(30, 102)).astype(np.float32)
    torch.manual_seed(0)
    first = branch_of(features, np.ones((30, 30))).state_dict()
    torch.manual_seed(0)
    again = branch_of(features, np.ones((30, 30))).state_dict()
    for name, tensor in first.items():
        assert torch.equal(tensor, again[name]), name


def test_each_tag_column_gets_a_subspace_that_learns_it(tmp_path):
    school = two_columns(tmp_path)
    model, _ = school.train(epochs=6)
    assert list(model.subspaces) == ["genre", "mood", "tempo"]
    tracks = school.store.tracks()
    rows = [school.store.features(row) for _, row in tracks.iterrows()]
    vectors = np.stack([model.track(features, 0.5)[0] for features in rows])
    assert vectors.shape == (12, 8 + 8 + 4 + 4 + 4)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    genre = vectors[:, 16:20] / np.linalg.norm(vectors[:, 16:20], axis=1, keepdims=True)
    same_kind = np.equal.outer(school.kinds, school.kinds)
    unseen = np.ix_(range(6, 12), range(6, 12))
    similarity = genre @ genre.T
    assert (
        similarity[unseen][same_kind[unseen]].mean() > similarity[unseen][~same_kind[unseen]].mean()
    )
    shares = [
        np.linalg.norm(subspace, axis=1) ** 2
        for subspace in np.split(vectors, [8, 16, 20, 24], axis=1)
    ]
    np.testing.assert_allclose(
        np.mean(shares, axis=1), [0.312, 0.208, 0.225, 0.225, 0.03], atol=1e-3
    )


def test_a_subspace_learns_its_column_and_nothing_else(tmp_path, monkeypatch):
    fitted = []

    def spy(*args, **options):
        fitted.append((args[2], options))

    monkeypatch.setattr("simlib.training.fit.fit_branch", spy)
    monkeypatch.setattr("simlib.training.branches.fit_branch", spy)
    school = two_columns(tmp_path)
    school.train(epochs=1)
    _, genre, mood, tempo = fitted
    for (pair_weights, options), column in ((genre, "genre"), (mood, "mood")):
        tags = school.store.tracks()[column].to_numpy(dtype=object)[:6]
        same_kind = (tags[:, None] == tags[None, :]) & ~np.eye(6, dtype=bool)
        np.testing.assert_array_equal(pair_weights(np.arange(6)) > 0, same_kind)
        assert options["encoded"] == 8
    assert tempo[1]["encoded"] == 0


def test_a_column_called_tempo_is_learned_from_tempograms_too(tmp_path):
    school = School(tmp_path)
    table = school.store.tracks().assign(tempo=["fast", "fast", "slow", "slow"] * 3)
    table.to_parquet(school.store.folder / "tracks.parquet", index=False)
    model, _ = school.train(epochs=1)
    assert list(model.subspaces) == ["genre", "tempo tag", "tempo"]
    widths = {name: len(subspace.mean) for name, subspace in model.subspaces.items()}
    assert widths == {"genre": 8 + 102, "tempo tag": 8 + 102 + 40 + 48, "tempo": 40}
    model.save(tmp_path / "model.safetensors")
    assert list(Embedder.load(tmp_path / "model.safetensors").subspaces) == list(model.subspaces)


def test_a_column_of_weight_0_has_no_subspace(tmp_path):
    tags = {"default": 1.0, "mood": 0.0}
    positives = {"recording": 1.0, "artist": 0.5, "tags": tags}
    model, _ = two_columns(tmp_path).train(epochs=1, positives=positives)
    assert list(model.subspaces) == ["genre", "tempo"]
    untagged = School(tmp_path / "untagged", tags=False)
    assert list(untagged.train(epochs=1)[0].subspaces) == ["tempo"]


def test_subspaces_without_a_column_stay_and_new_columns_get_one(tmp_path):
    initial, _ = School(tmp_path / "a").train(epochs=1)
    before = everything(initial)
    school = two_columns(tmp_path / "b")
    table = school.store.tracks().drop(columns="genre")
    table.to_parquet(school.store.folder / "tracks.parquet", index=False)
    tuned, _ = school.train(initial=initial, epochs=1)
    assert list(tuned.subspaces) == ["genre", "tempo", "mood"]
    after = everything(tuned)
    for name in [name for name in before if name.startswith("2.")]:
        np.testing.assert_array_equal(before[name], after[name])


def test_backbones_reach_the_sound_and_the_subspaces(tmp_path):
    school = two_columns(tmp_path)
    model, _ = school.train(epochs=2, backbones=["musicnn"])
    size = model.architecture["reduced"]
    assert model.aspects.sizes["sound"] == 8 + 8 + size
    features = school.store.features(school.store.tracks().iloc[0])
    other = dataclasses.replace(features, backbones={"musicnn": -features.backbones["musicnn"]})
    one, two = (model.aspects.subspaces(model.track(f, 0.5)[0]) for f in (features, other))
    for name in ("sound", "genre", "mood"):
        assert np.abs(one[name] - two[name]).max() > 0.01, name
    np.testing.assert_array_equal(one["tempo"], two["tempo"])
    model.save(tmp_path / "model.safetensors")
    loaded = Embedder.load(tmp_path / "model.safetensors")
    assert loaded.backbones == ("musicnn",)
    np.testing.assert_array_equal(loaded.track(features, 0.5)[0], model.track(features, 0.5)[0])


def test_backbones_train_without_validation_recordings(tmp_path):
    school = School(tmp_path)
    splits = np.array(["train"] * 12, dtype=object)
    model, _ = school.train(splits, epochs=1, backbones=["musicnn"])
    assert list(model.subspaces) == ["genre", "tempo"]


def test_tuning_keeps_the_reduction(tmp_path):
    """What the first training learned from many recordings is not lost to a few."""
    school = two_columns(tmp_path)
    initial, _ = school.train(epochs=1, backbones=["musicnn"])
    before = initial.reduction.components.clone()
    splits = np.array(["train"] * 2 + ["validation"] * 4 + ["test"] * 6, dtype=object)
    tuned, _ = school.train(splits, initial=initial, epochs=1, backbones=["musicnn"])
    assert torch.equal(tuned.reduction.components, before)


def test_a_model_with_subspaces_is_saved_and_loaded_whole(tmp_path):
    school = two_columns(tmp_path)
    model, _ = school.train(epochs=1)
    model.subspaces = {"a.b/c": model.subspaces["genre"], "mood": model.subspaces["mood"]}
    model.save(tmp_path / "model.safetensors")
    loaded = Embedder.load(tmp_path / "model.safetensors")
    assert list(loaded.subspaces) == ["a.b/c", "mood"]
    features = school.store.features(school.store.tracks().iloc[0])
    np.testing.assert_array_equal(loaded.track(features, 0.5)[0], model.track(features, 0.5)[0])
