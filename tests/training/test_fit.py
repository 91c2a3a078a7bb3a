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
    TrainingRun,
    Validation,
    describe_tuning,
)


@pytest.fixture
def school(tmp_path):
    return School(tmp_path)


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


# --- beginning with weights that have learned --------------------------------------------------


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
