import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import samples
import yaml

from simlib import cli
from simlib.core import Project, SimlibError, digest_of_file
from simlib.model import Embedder, architecture_of, shorten_digests
from simlib.training import describe_training, initial_embedder, pretrain

ROOT = Path(__file__).resolve().parents[2]
FRONT_END = samples.front_end()
DIGESTS = [hashlib.sha256(bytes([number])).hexdigest() for number in range(5)]


def test_the_shipped_weights_learn_from_every_recording(built, tmp_path):
    settings = samples.train_settings()
    checkpoint = tmp_path / "run.safetensors"
    model, provenance = pretrain(built.store, settings, checkpoint)
    files = [built.root / "data" / path for path in built.index.tracks["path"]]
    assert provenance["learned_from"] == sorted(digest_of_file(file)[:16] for file in files)
    assert provenance["train"] == settings.as_dict()
    descriptors = built.store.descriptors(built.index.tracks["descriptor"])
    np.testing.assert_allclose(model.descriptor_branch.mean, descriptors.mean(axis=0), rtol=1e-4)
    assert not checkpoint.exists()


def test_the_command_writes_what_embed_takes(built, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump({"train": samples.TRAIN}))
    (tmp_path / "features").symlink_to(built.root / "features")
    cli.pretrain()
    assert "learned from 12 recordings" in capsys.readouterr().out
    model = Embedder.load(tmp_path / "pretrained" / "encoder.safetensors")
    assert len(model.provenance["learned_from"]) == 12


# --- what training begins with ----------------------------------------------------------------


@pytest.fixture
def project(tmp_path):
    """Call it to put weights into a project: it returns the project."""

    def with_weights(learned_from=(), front_end=FRONT_END, **changes):
        wanted = architecture_of(samples.train_settings(**changes), front_end)
        model = Embedder.untrained(front_end, 0.5, wanted, 3)
        learned_from = shorten_digests(learned_from)
        model.save(Project(tmp_path).pretrained_weights, learned_from=learned_from)
        return tmp_path

    return with_weights


def start(root, init, digests=DIGESTS):
    return initial_embedder(
        Project(root).pretrained_weights, samples.train_settings(init=init), FRONT_END, digests
    )


@pytest.mark.parametrize("init", ["auto", "pretrained"])
def test_training_begins_with_weights_that_were_trained_on_other_recordings(project, init):
    root = project(learned_from=["f" * 64])
    model, remark = start(root, init)
    assert model.digest == digest_of_file(Project(root).pretrained_weights)
    assert "began with the weights in pretrained/" in remark
    assert "were not trained on any recording of this catalogue" in remark


def test_pretrained_weights_take_over_the_shares_of_the_settings(project):
    shares = samples.SHARES | {"tag_columns": 0.2}
    model, _ = start(project(shares=shares), "auto")
    assert model.architecture["shares"] == samples.SHARES


def test_random_is_random(project):
    model, remark = start(project(), "random")
    assert model is None
    assert "random weights, because `train.init` is `random`" in remark


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        ({"learned_from": DIGESTS[1:3]}, "learned from 2: scored here"),
        ({"front_end": samples.front_end(f_min=60.0)}, "another log-mel front-end"),
        ({"channels": [4, 4]}, "another architecture"),
        (None, "There are no weights"),
    ],
)
def test_weights_that_do_not_fit_are_left_aside_or_refused(project, tmp_path, made, cause):
    root = tmp_path if made is None else project(**made)
    model, remark = start(root, "auto")
    assert model is None
    assert "began with random weights" in remark
    assert cause in remark
    with pytest.raises(SimlibError, match=f"{cause}.*set train.init to auto or random"):
        start(root, "pretrained")


def test_one_recording_in_common_is_enough(project):
    root = project(learned_from=[DIGESTS[-1]])
    assert start(root, "auto")[0] is None
    assert start(root, "auto", DIGESTS[:-1])[0] is not None


@pytest.mark.parametrize(
    ("kept", "epochs", "said"),
    [(0, 0, "too few"), (0, 2, "did not improve"), (2, 3, "tuned for 2 epochs")],
)
def test_what_became_of_the_weights_is_described(kept, epochs, said):
    curves = pd.DataFrame({"epoch": range(epochs + 1)})
    data = SimpleNamespace(train=SimpleNamespace(tracks=range(2)))
    curves["kept"] = curves["epoch"] == kept
    assert said in describe_training(data, curves, True)
    assert describe_training(data, curves, False) == ""


@pytest.mark.parametrize("init", ["auto", "pretrained"])
def test_a_damaged_file_of_pretrained_weights_names_a_command_that_helps(project, init):
    root = project()
    Project(root).pretrained_weights.write_bytes(b"garbage")
    with pytest.raises(SimlibError, match="no encoder of this version.*git restore pretrained"):
        start(root, init)


def test_the_model_card_names_the_weights_that_ship():
    folder = ROOT / "pretrained"
    digest = digest_of_file(folder / "encoder.safetensors")
    assert digest in (folder / "README.md").read_text(encoding="utf-8")
