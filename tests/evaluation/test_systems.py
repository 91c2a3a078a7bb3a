import dataclasses
import itertools
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import samples
import torch
from samples import naive_similarities

from simlib.core import Project, SimlibError, cosine
from simlib.evaluation import (
    RESERVED_NAMES,
    Evaluation,
    EvaluationContext,
    at_random,
    by_other_tags,
    compare_systems,
    evaluate_systems,
    standardised,
    system_margins,
)
from simlib.evaluation.systems import _stacked
from simlib.evaluation.thirds import thirds
from simlib.features import DESCRIPTOR_GROUPS, RecordingFeatures
from simlib.index import build_index, hub_corrected
from simlib.model import Embedder, pool_segments

FRONT_END = samples.front_end()

HOP = samples.index_settings()
# The rows of the test tracks.
EVERYONE = np.arange(8)


@pytest.fixture(scope="module")
def context(built):
    return EvaluationContext(
        Project(built.root), built.store, built.model, built.index, built.splits, HOP
    )


def evaluation_of(context, columns=("genre", "mood"), **settings):
    return Evaluation(context.test, list(columns), samples.evaluate_settings(**settings))


@pytest.fixture(scope="module")
def tagged(context):
    return evaluate_systems(context, evaluation_of(context))


def test_all_systems_are_compared_in_order(tagged):
    similarities, report = tagged
    assert list(report) == ["simlib", "untrained", "mfcc", "tags", "random"]
    assert list(similarities) == ["simlib", "untrained", "mfcc"]
    measures = {"genre_ndcg@3", "genre_p@3", "mood_ndcg@3"}
    for name, entry in report.items():
        lead = {"simlib_lead"} if name != "simlib" else set()
        assert set(entry) == measures | {"hub_skew@3"} | lead
        for measure in measures:
            assert 0 <= entry[measure]["low"] <= entry[measure]["value"] <= 1


def test_simlib_is_what_the_index_holds_of_the_test_artists(context, tagged):
    assert context.test["track_id"].tolist() == [f"s{i:02d}" for i in range(4, 12)]
    vectors = context.index.vectors()
    artists = context.test["artist"].tolist()
    # As search would rank them, if the eight were the catalogue.
    expected = naive_similarities(vectors[4:], artists)
    np.testing.assert_allclose(tagged[0]["simlib"][EVERYONE], expected, atol=1e-5)


def test_the_untrained_network_is_the_same_with_other_weights(context, tagged):
    untrained = context.untrained
    assert untrained.architecture == context.model.architecture
    assert untrained.front_end == context.model.front_end
    assert torch.equal(untrained.descriptor_branch.mean, context.model.descriptor_branch.mean)
    assert torch.equal(
        untrained.descriptor_branch.deviation, context.model.descriptor_branch.deviation
    )
    vectors = context.embed(untrained, context.test)
    for row, key in enumerate(context.test["log_mel"]):
        single = pool_segments(untrained.segments(context.store.log_mel(key), 0.25)[0])
        np.testing.assert_allclose(vectors[row][:8] / np.sqrt(0.6), single, atol=1e-6)
    untrained_cosines = tagged[0]["untrained"][EVERYONE]
    np.testing.assert_allclose(untrained_cosines, cosine(vectors), atol=1e-5)
    # The weights of this project are random too, but drawn from another seed.
    assert np.abs(untrained_cosines - tagged[0]["simlib"][EVERYONE]).max() > 1e-3
    again = context.embed(context.untrained, context.test)
    np.testing.assert_array_equal(vectors, again)


def test_a_second_evaluation_embeds_nothing(context, tmp_path, monkeypatch):
    first = replace(context, project=Project(tmp_path))
    _, report = evaluate_systems(first, evaluation_of(first))

    def fails(*arguments):
        raise AssertionError("embedded once more")

    monkeypatch.setattr(Embedder, "track", fails)
    second = replace(context, project=Project(tmp_path))
    assert evaluate_systems(second, evaluation_of(second))[1] == report
    vectors = second.embed(second.untrained, second.test)
    monkeypatch.undo()
    for row, vector in enumerate(vectors):
        features = context.store.features(context.test.iloc[row])
        np.testing.assert_array_equal(vector, context.untrained.track(features, 0.25)[0])


def test_the_hand_crafted_features_are_standardised_by_all_but_the_test_artists(context, tagged):
    descriptors = context.store.descriptors(context.index.tracks["descriptor"])
    known = descriptors[:4]
    expected = standardised(descriptors[4:], known, DESCRIPTOR_GROUPS)
    np.testing.assert_allclose(context.described[4:], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(tagged[0]["mfcc"][EVERYONE], cosine(expected), atol=1e-6)


def test_tags_and_chance_stand_in_the_report(context, tagged):
    evaluation = evaluation_of(context)
    report = compare_systems(
        tagged[0] | {"tags": by_other_tags(evaluation), "random": at_random(evaluation)},
        evaluation,
    )
    assert tagged[1] == report


def test_with_one_tag_column_there_are_no_other_tags(context):
    _, report = evaluate_systems(context, evaluation_of(context, ["genre"]))
    assert list(report) == ["simlib", "untrained", "mfcc", "random"]


@pytest.fixture
def others(context, tmp_path):
    """The context in a project with a folder of comparisons of its own."""
    (tmp_path / "comparisons").mkdir()
    return dataclasses.replace(context, project=Project(tmp_path))


def saved(context, name, tracks):
    emb = np.random.default_rng(0).standard_normal((len(tracks), 4))
    np.savez(context.project.comparisons / name, ids=tracks["track_id"].to_list(), emb=emb)
    return emb


def test_another_system_joins_under_its_files_name(others):
    emb = saved(others, "theirs.npz", others.test)
    evaluation = evaluation_of(others)
    _, report = evaluate_systems(others, evaluation)
    assert list(report)[-1] == "theirs"
    own = compare_systems({"simlib": cosine(emb)}, evaluation)["simlib"]
    for measure, entry in own.items():
        assert report["theirs"][measure] == entry
    assert set(report["theirs"]["simlib_lead"]) == {"genre_ndcg@3", "genre_p@3", "mood_ndcg@3"}


@pytest.mark.parametrize("name", RESERVED_NAMES)
def test_another_system_may_not_take_a_name_of_ours(others, name):
    saved(others, f"{name}.npz", others.test)
    with pytest.raises(SimlibError, match="names a system already; rename the file"):
        evaluate_systems(others, evaluation_of(others))


def test_another_system_must_have_every_test_track(others):
    saved(others, "poor.npz", others.test.iloc[1:])
    with pytest.raises(SimlibError, match="lacks 1 of 8 test tracks, 's04'"):
        evaluate_systems(others, evaluation_of(others))


# --- judgements ------------------------------------------------------------------------------


def test_judgements_are_compared_with_search_and_with_the_features(context):
    triplets = np.array([[0, 3, 7], [5, 11, 2]])
    found = system_margins(context, triplets)
    index = context.index
    described = cosine(context.described)
    similarity = naive_similarities(index.vectors(), index.artists)
    for row, (reference, nearer, farther) in enumerate(triplets):
        near, far = (similarity[reference][other] for other in (nearer, farther))
        assert found["simlib"][row] == pytest.approx(near - far, abs=1e-5)
        expected = described[reference, nearer] - described[reference, farther]
        assert found["mfcc"][row] == pytest.approx(expected, abs=1e-6)


# --- without tags ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_context(built, tmp_path_factory):
    """Eight recordings of twelve seconds, whose descriptors have two blocks of five."""
    rate = built.model.front_end.frame_rate
    log_mels = [
        samples.log_mel_of(("low", "high")[i % 2], round(12 * rate), i) - 2 * i for i in range(8)
    ]
    store = samples.store_of(
        tmp_path_factory.mktemp("long"), log_mels, samples.tracks(8), built.model.front_end
    )
    index = build_index(built.model, store, samples.index_settings(hop_seconds=2.0))
    splits = np.array(["train"] * 2 + ["test"] * 6, dtype=object)
    settings = samples.index_settings(hop_seconds=2.0)
    return EvaluationContext(Project(built.root), store, built.model, index, splits, settings)


def test_without_tags_an_excerpt_is_to_find_its_recording(long_context):
    similarities, report = evaluate_systems(long_context, evaluation_of(long_context, []))
    assert list(similarities) == ["simlib", "untrained", "mfcc"]
    assert list(report) == ["simlib", "untrained", "mfcc", "random"]
    for name, entry in report.items():
        lead = {"simlib_lead"} if name != "simlib" else set()
        assert set(entry) == {"excerpt_mrr", "excerpt_hit@3"} | lead
    assert report["simlib"]["excerpt_mrr"]["n"] == 6
    assert report["simlib"]["excerpt_mrr"]["value"] > report["random"]["excerpt_mrr"]["value"]


def test_excerpts_are_embedded_once(long_context, tmp_path, monkeypatch):
    staged = replace(long_context, project=Project(tmp_path))
    model, tracks = staged.untrained, staged.test
    hop = model.segment_seconds
    first = staged.embeddings.parts(model, staged.store, tracks, hop, thirds)
    for row, vectors in enumerate(first):
        pair = thirds(staged.store.features(tracks.iloc[row]), FRONT_END)
        expected = [model.track(part, hop)[0] for part in pair]
        np.testing.assert_array_equal(vectors, expected)
    monkeypatch.setattr(Embedder, "track", None)
    second = replace(staged).embeddings.parts(model, staged.store, tracks, hop, thirds)
    np.testing.assert_array_equal(second, first)


def test_an_excerpt_shares_no_second_with_the_rest(long_context):
    """The first of the two blocks of five seconds against all that follows."""
    whole, front_end = long_context.store.features(long_context.test.iloc[0]), FRONT_END
    excerpt, rest = thirds(whole, front_end)
    assert len(excerpt.log_mel) == round(5 * front_end.frame_rate)
    both = np.concatenate([excerpt.log_mel, rest.log_mel])
    np.testing.assert_array_equal(both, whole.log_mel)
    np.testing.assert_array_equal(excerpt.descriptor, whole.descriptor[:1])
    np.testing.assert_array_equal(rest.descriptor, whole.descriptor[1:])


def test_a_recording_of_one_block_is_no_query(context):
    rows = [track for _, track in context.test.iterrows()]
    cut = [thirds(context.store.features(row), FRONT_END) for row in rows]
    assert cut == [None] * 8, "they last less than three seconds"
    for _ in range(2):
        found = context.embeddings.parts(context.model, context.store, context.test, 0.5, thirds)
        assert found == [None] * 8
    first, rest = _stacked([None, ("a", "b"), None], lambda features: np.full(2, ord(features)))
    assert np.isnan(first[[0, 2]]).all() and np.isnan(rest[[0, 2]]).all()
    assert first[1].tolist() == [97, 97] and rest[1].tolist() == [98, 98]


# --- backbones alone ------------------------------------------------------------------------


def test_a_backbone_alone_is_standardised_by_the_other_artists_and_compared(context, tmp_path):
    rng = np.random.default_rng(3)
    known = rng.normal(size=(len(context.splits), 200)).astype(np.float32)

    class Store:
        def features(self, track):
            patches = np.zeros((2, 634), dtype=np.float32)
            patches[:, :200] = known[int(track["track_id"][1:])] + np.array([[0.5], [-0.5]])
            return RecordingFeatures(None, None, {"musicnn": patches})

    model = SimpleNamespace(backbones=("musicnn",))
    keys = [f"{row:032x}" for row in range(len(known))]
    index = SimpleNamespace(tracks=context.index.tracks.assign(**{"backbone.musicnn": keys}))
    project = Project(tmp_path)
    staged = replace(context, project=project, model=model, store=Store(), index=index)
    test = staged.splits == "test"
    found = staged.standardised_backbone("musicnn", staged.backbones["musicnn"][test])
    others = known[~test]
    expected = (known[test] - others.mean(axis=0)) / others.std(axis=0)
    np.testing.assert_allclose(cosine(found), cosine(expected), atol=1e-5)


# --- the weights that come with simlib -------------------------------------------------------


@pytest.fixture
def shipped(context, tmp_path):
    """The context in a project with pretrained weights; call it with their training recordings."""

    def with_weights(learned_from, front_end=context.model.front_end):
        model = Embedder.untrained(front_end, 0.5, context.model.architecture, 99)
        model.save(Project(tmp_path).pretrained_weights, learned_from=learned_from)
        return replace(context, project=Project(tmp_path))

    return with_weights


def test_pretrained_weights_are_scored_if_they_were_trained_on_other_recordings(shipped, tagged):
    staged = shipped(["0123456789abcdef"])
    model, remark = staged.pretrained
    assert "were not trained on any recording of this catalogue" in remark
    _, report = evaluate_systems(staged, evaluation_of(staged))
    assert list(report) == ["simlib", "untrained", "mfcc", "pretrained", "tags", "random"]
    assert "simlib_lead" in report["pretrained"]
    artists = staged.test["artist"].to_numpy(dtype=object)
    hubs = staged.index.settings.hubs
    alike = hub_corrected(staged.embed(model, staged.test), artists, hubs)
    evaluation = evaluation_of(staged)
    expected = evaluation.scores(evaluation.rank(alike))["genre_ndcg@3"]
    assert report["pretrained"]["genre_ndcg@3"]["value"] == pytest.approx(expected.mean())
    for name in ("simlib", "mfcc", "random"):
        assert report[name] == tagged[1][name], "another system changes nothing for the others"


def test_weights_that_were_trained_on_the_catalogue_are_not_scored_on_it(shipped, context):
    known = context.index.tracks["digest"][3][:16]
    staged = shipped([known])
    model, remark = staged.pretrained
    assert model is None
    assert "learned from 1: scored here" in remark
    assert "pretrained" not in evaluate_systems(staged, evaluation_of(staged))[1]


def test_without_tags_the_pretrained_weights_are_compared_too(shipped):
    staged = shipped([])
    evaluation = Evaluation(staged.test, [], samples.evaluate_settings())
    assert list(evaluate_systems(staged, evaluation)[1]) == [
        "simlib", "untrained", "pretrained", "mfcc", "random"
    ]  # fmt: skip


def test_weights_for_another_front_end_are_not_scored(shipped):
    model, remark = shipped([], samples.front_end(f_min=60.0)).pretrained
    assert model is None
    assert "another log-mel front-end" in remark


def test_weights_on_backbones_that_were_not_extracted_are_not_scored(shipped, context):
    built = context.model.architecture | {"backbones": ["vgg"]}
    staged = shipped([])
    path = staged.project.pretrained_weights
    Embedder.untrained(context.model.front_end, 0.5, built, 99).save(path, learned_from=[])
    model, remark = staged.pretrained
    assert model is None
    assert "need the activations of 'vgg', which `train.backbones` leaves out" in remark


def test_a_project_without_pretrained_weights_has_a_remark(context):
    model, remark = context.pretrained
    assert model is None
    assert "no weights in pretrained/" in remark


def test_tags_rank_by_the_other_columns_only():
    table = samples.tracks(
        4, genre=["a", "a", "b", "b"], mood=["x", "y", "x", "y"], key=["c", "c", "c", "d"]
    )
    evaluation = Evaluation(table, ["genre", "mood", "key"], samples.evaluate_settings())
    tags = by_other_tags(evaluation)
    assert list(tags) == ["genre", "mood", "key"]
    for column, similarity in tags.items():
        found = similarity[np.arange(4)]
        others = [c for c in tags if c != column]
        for i, j in itertools.product(range(4), repeat=2):
            shared = sum(table[c][i] == table[c][j] for c in others)
            assert found[i, j] == shared
    one = Evaluation(table, ["genre"], samples.evaluate_settings())
    assert by_other_tags(one) == {}, "there is nothing else to rank by"


def test_the_random_baseline_is_the_same_every_time_and_uncorrelated():
    evaluation = samples.evaluation_of(count=40)
    everyone = np.arange(40)
    found = at_random(evaluation)[everyone]
    np.testing.assert_array_equal(found, np.random.default_rng(1).random((40, 40)))
    parts = [at_random(evaluation)[rows] for rows in (everyone[:7], everyone[7:])]
    np.testing.assert_array_equal(np.concatenate(parts), found)
    gains = evaluation.gains["genre"][everyone]
    rough = np.corrcoef(found.ravel(), gains.ravel())[0, 1]
    assert abs(rough) < 0.1


def test_standardising_looks_at_others_only_and_weighs_groups_alike():
    rng = np.random.default_rng(0)
    others = rng.normal([5, -3, 0, 100], [2, 1, 0, 30], size=(50, 4))
    vectors = rng.normal([5, -3, 0, 100], [2, 1, 1, 30], size=(6, 4))
    found = standardised(vectors, others, [1, 3])
    for column, size in enumerate([1, 3, 3, 3]):
        spread = others[:, column].std() or 1.0
        expected = (vectors[:, column] - others[:, column].mean()) / spread / math.sqrt(size)
        np.testing.assert_allclose(found[:, column], expected)
    np.testing.assert_allclose(standardised(vectors[:1], others, [1, 3])[0], found[0])
