import itertools

import numpy as np
import pandas as pd
import pytest
import samples
import torch

from simlib.core import SimlibError
from simlib.model import Branch, BranchSettings, Embedder, pool_segments
from simlib.training import (
    PairWeights,
    PositiveSettings,
    SegmentBatches,
    TrainingRun,
    Validation,
    describe_tuning,
    fit_branch,
    train,
)

FRONT_END = samples.front_end()


class School:
    """Twelve made-up recordings by six artists, of two kinds that sound nothing alike."""

    def __init__(self, folder, tags=True):
        self.folder = folder
        self.kinds = ["low", "high"] * 6
        columns = {"artist": [f"artist {i // 2 * 2 % 6} {k}" for i, k in enumerate(self.kinds)]}
        if tags:
            columns["genre"] = self.kinds
        log_mels = [samples.log_mel_of(kind, 60, seed) for seed, kind in enumerate(self.kinds)]
        self.store = samples.store_of(
            folder / "features", log_mels, samples.tracks(12, **columns), FRONT_END
        )
        self.splits = np.array(["train"] * 6 + ["validation"] * 4 + ["test"] * 2, dtype=object)
        self.checkpoint = folder / ".checkpoints" / "run.safetensors"

    def train(self, splits=None, start=None, judges=0, **changes):
        return train(
            self.store,
            self.store.tracks(),
            self.splits if splits is None else splits,
            samples.train_settings(**changes),
            self.checkpoint,
            start,
            judges=judges,
        )


@pytest.fixture
def school(tmp_path):
    return School(tmp_path)


def weights(model):
    return {name: tensor.numpy().copy() for name, tensor in model.encoder.state_dict().items()}


def assert_same(first, second):
    """Two results of training are the same to the last bit."""
    pd.testing.assert_frame_equal(first[1], second[1], check_exact=True)
    ours, theirs = weights(first[0]), weights(second[0])
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def differ(first, second):
    ours, theirs = weights(first[0]), weights(second[0])
    return any((ours[name] != theirs[name]).any() for name in ours)


# --- the batches -----------------------------------------------------------------------------


def segments_of(count=5, frames=60, **changes):
    """Recordings of one level each, so that a segment tells where it was cut from."""
    log_mels = [np.full((frames, 32), -10.0 * i, dtype=np.float16) for i in range(count)]
    settings = samples.train_settings(augmentation=samples.NO_AUGMENTATION, **changes)
    return SegmentBatches(log_mels, 16, settings)


@pytest.mark.parametrize(("batch", "size"), [(4, 4), (8, 8), (64, 10)])
def test_batches_are_pairs_of_segments_of_the_recordings_they_name(batch, size):
    segments = segments_of(batch_size=batch)
    seen = []
    for audio, rows in segments.epoch(0):
        assert audio.shape == (size, 16, 32)
        assert audio.dtype == np.float32
        counts = np.unique(rows, return_counts=True)[1]
        assert (counts == 2).all()
        for segment, row in zip(audio, rows, strict=True):
            assert (segment == -10.0 * row).all()
        seen.append(rows)
    assert len(seen) == len(segments)


def test_every_recording_is_drawn_about_equally_often():
    segments = segments_of(segments_per_track=100)
    drawn = np.concatenate([rows for _, rows in segments.epoch(0)])
    assert len(drawn) == 500 // 8 * 8
    counts = np.bincount(drawn, minlength=5)
    assert counts.min() > 80
    assert counts.max() < 120


def test_an_epoch_draws_the_same_whatever_came_before():
    fresh, used = segments_of(), segments_of()
    for number in (0, 3, 1):
        list(used.epoch(number))
    for (a, rows_a), (b, rows_b) in zip(fresh.epoch(2), used.epoch(2), strict=True):
        np.testing.assert_array_equal(rows_a, rows_b)
        np.testing.assert_array_equal(a, b)
    first, second = (np.concatenate([rows for _, rows in fresh.epoch(n)]) for n in (2, 3))
    assert (first != second).any(), "every epoch draws the same"


def test_segments_are_cut_from_all_over_a_recording():
    ramp = np.repeat(np.arange(60, dtype=np.float16)[:, None], 32, axis=1)
    settings = samples.train_settings(augmentation=samples.NO_AUGMENTATION, segments_per_track=100)
    segments = SegmentBatches([ramp, ramp], 16, settings)
    starts = {segment[0, 0] for audio, _ in segments.epoch(0) for segment in audio}
    assert min(starts) == 0
    assert max(starts) == 44
    assert len(starts) > 30


def test_recordings_shorter_than_a_segment_are_repeated():
    audio, _ = next(segments_of(frames=5).epoch(0))
    assert audio.shape[1:] == (16, 32)
    assert np.isfinite(audio).all()


# --- training --------------------------------------------------------------------------------


def separation(model, school, rows):
    """How much nearer recordings of one kind are than those of two."""
    keys = school.store.tracks()["log_mel"]
    vectors = [
        pool_segments(model.segments(school.store.log_mel(keys[row]), 0.5)[0]) for row in rows
    ]
    similarity = np.stack(vectors) @ np.stack(vectors).T
    kinds = np.array([school.kinds[row] for row in rows])
    alike = kinds[:, None] == kinds[None, :]
    return similarity[alike].mean() - similarity[~alike].mean()


def test_training_tells_two_kinds_of_music_apart_for_unheard_artists(school):
    model, curves = school.train(epochs=12)
    losses = curves["loss"].tolist()
    assert losses[-1] < losses[0] - 0.05
    assert separation(model, school, range(6, 12)) > 0.5
    assert curves["validation"].max() > 0.95
    assert curves.columns.tolist() == [
        "epoch",
        "loss",
        "learning_rate",
        "validation",
        "validation_genre",
        "kept",
    ]


def test_it_is_the_tags_that_teach(school, tmp_path):
    alike = School(tmp_path / "alike")
    table = alike.store.tracks().assign(genre="all one")
    table.to_parquet(alike.store.folder / "tracks.parquet", index=False)
    taught, untaught = (s.train(epochs=12)[0] for s in (school, alike))
    rows = range(6, 12)
    assert separation(taught, school, rows) > separation(untaught, school, rows) + 0.2


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(school, tmp_path):
    results = [school.train(seed=seed) for seed in (5, 5, 6)]
    assert_same(results[0], results[1])
    assert differ(results[0], results[2])
    for name, result in zip("abc", results, strict=True):
        result[0].save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_averaged_weights_are_the_model(school):
    raw, averaged = (school.train(ema_decay=decay) for decay in (0.0, 0.9))
    assert differ(raw, averaged)
    np.testing.assert_array_equal(raw[1]["loss"], averaged[1]["loss"], "training is the same")


def test_test_artists_are_never_touched(tmp_path):
    first, second = School(tmp_path / "a"), School(tmp_path / "b")
    for key in second.store.tracks()["log_mel"][second.splits == "test"]:
        second.store.path("log_mel", key).unlink()
    assert_same(first.train(), second.train())


@pytest.mark.parametrize("splits", [["train"] + ["test"] * 11, ["validation"] * 12])
def test_too_few_recordings_to_learn_from_are_refused(school, splits):
    with pytest.raises(SimlibError, match="leaves [01] recording.*split.test"):
        school.train(np.array(splits, dtype=object))


def test_two_recordings_are_enough(school):
    splits = np.array(["train"] * 2 + ["test"] * 10, dtype=object)
    model, curves = school.train(splits)
    assert curves["epoch"].tolist() == [1, 2, 3, 4]
    assert "validation" not in curves
    assert np.isfinite(separation(model, school, range(2)))


def test_with_nobody_to_validate_on_the_last_weights_are_kept(school, monkeypatch):
    splits = np.where(school.splits == "validation", "test", school.splits)
    looked, validate = [], TrainingRun.validate

    def remember(run, validation):
        validate(run, validation)
        looked.append(weights(run.model))

    monkeypatch.setattr(TrainingRun, "validate", remember)
    model, _ = school.train(splits)
    last = weights(model)
    assert len(looked) == 4
    for name in last:
        np.testing.assert_array_equal(last[name], looked[-1][name])


def test_without_tags_the_halves_of_recordings_are_to_find_each_other(tmp_path):
    school = School(tmp_path, tags=False)
    model, curves = school.train()
    assert "validation_excerpt" in curves
    assert curves["validation_excerpt"].between(1 / 4, 1).all()
    assert (curves["validation_excerpt"] == curves["validation"]).all()


def test_a_loss_that_is_no_number_stops_with_what_to_do(school):
    key = school.store.tracks()["log_mel"][0]
    np.save(school.store.path("log_mel", key), np.full((60, 32), np.nan, dtype=np.float16))
    with pytest.raises(SimlibError, match="no longer finite; lower train.learning_rate"):
        school.train()


def scripted(monkeypatch, scores):
    """Let the validation give these scores, and note the weights that it saw."""
    seen, left = [], iter(scores)

    def script(self, model):
        seen.append(weights(model))
        return {"genre": next(left)}

    monkeypatch.setattr(Validation, "scores", script)
    return seen


def test_the_weights_that_did_best_are_kept_and_patience_ends(school, monkeypatch):
    """Of the second half: before, with a high learning rate, a good look is luck."""
    lucky, scores = [0.95, 0.1, 0.1, 0.1], [0.2, 0.6, 0.5, 0.6]
    seen = scripted(monkeypatch, [*lucky, *scores, 0.9, 0.9])
    model, curves = school.train(epochs=10, patience=2)
    assert curves["validation"].tolist() == lucky + scores, "an equal score is no better"
    kept = weights(model)
    for name in kept:
        np.testing.assert_array_equal(kept[name], seen[5][name])
    assert curves["epoch"][curves["kept"]].tolist() == [6]


def test_validation_looks_every_so_many_epochs_and_at_the_end(school):
    _, curves = school.train(epochs=5, validate_every=2)
    assert curves["epoch"].tolist() == [2, 4, 5]


@pytest.mark.parametrize("batch", [4, 8, 64])
def test_the_learning_rate_falls_over_the_whole_training(school, batch):
    """Also where there are fewer recordings than a batch has room for."""
    _, curves = school.train(epochs=10, batch_size=batch)
    rates = curves["learning_rate"].to_numpy() / samples.TRAIN["learning_rate"]
    assert (np.diff(rates[1:]) < 0).all()
    assert rates[1] > 0.8
    assert 0.3 < rates[4] < 0.8
    assert 0 <= rates[9] < 0.05
    assert rates[8] > rates[9]


# --- beginning with weights that have learned --------------------------------------------------


def everything(model):
    """All that the parts stand on, then the parts."""
    branches = (model.encoder, model.descriptor_branch, *model.subspaces.values())
    states = [branch.state_dict() for branch in branches]
    return {f"{i}.{k}": v.numpy().copy() for i, s in enumerate(states) for k, v in s.items()}


def test_training_goes_on_from_the_weights_it_is_given(school, tmp_path):
    """So little that where it began can still be seen, and the scale of the features stays."""
    begun, _ = school.train(seed=3)
    begun.descriptor_branch.mean += 1.0
    before = everything(begun)
    tuned, curves = school.train(start=begun, epochs=2, learning_rate=1e-5, ema_decay=0.0)
    assert curves["epoch"].tolist() == [0, 1, 2]
    assert np.isnan(curves["loss"][0])
    after = everything(tuned)
    trunk = ("0.", "1.")
    learned = [n for n in after if n.endswith("weight") and n.startswith(trunk)]
    for name in learned:
        assert np.abs(after[name] - before[name]).max() < 0.05, name
    np.testing.assert_array_equal(after["1.mean"], before["1.mean"])
    fresh = everything(school.train(epochs=2, learning_rate=1e-5, ema_decay=0.0)[0])
    assert max(np.abs(fresh[name] - before[name]).max() for name in learned) > 0.05
    for name, value in everything(begun).items():
        np.testing.assert_array_equal(value, before[name], "what is given stays as it is")


def test_tuning_that_does_not_help_is_undone(school, monkeypatch):
    begun, _ = school.train(seed=3)
    scripted(monkeypatch, [0.5, 0.4, 0.5, 0.3, 0.5])
    tuned, curves = school.train(start=begun)
    assert curves["epoch"][curves["kept"]].tolist() == [0]
    before, after = everything(begun), everything(tuned)
    for name in [name for name in before if name.startswith(("0.", "1."))]:
        np.testing.assert_array_equal(before[name], after[name])


@pytest.mark.parametrize(("scores", "changes"), [((0.5, 0.4), False), ((0.4, 0.5), True)])
def test_a_part_that_came_stays_unless_a_new_one_does_better(school, monkeypatch, scores, changes):
    begun, _ = school.train(seed=3)
    told = itertools.cycle(scores)
    monkeypatch.setattr("simlib.training.branches.retrieval_of_branch", lambda *args: next(told))
    scripted(monkeypatch, [0.5] + [0.4] * 4)
    tuned, _ = school.train(start=begun)
    before, after = everything(begun), everything(tuned)
    for subspace in ("2.", "3."):
        names = [name for name in before if name.startswith(subspace)]
        assert any((before[n] != after[n]).any() for n in names) is changes


def test_tuning_that_helps_is_kept(school, monkeypatch):
    begun, _ = school.train(seed=3)
    scripted(monkeypatch, [0.5, 0.4, 0.6, 0.3, 0.5])
    tuned, curves = school.train(start=begun)
    assert curves["epoch"][curves["kept"]].tolist() == [2]
    assert differ((begun,), (tuned,))
    assert (everything(begun)["1.layers.1.weight"] != everything(tuned)["1.layers.1.weight"]).any()


@pytest.mark.parametrize("judging", [0, 4])
def test_what_was_learned_stays_where_too_few_can_judge(school, judging):
    begun, _ = school.train(seed=3)
    splits = school.splits.copy()
    splits[6 + judging : 10] = "test"
    same, curves = school.train(splits, begun, judges=judging + 1)
    assert curves["epoch"].tolist() == [0]
    assert curves["kept"].all()
    before, after = everything(begun), everything(same)
    for name in before:
        np.testing.assert_array_equal(before[name], after[name], name)
    assert "too few" in describe_tuning(curves)


def test_a_column_without_a_part_starts_one_whoever_can_judge(school):
    begun, _ = school.train(seed=3)
    del begun.subspaces["genre"]
    same, _ = school.train(start=begun, judges=5)
    assert set(same.subspaces) == {"genre", "tempo"}


def test_weights_that_nobody_shipped_are_trained_whoever_can_judge(school):
    _, curves = school.train(judges=5)
    assert curves["epoch"].max() == samples.train_settings().epochs


def test_the_checkpoint_of_other_weights_to_begin_with_is_ignored(tmp_path, monkeypatch):
    school, other = School(tmp_path / "a"), School(tmp_path / "b")
    begun, _ = other.train(seed=3)
    begun.save(tmp_path / "begun.safetensors")
    begun = Embedder.load(tmp_path / "begun.safetensors")
    left_by(school, monkeypatch)
    assert_same(school.train(start=begun), other.train(start=begun))


def test_an_interrupted_tuning_ends_as_an_undisturbed_one(tmp_path, monkeypatch):
    school, other = School(tmp_path / "a"), School(tmp_path / "b")
    begun, _ = other.train(seed=3)
    begun.save(tmp_path / "begun.safetensors")
    begun = Embedder.load(tmp_path / "begun.safetensors")
    left_by(school, monkeypatch, start=begun)
    assert_same(school.train(start=begun), other.train(start=begun))


# --- interrupted and resumed -----------------------------------------------------------------


class Interrupted(Exception):
    pass


def interrupt(monkeypatch, method, after):
    """Raise after so many calls of a method of the run."""
    calls, original = [], getattr(TrainingRun, method)

    def interrupted(run, *args):
        result = original(run, *args)
        calls.append(1)
        if len(calls) == after:
            raise Interrupted
        return result

    monkeypatch.setattr(TrainingRun, method, interrupted)


@pytest.mark.parametrize("after", [1, 2, 5])
@pytest.mark.parametrize("method", ["train_epoch", "validate", "save"])
def test_a_resumed_run_ends_as_an_undisturbed_one_to_the_bit(tmp_path, monkeypatch, method, after):
    settings = {"epochs": 5, "validate_every": 1}
    undisturbed = School(tmp_path / "a").train(**settings)
    school = School(tmp_path / "b")
    with monkeypatch.context() as patch:
        interrupt(patch, method, after)
        with pytest.raises(Interrupted):
            school.train(**settings)
    saved = after if method == "save" else after - 1
    assert school.checkpoint.exists() == (saved > 0)
    trained, train_epoch = [], TrainingRun.train_epoch

    def count(run, *args):
        trained.append(run.epoch)
        return train_epoch(run, *args)

    monkeypatch.setattr(TrainingRun, "train_epoch", count)
    assert_same(school.train(**settings), undisturbed)
    assert trained == list(range(saved, 5)), "epochs were trained twice"
    assert not school.checkpoint.exists()


def test_a_run_may_be_interrupted_again_and_again_between_two_looks(tmp_path, monkeypatch):
    settings = {"epochs": 5, "validate_every": 3}
    undisturbed = School(tmp_path / "a").train(**settings)
    school = School(tmp_path / "b")
    for _ in range(4):
        with monkeypatch.context() as patch:
            interrupt(patch, "save", 1)
            with pytest.raises(Interrupted):
                school.train(**settings)
    assert_same(school.train(**settings), undisturbed)


def left_by(school, monkeypatch, **settings):
    """Leave the checkpoint of a run that was interrupted after its second epoch."""
    with monkeypatch.context() as patch:
        interrupt(patch, "save", 2)
        with pytest.raises(Interrupted):
            school.train(**settings)
    assert school.checkpoint.exists()


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"learning_rate": 0.005},
        {"epochs": 6},
        {"positives": {"recording": 1.0, "artist": 0.0, "tags": {"default": 1.0}}},
    ],
)
def test_the_checkpoint_of_other_settings_is_ignored(tmp_path, monkeypatch, other):
    school = School(tmp_path / "a")
    left_by(school, monkeypatch, **other)
    assert_same(school.train(), School(tmp_path / "b").train())
    assert not school.checkpoint.exists()


def test_the_checkpoint_of_other_recordings_is_ignored(tmp_path, monkeypatch):
    school = School(tmp_path / "a")
    left_by(school, monkeypatch)
    splits = school.splits.copy()
    splits[[5, 9]] = splits[[9, 5]]
    assert_same(school.train(splits), School(tmp_path / "b").train(splits))


@pytest.mark.parametrize("content", [b"", b"garbage" * 50])
def test_a_damaged_checkpoint_is_ignored(tmp_path, content):
    school = School(tmp_path / "a")
    school.checkpoint.parent.mkdir()
    school.checkpoint.write_bytes(content)
    assert_same(school.train(), School(tmp_path / "b").train())


def test_the_relations_of_training_know_the_training_recordings_only(school, monkeypatch):
    seen = []

    class Spy(PairWeights):
        def __init__(self, tracks, columns, strengths):
            seen.append((tracks["track_id"].tolist(), columns, strengths))
            super().__init__(tracks, columns, strengths)

    monkeypatch.setattr("simlib.training.losses.PairWeights", Spy)
    school.train(epochs=1)
    [(ids, columns, strengths)] = seen
    assert ids == [f"t{i:02d}" for i in range(6)]
    assert columns == ["genre"]
    assert strengths == PositiveSettings.of(samples.TRAIN["positives"])


# --- the branches on whole recordings -----------------------------------------------------------


def branch_of(features, strengths, degraded=None, encoded=0, **changes):
    settings = samples.train_settings()
    wanted = BranchSettings.of(samples.BRANCH | changes)
    branch = Branch(features.shape[1], wanted.hidden, 8, 0.2, wanted.dropout, wanted.noise)

    def pair_weights(rows):
        return (strengths[np.ix_(rows, rows)] * (1 - np.eye(len(rows)))).astype(np.float32)

    degraded = features if degraded is None else degraded
    fit_branch(branch, features, degraded, pair_weights, wanted, settings, encoded=encoded)
    return branch.eval()


def test_a_branch_learns_what_wear_does():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(200, 30)).astype(np.float32)
    degraded = features.copy()
    degraded[:, :20] = rng.normal(3, 1, size=(200, 20))
    strengths = np.eye(200, dtype=np.float32)

    def found_again(**known):
        branch = branch_of(features[:150], strengths, hidden=64, steps=150, **known)
        with torch.inference_mode():
            clean, asked = (branch(torch.from_numpy(x[150:])).numpy() for x in (features, degraded))
        return ((asked @ clean.T).argmax(axis=1) == np.arange(50)).mean()

    assert found_again(degraded=degraded[:150]) > found_again() + 0.3


def test_a_branch_learns_which_features_matter():
    rng = np.random.default_rng(2)
    kinds = np.arange(200) % 2
    features = rng.normal(0, 50, size=(200, 102)).astype(np.float32)
    features[:, 7] = kinds * 1e-3 + rng.normal(0, 1e-4, size=200)
    strengths = (kinds[:, None] == kinds[None, :]).astype(np.float32)
    branch = branch_of(features[:150], strengths[:150, :150], hidden=64, steps=150)
    with torch.no_grad():
        vectors = branch(torch.from_numpy(features[150:])).numpy()
    similarity = vectors @ vectors.T
    alike = strengths[150:, 150:].astype(bool)
    assert similarity[alike].mean() > similarity[~alike].mean() + 0.3


def test_a_part_does_not_lean_on_what_the_encoder_knows_by_heart():
    """Of the recordings it has learned from, the encoder's features tell all; of others, little."""
    rng = np.random.default_rng(2)
    kinds = np.arange(200) % 2
    features = rng.normal(size=(200, 40)).astype(np.float32)
    features[:150, :20] += 3 * kinds[:150, None]
    features[:, 20:] += 0.4 * kinds[:, None]
    strengths = (kinds[:, None] == kinds[None, :]).astype(np.float32)

    def told_apart(encoded):
        branch = branch_of(
            features[:150], strengths[:150, :150], encoded=encoded, hidden=64, steps=150
        )
        with torch.inference_mode():
            vectors = branch(torch.from_numpy(features[150:])).numpy()
        similarity, alike = vectors @ vectors.T, strengths[150:, 150:].astype(bool)
        return similarity[alike].mean() - similarity[~alike].mean()

    assert told_apart(encoded=20) > 1.5 * told_apart(encoded=0)


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


# --- a part for each tag column -----------------------------------------------------------------


def two_columns(folder):
    """Genre follows from the sound, mood from nothing."""
    school = School(folder)
    table = school.store.tracks().assign(mood=["calm", "calm", "wild", "wild"] * 3)
    table.to_parquet(school.store.folder / "tracks.parquet", index=False)
    return school


def test_each_tag_column_gets_a_part_that_learns_it(tmp_path):
    school = two_columns(tmp_path)
    model, _ = school.train(epochs=6)
    assert list(model.subspaces) == ["genre", "mood", "tempo"]
    tracks = school.store.tracks()
    rows = [
        (school.store.log_mel(row.log_mel), school.store.descriptor(row.descriptor))
        for row in tracks.itertuples()
    ]
    vectors = np.stack([model.track(*row, 0.5)[0] for row in rows])
    assert vectors.shape == (12, 8 + 8 + 4 + 4 + 4)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    genre = vectors[:, 16:20] / np.linalg.norm(vectors[:, 16:20], axis=1, keepdims=True)
    alike = np.equal.outer(school.kinds, school.kinds)
    unheard = np.ix_(range(6, 12), range(6, 12))
    similarity = genre @ genre.T
    assert similarity[unheard][alike[unheard]].mean() > similarity[unheard][~alike[unheard]].mean()
    shares = [
        np.linalg.norm(subspace, axis=1) ** 2
        for subspace in np.split(vectors, [8, 16, 20, 24], axis=1)
    ]
    np.testing.assert_allclose(
        np.mean(shares, axis=1), [0.312, 0.208, 0.225, 0.225, 0.03], atol=1e-3
    )


def test_a_part_learns_its_column_and_nothing_else(tmp_path, monkeypatch):
    fitted = []

    def spy(*args, **options):
        fitted.append((args[3], options))

    monkeypatch.setattr("simlib.training.fit.fit_branch", spy)
    monkeypatch.setattr("simlib.training.branches.fit_branch", spy)
    school = two_columns(tmp_path)
    school.train(epochs=1)
    _, genre, mood, tempo = fitted
    for (pair_weights, options), column in ((genre, "genre"), (mood, "mood")):
        tags = school.store.tracks()[column].to_numpy(dtype=object)[:6]
        alike = (tags[:, None] == tags[None, :]) & ~np.eye(6, dtype=bool)
        np.testing.assert_array_equal(pair_weights(np.arange(6)) > 0, alike)
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


def test_a_column_that_does_not_count_has_no_part(tmp_path):
    tags = {"default": 1.0, "mood": 0.0}
    positives = {"recording": 1.0, "artist": 0.5, "tags": tags}
    model, _ = two_columns(tmp_path).train(epochs=1, positives=positives)
    assert list(model.subspaces) == ["genre", "tempo"]
    untagged = School(tmp_path / "untagged", tags=False)
    assert list(untagged.train(epochs=1)[0].subspaces) == ["tempo"]


def test_parts_without_a_column_stay_and_columns_without_a_part_start_one(tmp_path):
    begun, _ = School(tmp_path / "a").train(epochs=1)
    before = everything(begun)
    school = two_columns(tmp_path / "b")
    table = school.store.tracks().drop(columns="genre")
    table.to_parquet(school.store.folder / "tracks.parquet", index=False)
    tuned, _ = school.train(start=begun, epochs=1)
    assert list(tuned.subspaces) == ["genre", "tempo", "mood"]
    after = everything(tuned)
    for name in [name for name in before if name.startswith("2.")]:
        np.testing.assert_array_equal(before[name], after[name])


def test_a_model_with_parts_is_saved_and_loaded_whole(tmp_path):
    school = two_columns(tmp_path)
    model, _ = school.train(epochs=1)
    model.subspaces = {"a.b/c": model.subspaces["genre"], "mood": model.subspaces["mood"]}
    model.save(tmp_path / "model.safetensors")
    loaded = Embedder.load(tmp_path / "model.safetensors")
    assert list(loaded.subspaces) == ["a.b/c", "mood"]
    log_mel = school.store.log_mel(school.store.tracks()["log_mel"][0])
    descriptor = samples.descriptor_of(log_mel)
    np.testing.assert_array_equal(
        loaded.track(log_mel, descriptor, 0.5)[0], model.track(log_mel, descriptor, 0.5)[0]
    )
