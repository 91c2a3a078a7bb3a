"""Made-up recordings to train on, and how trainings are compared and interrupted."""

import numpy as np
import pandas as pd
import pytest
import samples

from simlib.training import Objective, TrainingData, TrainingRun, train

FRONT_END = samples.front_end()


class School:
    """Twelve made-up recordings by six artists, of two kinds with no band in common."""

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

    def train(self, splits=None, initial=None, objective=Objective, **changes):
        splits = self.splits if splits is None else splits
        settings = samples.train_settings(**changes)
        data = TrainingData.read(self.store, self.store.tracks(), splits, settings.backbones)
        return train(data, settings, self.checkpoint, initial, objective)


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


def everything(model):
    """Weights of the encoder, the descriptor branch and the subspaces, in this order."""
    branches = (model.encoder, model.descriptor_branch, *model.subspaces.values())
    states = [branch.state_dict() for branch in branches]
    return {f"{i}.{k}": v.numpy().copy() for i, s in enumerate(states) for k, v in s.items()}


def two_columns(folder):
    """Genre follows from the sound, mood from nothing."""
    school = School(folder)
    table = school.store.tracks().assign(mood=["calm", "calm", "wild", "wild"] * 3)
    table.to_parquet(school.store.folder / "tracks.parquet", index=False)
    return school


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


def left_by(school, monkeypatch, **settings):
    """Leave the checkpoint of a run that was interrupted after its second epoch."""
    with monkeypatch.context() as patch:
        interrupt(patch, "save", 2)
        with pytest.raises(Interrupted):
            school.train(**settings)
    assert school.checkpoint.exists()
