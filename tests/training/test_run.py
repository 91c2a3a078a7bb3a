import pytest
from school import Interrupted, School, assert_same, interrupt, left_by

from simlib.training import (
    TrainingRun,
)


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


def test_a_run_may_be_interrupted_repeatedly_between_two_validations(tmp_path, monkeypatch):
    settings = {"epochs": 5, "validate_every": 3}
    undisturbed = School(tmp_path / "a").train(**settings)
    school = School(tmp_path / "b")
    for _ in range(4):
        with monkeypatch.context() as patch:
            interrupt(patch, "save", 1)
            with pytest.raises(Interrupted):
                school.train(**settings)
    assert_same(school.train(**settings), undisturbed)


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
