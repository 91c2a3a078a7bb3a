"""Every number of the section `train` reaches the training."""

import pytest
import samples
from school import School, everything

from simlib.core import SimlibError
from simlib.training import DegradeSettings, TrainSettings


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """A training with the settings of the tests, and one that goes on from it."""
    school = School(tmp_path_factory.mktemp("usual"))
    initial, _ = school.train()
    return initial, school.train(initial=initial)[0]


def same(one, other):
    ours, theirs = everything(one), everything(other)
    return all((ours[name] == theirs[name]).all() for name in ours)


@pytest.mark.parametrize(
    "changes",
    [
        {"tag_recordings": 4},
        {"branch_batch_size": 3},
        {"encoder_dropout": 0.1},
        {"warm_up": 0.5},
        {"temperature": 0.3},
        {"tag_loss_weight": 0.1},
        {"weight_decay": 0.5},
        {"augmentation": samples.AUGMENTATION | {"mix_db": [0.0, 1.0]}},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_a_changed_number_changes_the_weights(tmp_path, usual, changes):
    assert not same(School(tmp_path).train(**changes)[0], usual[0])


def test_the_same_numbers_do_not(tmp_path, usual):
    assert same(School(tmp_path).train()[0], usual[0])


@pytest.mark.parametrize("key", samples.DEGRADE)
def test_each_range_of_degradation_changes_the_weights(tmp_path, key):
    """Beside what all segments get if every one of them is degraded."""
    degraded = samples.AUGMENTATION | {"degrade_probability": 1.0}
    other = degraded | {"degrade": samples.DEGRADE | {key: [0.3, 0.31]}}
    before, after = (
        School(tmp_path / str(i)).train(augmentation=augmentation, epochs=2)[0]
        for i, augmentation in enumerate((degraded, other))
    )
    assert not same(before, after)


def test_the_fine_tuning_rate_is_a_factor_of_the_rates_of_a_tuning(tmp_path, usual):
    _, curves = School(tmp_path).train(initial=usual[0], fine_tuning_rate=0.1, warm_up=0.0)
    assert curves["learning_rate"][0] == pytest.approx(0.1 * samples.TRAIN["learning_rate"])


@pytest.mark.parametrize(("share", "first"), [(0.0, 1), (0.5, 2), (0.75, 3)])
def test_weights_are_kept_from_a_share_of_the_epochs_on(tmp_path, monkeypatch, share, first):
    scores = iter([0.9, 0.8, 0.7, 0.6])
    monkeypatch.setattr("simlib.training.Validation.scores", lambda *_: {"genre": next(scores)})
    _, curves = School(tmp_path).train(keep_from=share)
    assert curves["epoch"][curves["kept"]].tolist() == [first]


@pytest.mark.parametrize("key", samples.DEGRADE)
@pytest.mark.parametrize("value", [[2.0, 1.0], [1.0], [1.0, 2.0, 3.0], [1.0, "2"], 1.0])
def test_a_range_is_two_rising_numbers(key, value):
    with pytest.raises(SimlibError, match=f"section train.augmentation.degrade: '{key}' is"):
        DegradeSettings.of(samples.DEGRADE | {key: value})


def test_a_range_is_named_in_full():
    augmentation = samples.AUGMENTATION | {"degrade": samples.DEGRADE | {"cut_db": [2, 1]}}
    with pytest.raises(SimlibError, match="section train.augmentation.degrade: 'cut_db'"):
        TrainSettings.of(samples.TRAIN | {"augmentation": augmentation})
