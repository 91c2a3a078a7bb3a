"""A training is found again if nothing that changes its numbers has changed, and only then."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from school import School

from simlib.model import Embedder
from simlib.training import Objective, TrainingRun
from simlib.training.finished import KEPT

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def school(tmp_path):
    return School(tmp_path)


def saved(model, folder):
    """Return the bytes of a model's file."""
    model.save(folder / "model.safetensors")
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture
def epochs(monkeypatch):
    """The epochs that are computed from now on."""
    computed, train_epoch = [], TrainingRun.train_epoch

    def count(run, *args):
        computed.append(run.epoch)
        return train_epoch(run, *args)

    monkeypatch.setattr(TrainingRun, "train_epoch", count)
    return computed


def alter(school, **columns):
    """Change columns of the catalogue."""
    table = school.store.tracks().assign(**columns)
    table.to_parquet(school.store.folder / "tracks.parquet", index=False)


def test_the_same_training_is_computed_once(school, tmp_path, epochs, monkeypatch, capsys):
    model, curves = school.train()
    assert epochs == [0, 1, 2, 3]
    assert "Reused" not in capsys.readouterr().out
    monkeypatch.setattr("simlib.training.fit.fit_branch", None)
    monkeypatch.setattr("simlib.training.branches.fit_branch", None)
    again, same_curves = school.train()
    assert epochs == [0, 1, 2, 3], "an epoch was computed again"
    assert saved(again, tmp_path) == saved(model, tmp_path)
    pd.testing.assert_frame_equal(same_curves, curves, check_exact=True)
    assert again.digest == model.digest == ""
    assert capsys.readouterr().out.count("Reused the weights") == 1


def test_a_tuning_is_computed_once(school, tmp_path, epochs):
    School(tmp_path / "other").train(seed=3)[0].save(tmp_path / "initial.safetensors")
    initial = Embedder.load(tmp_path / "initial.safetensors")
    model, curves = school.train(initial=initial)
    computed = len(epochs)
    again, same_curves = school.train(initial=initial)
    assert len(epochs) == computed
    assert saved(again, tmp_path) == saved(model, tmp_path)
    pd.testing.assert_frame_equal(same_curves, curves, check_exact=True)
    school.train()
    assert len(epochs) == computed + 4, "random initial weights are another training"


@pytest.mark.parametrize(
    "changes", [{"seed": 1}, {"epochs": 3}, {"patience": 9}, {"temperature": 0.3}]
)
def test_a_changed_setting_trains_again(school, epochs, changes):
    school.train()
    school.train(**changes)
    assert len(epochs) == 4 + changes.get("epochs", 4)


def test_how_initial_weights_are_chosen_changes_no_number(school, epochs):
    school.train()
    school.train(init="auto")
    assert len(epochs) == 4


@pytest.mark.parametrize("columns", [{"title": "other"}, {"album": "other"}, {"path": "other"}])
def test_a_column_that_is_not_learned_from_trains_nothing_again(school, epochs, columns):
    school.train()
    alter(school, **columns)
    school.train()
    assert len(epochs) == 4


@pytest.mark.parametrize(
    "columns",
    [
        {"genre": ["low", "low", "high", "high"] * 3},
        {"mood": "calm"},
        {"bpm": 120.0},
        {"log_mel": lambda table: table["log_mel"][::-1].to_numpy()},
        {"artist": lambda table: table["artist"] + table["track_id"]},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_changed_recordings_train_again(school, epochs, columns):
    school.train()
    alter(school, **columns)
    school.train()
    assert len(epochs) == 8


def test_other_activations_of_a_backbone_train_again(school, epochs):
    for backbones, computed in (["musicnn"], 8), ([], 4):
        epochs.clear()
        school.train(backbones=backbones)
        alter(school, **{"backbone.musicnn": lambda table: table["backbone.musicnn"][::-1].array})
        school.train(backbones=backbones)
        assert len(epochs) == computed


def test_other_splits_train_again(school, epochs):
    school.train()
    splits = school.splits.copy()
    splits[[5, 9]] = splits[[9, 5]]
    school.train(splits)
    assert len(epochs) == 8


@pytest.mark.parametrize("content", [b"", b"garbage" * 50])
def test_a_damaged_file_trains_again(school, epochs, content):
    school.train()
    [path] = (school.checkpoint.parent / "finished").iterdir()
    path.write_bytes(content)
    school.train()
    assert len(epochs) == 8


def test_only_the_newest_are_kept_and_a_reused_one_is_new(school, epochs):
    settings = {"epochs": 1}
    for seed in range(KEPT):
        school.train(seed=seed, **settings)
    folder = school.checkpoint.parent / "finished"
    for age, path in enumerate(sorted(folder.iterdir(), key=lambda p: -p.stat().st_mtime_ns)):
        os.utime(path, (1e9 - age, 1e9 - age))
    assert len(list(folder.iterdir())) == KEPT
    school.train(seed=0, **settings)
    school.train(seed=KEPT, **settings)
    assert len(list(folder.iterdir())) == KEPT
    computed = len(epochs)
    school.train(seed=0, **settings)
    assert len(epochs) == computed, "the one that was reused is gone"
    school.train(seed=1, **settings)
    assert len(epochs) == computed + 1, "the oldest was kept"


def test_weights_and_losses_that_have_no_digest_are_never_taken_for_others(school, epochs):
    class Other(Objective):
        pass

    initial, _ = school.train(seed=3)
    for _ in range(2):
        school.train(initial=initial)
        school.train(objective=Other)
    assert len(epochs) == 4 + 2 * (4 + 4)


# --- what of the code is in the key ------------------------------------------------------------


def key_of(folder):
    """Return the digest of the code that trains, of a copy of simlib."""
    lines = "from simlib.core import digest_of_code\nprint(digest_of_code('simlib.training.fit'))"
    done = subprocess.run(
        [sys.executable, "-B", "-c", lines],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


@pytest.fixture
def package(tmp_path):
    """A copy of simlib, and the digest of the code that trains."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "simlib", tmp_path / "simlib", ignore=ignored)
    return tmp_path / "simlib", key_of(tmp_path)


def edited(package, pattern, edit):
    """Edit the modules that match; return whether the digest is another."""
    folder, before = package
    paths = sorted(folder.glob(pattern))
    assert paths
    for path in paths:
        text = path.read_text(encoding="utf-8")
        changed = edit(text)
        assert changed != text
        path.write_text(changed, encoding="utf-8")
    return key_of(folder.parent) != before


def with_code(text):
    return text + "\nEDITED = 1\n"


@pytest.mark.parametrize(
    "pattern",
    ["catalogue/*.py", "index/*.py", "search/*.py", "evaluation/*.py", "reporting/**/*.py",
     "app/*.py", "cli.py", "features/extraction.py", "core/project.py", "relevance/split.py",
     "training/initial.py"],
)  # fmt: skip
def test_code_that_computes_nothing_of_a_training_is_not_in_its_key(package, pattern):
    assert not edited(package, pattern, with_code)


@pytest.mark.parametrize(
    "pattern",
    ["training/augmentation.py", "training/losses.py", "training/positives.py",
     "features/tempogram.py", "model/networks.py", "relevance/labels.py"],
)  # fmt: skip
def test_code_that_computes_a_training_is_in_its_key(package, pattern):
    assert edited(package, pattern, with_code)


def test_comments_docstrings_and_layout_are_not_in_the_key(package):
    def reworded(text):
        return text.replace('"""', '"""Reworded. ', 1).replace("\ndef ", "\n\n# Reworded.\ndef ")

    assert not edited(package, "**/*.py", reworded)
