"""Automatic tags: scores, thresholds, the index that holds them, and what must not use them."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import samples
import yaml

import simlib.index
from simlib.core import SimlibError
from simlib.evaluation import Evaluation, evaluated_rows
from simlib.features import SHIPPED, FrontEnd, RecordingFeatures, compute_features, load_card
from simlib.index import (
    Index,
    calibrate,
    joined_tags,
    known_auto_tags,
    tag_probabilities,
    tag_scores,
)

PUBLISHED = yaml.safe_load(
    (Path(simlib.index.__file__).parent / "auto_tags.yaml").read_text(encoding="utf-8")
)
NONE = np.zeros((0, 1))


def features_of(**backbones):
    return RecordingFeatures(NONE, NONE, backbones)


def naive_scores(backbones):
    """Each tag's probability by its threshold, patch by patch and name by name."""
    found = {}
    for name, rows in backbones.items():
        tags = [tag.lower() for tag in load_card(name).tags]
        means = [sum(float(row[i - 50]) for row in rows) / len(rows) for i in range(50)]
        for tag, mean in zip(tags, means, strict=True):
            if tag in ("female vocalist", "chill"):
                continue
            if tag == "female vocalists":
                mean = max(mean, means[tags.index("female vocalist")])
            if tag == "chillout":
                mean = max(mean, means[tags.index("chill")])
            ratio = mean / PUBLISHED["thresholds"][name][tag]
            found[tag] = found.get(tag, 0) + ratio / len(backbones)
    return found


@pytest.mark.parametrize("names", [("musicnn",), ("vgg",), ("musicnn", "vgg")])
def test_scores_are_probabilities_by_thresholds(names):
    rng = np.random.default_rng(len(names))
    rows = {
        name: np.hstack([samples.patches_of(name)[:, :-50], rng.random((3, 50)) * 0.3])
        for name in names
    }
    expected = naive_scores(rows)
    found = tag_scores(features_of(**rows))
    assert len(found) == 48
    assert found == pytest.approx(expected)


def test_without_a_known_backbone_there_are_no_scores():
    assert tag_scores(features_of()) == {}
    assert tag_scores(features_of(own=np.ones((2, 60)))) == {}


def test_of_names_that_mean_the_same_the_more_probable_one_counts():
    rows = np.array([[0.1, 0.6, 0.3], [0.3, 0.4, 0.1]])
    found = tag_probabilities(["female vocalists", "female vocalist", "Hip-Hop"], rows)
    assert found == pytest.approx({"female vocalists": 0.5, "hip-hop": 0.2})


def test_a_tag_is_carried_from_its_threshold_on_and_the_surest_comes_first():
    assert joined_tags({"rock": 1.0, "jazz": 0.999, "folk": 2.5}) == "folk;rock"
    assert joined_tags({"rock": 0.2}) == joined_tags({}) == ""


def test_every_tag_of_every_shipped_backbone_has_a_threshold():
    assert set(PUBLISHED["thresholds"]) == set(SHIPPED)
    for name, thresholds in PUBLISHED["thresholds"].items():
        expected = tag_probabilities(load_card(name).tags, np.zeros((1, 50)))
        assert tuple(thresholds) == tuple(expected) == known_auto_tags()
        assert all(0 < least < 1 for least in thresholds.values())


@pytest.mark.parametrize(
    ("track_id", "tag"), [("MT0033097471", "hip-hop"), ("MT0006746691", "metal")]
)
def test_real_recordings_carry_what_everybody_would_say(real_catalogue, track_id, tag):
    path = real_catalogue / "audio" / f"{track_id}.mp3"
    front_end = FrontEnd.of(samples.FRONT_END | {"sample_rate": 22050, "f_max": 10000.0})
    arrays = compute_features(path, front_end, backbones=dict.fromkeys(SHIPPED, "float32"))
    assert joined_tags(tag_scores(RecordingFeatures.of(arrays))).split(";")[0] == tag


# --- the index -------------------------------------------------------------------------------


def test_the_index_holds_tags_and_scores(tagged):
    index = Index.load(tagged.root / "index", tagged.model.digest)
    expected = ["jazz" if row // 2 % 2 == 0 else "punk" for row in range(12)]
    expected[0], expected[3] = "", "punk;female vocalists;sad"
    assert index.tracks["auto_tags"].tolist() == expected
    assert index.auto_tags.shape == (12, 48)
    for row, track in tagged.store.tracks().iterrows():
        scores = tag_scores(tagged.store.features(track))
        np.testing.assert_allclose(index.auto_tags.iloc[row], list(scores.values()), rtol=1e-6)


def test_without_backbones_an_index_has_none(built):
    index = Index.load(built.root / "index", built.model.digest)
    assert "auto_tags" not in index.tracks
    assert index.auto_tags.empty


def test_an_index_of_another_version_is_refused(built, tmp_path):
    folder = shutil.copytree(built.root / "index", tmp_path / "index")
    (folder / "auto_tags.parquet").unlink()
    with pytest.raises(SimlibError, match=r"auto_tags\.parquet.*run 'dvc repro index'"):
        Index.load(folder, built.model.digest)


# --- no ground truth -------------------------------------------------------------------------


def test_automatic_tags_are_no_ground_truth(tagged, built):
    """They would be scored on what the backbones are made of."""
    index, without = tagged.index, built.index
    assert index.tag_columns == without.tag_columns == ["genre", "mood"]
    np.testing.assert_array_equal(index.tags_of(np.arange(12)), without.tags_of(np.arange(12)))
    assert calibrate(index, built.splits) == calibrate(without, built.splits)
    rows, columns = evaluated_rows(index.tracks, built.splits)
    assert columns == ["genre", "mood"]
    similarity = np.random.default_rng(0).random((len(rows), len(rows)))
    scores = []
    for one in (index, without):
        evaluation = Evaluation(one.tracks.iloc[rows], columns, samples.evaluate_settings())
        scores.append(evaluation.scores(evaluation.rank(similarity)))
    pd.testing.assert_frame_equal(*map(pd.DataFrame, scores))
    assert "auto_tags" not in tagged.store.tracks(), "training reads the store"
