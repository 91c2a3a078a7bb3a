import numpy as np
import samples
import yaml

from simlib import cli, pretrained
from simlib.artefacts import digest_of_file
from simlib.model import Model


def test_the_shipped_weights_learn_from_every_recording(built, tmp_path):
    settings = samples.train_settings()
    checkpoint = tmp_path / "run.safetensors"
    model, provenance = pretrained.make(built.store, settings, checkpoint)
    files = [built.root / "data" / path for path in built.index.tracks["path"]]
    assert provenance["learned_from"] == sorted(digest_of_file(file)[:16] for file in files)
    assert provenance["train"] == settings.as_dict()
    descriptors = built.store.descriptors(built.index.tracks["descriptor"])
    np.testing.assert_allclose(model.describer.mean, descriptors.mean(axis=0), rtol=1e-4)
    assert not checkpoint.exists()


def test_the_command_writes_what_embed_takes(built, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump({"train": samples.TRAIN}))
    (tmp_path / "features").symlink_to(built.root / "features")
    cli.pretrain()
    assert "learned from 12 recordings" in capsys.readouterr().out
    model = Model.load(tmp_path / "pretrained" / "encoder.safetensors")
    assert len(model.provenance["learned_from"]) == 12
