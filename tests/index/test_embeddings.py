"""Nothing is embedded twice, and what is found is what computing anew would give."""

from types import SimpleNamespace

import numpy as np
import pytest
import samples
import torch

from simlib.features import compute_tempogram
from simlib.index import EmbeddingStore, backbone_embedding, build_index, fingerprint, tag_scores
from simlib.model import Embedder

SETTINGS = samples.index_settings()
HOP = SETTINGS.hop_seconds


@pytest.fixture
def calls(monkeypatch):
    """How often recordings are embedded, fingerprinted, and so on."""
    counts = dict.fromkeys(("track", "fingerprint", "tag_scores", "compute_tempogram"), 0)

    def counted(name, real):
        def call(*arguments):
            counts[name] += 1
            return real(*arguments)

        return call

    monkeypatch.setattr(Embedder, "track", counted("track", Embedder.track))
    for name, real in (
        ("fingerprint", fingerprint),
        ("tag_scores", tag_scores),
        ("compute_tempogram", compute_tempogram),
    ):
        monkeypatch.setattr(f"simlib.index.embeddings.{name}", counted(name, real))
    return counts


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["built", "tagged"])
def test_an_index_from_the_store_has_the_bytes_of_one_that_is_computed(
    name, request, tmp_path, calls
):
    project = request.getfixturevalue(name)
    build_index(project.model, project.store, SETTINGS).save(tmp_path / "anew")
    for run in ("first", "second"):
        calls.update(dict.fromkeys(calls, 0))
        embeddings = EmbeddingStore(tmp_path / "embeddings")
        build_index(project.model, project.store, SETTINGS, embeddings=embeddings).save(
            tmp_path / run
        )
        assert files(tmp_path / run) == files(tmp_path / "anew")
    assert sum(calls.values()) == 0
    assert len(files(tmp_path / "anew")) > 6


def test_new_recordings_are_all_that_is_computed(tagged, tmp_path, calls):
    tracks, model = tagged.store.tracks(), tagged.model
    # The new ones come first, in the middle and last.
    known = tracks.drop([0, 5, 11])
    embeddings = EmbeddingStore(tmp_path)
    embeddings.embed(model, tagged.store, known, HOP)
    embeddings.fingerprints(tagged.store, known, model.front_end)
    embeddings.tag_scores(tagged.store, known)
    assert calls == {"track": 9, "fingerprint": 9, "tag_scores": 9, "compute_tempogram": 0}
    calls.update(dict.fromkeys(calls, 0))
    index = build_index(model, tagged.store, SETTINGS, embeddings=EmbeddingStore(tmp_path))
    assert calls == {"track": 3, "fingerprint": 3, "tag_scores": 3, "compute_tempogram": 0}
    np.testing.assert_array_equal(index.vectors(), tagged.index.vectors())
    assert index.tracks.equals(tagged.index.tracks)


def test_each_recording_gets_its_own_numbers(tagged, tmp_path):
    model, store, tracks = tagged.model, tagged.store, tagged.store.tracks()
    for _ in range(2):
        embeddings = EmbeddingStore(tmp_path)
        found = [
            embeddings.embed(model, store, tracks, HOP),
            embeddings.vectors(model, store, tracks, HOP),
            embeddings.fingerprints(store, tracks, model.front_end),
            embeddings.tag_scores(store, tracks),
            embeddings.tempograms(store, tracks, model.front_end),
            embeddings.backbone("musicnn", store, tracks),
        ]
        rows = zip(tracks.iterrows(), *found, strict=True)
        for (_, track), whole, vector, frames, scores, tempogram, alone in rows:
            features = store.features(track)
            for array, expected in zip(whole, model.track(features, HOP), strict=True):
                assert array.dtype == expected.dtype
                np.testing.assert_array_equal(array, expected)
            np.testing.assert_array_equal(vector, whole[0])
            np.testing.assert_array_equal(frames, fingerprint(features.log_mel, model.front_end))
            assert scores == tag_scores(features)
            expected = compute_tempogram(features.log_mel, model.front_end)
            np.testing.assert_array_equal(tempogram, expected)
            np.testing.assert_array_equal(alone, backbone_embedding(features, "musicnn"))


def other_weights(model):
    """The model with one weight changed by a little."""
    other = Embedder.untrained(model.front_end, model.segment_seconds, model.architecture, 7)
    other.subspaces = {name: other.new_subspace(name) for name in model.subspaces}
    ours = (model.encoder, model.descriptor_branch, *model.subspaces.values())
    theirs = (other.encoder, other.descriptor_branch, *other.subspaces.values())
    for mine, copy in zip(ours, theirs, strict=True):
        copy.load_state_dict(mine.state_dict())
    with torch.no_grad():
        next(other.subspaces["genre"].parameters()).view(-1)[0] += 1e-3
    return other


def changed(monkeypatch, what, staged):
    """Change one thing that the numbers follow from."""
    if what == "the weights":
        staged.model = other_weights(staged.model)
    elif what == "the hop":
        staged.hop = 0.5
    elif what == "a recording's features":
        staged.tracks = staged.tracks.copy()
        staged.tracks.loc[3, "descriptor"] = staged.tracks.loc[4, "descriptor"]
    elif what == "the code":
        monkeypatch.setattr("simlib.index.embeddings.digest_of_code", lambda *modules: "other")
    elif what == "a library":
        monkeypatch.setattr("simlib.index.embeddings.version", lambda name: "99" + name)
    return staged


@pytest.mark.parametrize(
    ("what", "embedded", "fingerprinted"),
    [
        ("nothing", 0, 0),
        ("the weights", 12, 0),
        ("the hop", 12, 0),
        ("a recording's features", 1, 0),
        ("the code", 12, 12),
        ("a library", 12, 12),
    ],
)
def test_what_changes_the_numbers_is_computed_anew(
    built, tmp_path, calls, monkeypatch, what, embedded, fingerprinted
):
    def run():
        embeddings = EmbeddingStore(tmp_path)
        embeddings.embed(staged.model, built.store, staged.tracks, staged.hop)
        embeddings.fingerprints(built.store, staged.tracks, staged.model.front_end)

    staged = SimpleNamespace(model=built.model, tracks=built.store.tracks(), hop=HOP)
    run()
    calls.update(dict.fromkeys(calls, 0))
    staged = changed(monkeypatch, what, staged)
    run()
    assert (calls["track"], calls["fingerprint"]) == (embedded, fingerprinted)


def test_what_the_index_no_longer_needs_is_dropped(built, tmp_path, calls):
    def run(model):
        calls.update(dict.fromkeys(calls, 0))
        embeddings = EmbeddingStore(tmp_path)
        embeddings.embed(model, built.store, built.store.tracks(), HOP)
        embeddings.drop_stale()
        return calls["track"]

    def size():
        return sum(path.stat().st_size for path in tmp_path.rglob("*.npy"))

    second, third = other_weights(built.model), other_weights(built.model)
    third.encoder.train()
    with torch.no_grad():
        next(third.encoder.parameters()).view(-1)[0] += 1e-3
    assert run(built.model) == 12
    once = size()
    assert run(second) == 12
    assert size() == 2 * once, "half of the bytes, not more, are stale"
    assert run(built.model) == 0, "the former weights are found still"
    assert run(third) == 12
    assert size() == once
    assert run(second) == 12


def test_without_a_folder_everything_is_computed_and_nothing_is_kept(built, calls):
    embeddings = EmbeddingStore()
    for count in (12, 24):
        embeddings.vectors(built.model, built.store, built.store.tracks(), HOP)
        embeddings.drop_stale()
        assert calls["track"] == count
