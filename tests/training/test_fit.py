import itertools

import numpy as np
import pytest
import samples
from school import (
    School,
    assert_same,
    differ,
    everything,
    left_by,
    weights,
)

from simlib.core import SimlibError
from simlib.model import Embedder, pool_segments
from simlib.training import (
    PairWeights,
    PositiveSettings,
    TrainingData,
    TrainingRun,
    Validation,
    describe_training,
)


@pytest.fixture
def school(tmp_path):
    return School(tmp_path)


def separation(model, school, rows):
    """Mean similarity within a kind, minus that between kinds."""
    keys = school.store.tracks()["log_mel"]
    vectors = [
        pool_segments(model.segments(school.store.log_mel(keys[row]), 0.5)[0]) for row in rows
    ]
    similarity = np.stack(vectors) @ np.stack(vectors).T
    kinds = np.array([school.kinds[row] for row in rows])
    same_kind = kinds[:, None] == kinds[None, :]
    return similarity[same_kind].mean() - similarity[~same_kind].mean()


def test_training_separates_two_kinds_of_music_for_unseen_artists(school):
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


def test_the_tags_are_what_is_learned(school, tmp_path):
    untagged = School(tmp_path / "untagged")
    table = untagged.store.tracks().assign(genre="all one")
    table.to_parquet(untagged.store.folder / "tracks.parquet", index=False)
    with_tags, without = (s.train(epochs=12)[0] for s in (school, untagged))
    rows = range(6, 12)
    assert separation(with_tags, school, rows) > separation(without, school, rows) + 0.2


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path):
    seeds = {"x": 5, "y": 5, "z": 6}
    results = [School(tmp_path / folder).train(seed=seed) for folder, seed in seeds.items()]
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
def test_with_too_few_recordings_to_learn_from_the_initial_weights_stay(school, splits):
    initial, _ = school.train(seed=3)
    splits = np.array(splits, dtype=object)
    for start in (initial, None):
        model, curves = school.train(splits, start)
        assert curves["epoch"].tolist() == [0]
        assert curves["kept"].all()
        if start is not None:
            before, after = everything(start), everything(model)
            assert all((before[name] == after[name]).all() for name in before)
        data = TrainingData.read(school.store, school.store.tracks(), splits)
        assert "Nothing could be trained" in describe_training(data, curves, start is not None)


def test_two_recordings_are_enough(school):
    splits = np.array(["train"] * 2 + ["test"] * 10, dtype=object)
    model, curves = school.train(splits)
    assert curves["epoch"].tolist() == [1, 2, 3, 4]
    assert "validation" not in curves
    assert np.isfinite(separation(model, school, range(2)))


def test_without_validation_recordings_the_last_weights_are_kept(school, monkeypatch):
    splits = np.where(school.splits == "validation", "test", school.splits)
    validated, validate = [], TrainingRun.validate

    def remember(run, validation):
        validate(run, validation)
        validated.append(weights(run.model))

    monkeypatch.setattr(TrainingRun, "validate", remember)
    model, _ = school.train(splits)
    last = weights(model)
    assert len(validated) == 4
    for name in last:
        np.testing.assert_array_equal(last[name], validated[-1][name])


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
    """In the second half: before, with a high learning rate, a good score is chance."""
    lucky, scores = [0.95, 0.1, 0.1, 0.1], [0.2, 0.6, 0.5, 0.6]
    seen = scripted(monkeypatch, [*lucky, *scores, 0.9, 0.9])
    model, curves = school.train(epochs=10, patience=2)
    assert curves["validation"].tolist() == lucky + scores, "an equal score is no better"
    kept = weights(model)
    for name in kept:
        np.testing.assert_array_equal(kept[name], seen[5][name])
    assert curves["epoch"][curves["kept"]].tolist() == [6]


def test_it_validates_at_the_interval_and_at_the_end(school):
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


def test_pair_weights_know_the_training_recordings_only(school, monkeypatch):
    seen = []

    class Spy(PairWeights):
        def __init__(self, tracks, columns, weights):
            seen.append((tracks["track_id"].tolist(), columns, weights))
            super().__init__(tracks, columns, weights)

    monkeypatch.setattr("simlib.training.losses.PairWeights", Spy)
    school.train(epochs=1)
    [(ids, columns, weights)] = seen
    assert ids == [f"t{i:02d}" for i in range(6)]
    assert columns == ["genre"]
    assert weights == PositiveSettings.of(samples.TRAIN["positives"])


# --- training from initial weights --------------------------------------------------


def test_training_continues_from_the_initial_weights(school, tmp_path):
    """With a tiny learning rate, the initial weights are still there; the feature scale stays."""
    initial, _ = school.train(seed=3)
    initial.descriptor_branch.mean += 1.0
    before = everything(initial)
    tuned, curves = school.train(initial=initial, epochs=2, learning_rate=1e-5, ema_decay=0.0)
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
    for name, value in everything(initial).items():
        np.testing.assert_array_equal(value, before[name], "the initial model was changed")


def test_tuning_that_does_not_help_is_undone(school, monkeypatch):
    initial, _ = school.train(seed=3)
    scripted(monkeypatch, [0.5, 0.4, 0.5, 0.3, 0.5])
    tuned, curves = school.train(initial=initial)
    assert curves["epoch"][curves["kept"]].tolist() == [0]
    before, after = everything(initial), everything(tuned)
    for name in [name for name in before if name.startswith(("0.", "1."))]:
        np.testing.assert_array_equal(before[name], after[name])


@pytest.mark.parametrize(("scores", "changes"), [((0.5, 0.4), False), ((0.4, 0.5), True)])
def test_an_initial_subspace_stays_unless_a_new_one_does_better(
    school, monkeypatch, scores, changes
):
    initial, _ = school.train(seed=3)
    scripted_scores = itertools.cycle(scores)
    monkeypatch.setattr(
        "simlib.training.branches.retrieval_of_branch", lambda *args: next(scripted_scores)
    )
    scripted(monkeypatch, [0.5] + [0.4] * 4)
    tuned, _ = school.train(initial=initial)
    before, after = everything(initial), everything(tuned)
    for subspace in ("2.", "3."):
        names = [name for name in before if name.startswith(subspace)]
        assert any((before[n] != after[n]).any() for n in names) is changes


def test_tuning_that_helps_is_kept(school, monkeypatch):
    initial, _ = school.train(seed=3)
    scripted(monkeypatch, [0.5, 0.4, 0.6, 0.3, 0.5])
    tuned, curves = school.train(initial=initial)
    assert curves["epoch"][curves["kept"]].tolist() == [2]
    assert differ((initial,), (tuned,))
    assert (
        everything(initial)["1.layers.1.weight"] != everything(tuned)["1.layers.1.weight"]
    ).any()


@pytest.mark.parametrize("validation_count", [0, 4])
def test_few_validation_recordings_leave_initial_weights_unchanged(school, validation_count):
    initial, _ = school.train(seed=3)
    splits = school.splits.copy()
    splits[6 + validation_count : 10] = "test"
    same, curves = school.train(splits, initial, fewest_validation=validation_count + 1)
    assert curves["epoch"].tolist() == [0]
    assert curves["kept"].all()
    before, after = everything(initial), everything(same)
    for name in before:
        np.testing.assert_array_equal(before[name], after[name], name)
    data = TrainingData.read(school.store, school.store.tracks(), splits)
    assert "too few" in describe_training(data, curves, True)


def test_a_column_without_a_subspace_gets_one_however_few_validate(school):
    initial, _ = school.train(seed=3)
    del initial.subspaces["genre"]
    same, _ = school.train(initial=initial, fewest_validation=5)
    assert set(same.subspaces) == {"genre", "tempo"}


def test_random_weights_are_trained_however_few_validate(school):
    _, curves = school.train(fewest_validation=5)
    assert curves["epoch"].max() == samples.train_settings().epochs


def test_the_checkpoint_of_other_weights_to_begin_with_is_ignored(tmp_path, monkeypatch):
    school, other = School(tmp_path / "a"), School(tmp_path / "b")
    initial, _ = other.train(seed=3)
    initial.save(tmp_path / "initial.safetensors")
    initial = Embedder.load(tmp_path / "initial.safetensors")
    left_by(school, monkeypatch)
    assert_same(school.train(initial=initial), other.train(initial=initial))


def test_an_interrupted_tuning_ends_as_an_undisturbed_one(tmp_path, monkeypatch):
    school, other = School(tmp_path / "a"), School(tmp_path / "b")
    initial, _ = other.train(seed=3)
    initial.save(tmp_path / "initial.safetensors")
    initial = Embedder.load(tmp_path / "initial.safetensors")
    left_by(school, monkeypatch, initial=initial)
    assert_same(school.train(initial=initial), other.train(initial=initial))
