"""Degraded recordings as queries."""

from dataclasses import replace

import numpy as np
import pytest
import samples
from samples import naive_penalties, unit

from simlib.core import Project, SimlibError, cosine, digest_of
from simlib.evaluation import (
    UNDEGRADED,
    DegradedQueries,
    Evaluation,
    EvaluationContext,
    RobustnessSettings,
    bootstrap,
    degraded_queries,
    robustness_report,
    robustness_table,
)
from simlib.evaluation.robustness import _share, _versions
from simlib.features import DEGRADATIONS, DESCRIPTOR_RATE, compute_descriptor, decode, decode_blocks
from simlib.index import Fingerprints
from simlib.relevance import ndcg

SETTINGS = samples.evaluate_settings().robustness
EVERY = [UNDEGRADED, *DEGRADATIONS]


@pytest.fixture(scope="module")
def context(built):
    settings = samples.index_settings()
    return EvaluationContext(
        Project(built.root), built.store, built.model, built.index, built.splits, settings
    )


@pytest.fixture(scope="module")
def queries(context):
    return degraded_queries(context.test, context, SETTINGS, jobs=1)


def evaluation_of(context, columns=("genre", "mood"), **settings):
    return Evaluation(context.test, list(columns), samples.evaluate_settings(**settings))


def table(queries, context, evaluation):
    return robustness_table(robustness_report(queries, context, evaluation))


def value(cell):
    return float(cell.split(" ")[0])


# --- queries ---------------------------------------------------------------------------------


def test_every_recording_is_degraded_in_every_way(context, queries):
    assert sorted(queries.rows) == list(range(8))
    assert list(queries.vectors) == list(queries.descriptors) == EVERY
    for name in EVERY:
        assert queries.vectors[name].shape == (8, context.index.by_track.d)
        assert queries.vectors[name].dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(queries.vectors[name], axis=1), 1, atol=1e-5)
        assert queries.descriptors[name].shape == (8, 102)
        assert np.isfinite(queries.descriptors[name]).all()
    # An excerpt of five seconds is all of these recordings.
    for name in set(DEGRADATIONS) - {"5 s excerpt"}:
        assert np.abs(queries.vectors[name] - queries.vectors[UNDEGRADED]).max() > 1e-4


def test_undegraded_they_are_what_the_index_holds(context, queries):
    """A degraded query goes the same way as a recording of the catalogue."""
    held = context.index.vectors()[context.splits == "test"][queries.rows]
    # On the way their rate is raised, for the descriptor, and lowered again.
    cosines = (queries.vectors[UNDEGRADED] * held).sum(axis=1)
    assert cosines.min() > 0.99
    described = context.store.descriptors(context.test["descriptor"])[queries.rows]
    np.testing.assert_allclose(queries.descriptors[UNDEGRADED], described, rtol=1e-4, atol=1e-4)


def test_two_runs_give_the_same_bits_in_any_number_of_processes(context, queries):
    again = degraded_queries(context.test, context, SETTINGS, jobs=2)
    np.testing.assert_array_equal(again.rows, queries.rows)
    for name in EVERY:
        np.testing.assert_array_equal(again.vectors[name], queries.vectors[name])
        np.testing.assert_array_equal(again.descriptors[name], queries.descriptors[name])


@pytest.fixture
def cheap(monkeypatch):
    """One degradation that costs little."""
    monkeypatch.setattr(
        "simlib.evaluation.robustness.DEGRADATIONS", {"louder": lambda x, rate, rng: 2 * x}
    )


def test_of_many_recordings_the_same_few_are_taken_in_any_order(context, cheap):
    few = RobustnessSettings(queries=3, seconds=40.0)
    expected = sorted(context.test["track_id"], key=lambda name: digest_of(str(name)))[:3]
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(8)
        shuffled = context.test.iloc[order].reset_index(drop=True)
        found = degraded_queries(shuffled, context, few, jobs=1)
        assert shuffled["track_id"][found.rows].tolist() == expected
        one = shuffled.iloc[found.rows[:1]]
        single = degraded_queries(one, context, few, jobs=1)
        np.testing.assert_array_equal(single.vectors["louder"][0], found.vectors["louder"][0])


def test_randomness_follows_from_the_track_and_the_degradation(monkeypatch):
    drawn = {name: lambda x, rate, rng: rng.random(4) for name in ("one", "two")}
    monkeypatch.setattr("simlib.evaluation.robustness.DEGRADATIONS", drawn)
    versions = {track: dict(_versions(np.zeros(4), 8000, track)) for track in ("a", "b", "a ")}
    numbers = [tuple(v[name]) for v in versions.values() for name in drawn]
    assert len(set(numbers)) == 6
    again = dict(_versions(np.zeros(4), 8000, "b"))
    np.testing.assert_array_equal(again["two"], versions["b"]["two"])


def test_of_a_long_recording_the_middle_is_the_query(context, cheap):
    tracks = context.test.iloc[[1]]
    short = RobustnessSettings(queries=40, seconds=1.0)
    found = degraded_queries(tracks, context, short, jobs=1)
    start = (tracks["seconds"].iloc[0] - 1) / 2
    path = context.project.data / tracks["path"].iloc[0]
    middle = decode(path, DESCRIPTOR_RATE, start=start, end=start + 1)
    assert len(middle) == pytest.approx(DESCRIPTOR_RATE, abs=10)
    expected = compute_descriptor([middle]).mean(axis=0)
    # On another number of threads the last bits differ.
    np.testing.assert_allclose(found.descriptors[UNDEGRADED][0], expected, rtol=1e-4, atol=1e-5)


def test_the_descriptor_covers_what_lies_above_the_networks_rate(context, cheap, tmp_path):
    path = samples.write(tmp_path / "bright.wav", samples.bursts(2.0, 44100), 44100)
    tracks = context.test.iloc[[0]].assign(path=str(path))
    found = degraded_queries(tracks, context, SETTINGS, jobs=1)
    whole = compute_descriptor(decode_blocks(path, DESCRIPTOR_RATE)).mean(axis=0)
    np.testing.assert_allclose(found.descriptors[UNDEGRADED][0], whole, rtol=1e-4, atol=1e-4)


@pytest.fixture
def damaged(context, tmp_path):
    """The test recordings' table, with the files of some rows absent, empty or silent."""

    def with_rows(*rows):
        tracks = context.test.assign(
            path=[str(context.project.data / p) for p in context.test["path"]]
        )
        (tmp_path / "empty.wav").touch()
        samples.write(tmp_path / "silent.wav", np.zeros(8000, dtype=np.float32))
        for row, name in zip(rows, ("absent.wav", "empty.wav", "silent.wav") * 3, strict=False):
            tracks.loc[row, "path"] = str(tmp_path / name)
        return tracks

    return with_rows


def test_what_cannot_be_decoded_is_left_out(context, queries, damaged, cheap):
    found = degraded_queries(damaged(0, 4, 7), context, SETTINGS, jobs=1)
    assert found.rows.tolist() == [row for row in queries.rows if row not in (0, 4, 7)]
    kept = np.isin(queries.rows, found.rows)
    np.testing.assert_array_equal(found.vectors[UNDEGRADED], queries.vectors[UNDEGRADED][kept])


def test_nothing_to_decode_names_the_command(context, damaged, cheap):
    with pytest.raises(SimlibError, match="no recording that can be decoded.*dvc repro extract"):
        degraded_queries(damaged(*range(8)), context, SETTINGS, jobs=1)


# --- table -----------------------------------------------------------------------------------


def made_up(context, seed, rows=(6, 1, 3, 4, 0), weights=None):
    """A context whose index holds random vectors, and queries near the vectors of their tracks."""
    vectors = unit(12, seed)
    index = samples.index_of(vectors, context.index.tracks)
    index.weights = index.aspects.weights(weights)
    rng = np.random.default_rng(seed)
    rows = np.array(rows)
    described = context.store.descriptors(context.test["descriptor"].iloc[rows])
    near = {}
    for name, away in ((UNDEGRADED, 0.0), ("slight", 0.25), ("strong", 1.0)):
        moved = vectors[4 + rows] + away * rng.standard_normal((len(rows), 8)).astype(np.float32)
        near[name] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    spread = described.std(axis=0)
    descriptors = {
        name: (described + away * spread * rng.standard_normal(described.shape)).astype(np.float32)
        for name, away in ((UNDEGRADED, 0.0), ("slight", 0.5), ("strong", 3.0))
    }
    fingerprints = {name: [np.zeros((0, 32), dtype=np.int8)] * len(rows) for name in near}
    return replace(context, index=index), DegradedQueries(rows, near, descriptors, fingerprints)


def naive_lists(context, queries, name):
    """Similarities, by simlib, to the whole catalogue and to the test tracks, a loop for each."""
    index = context.index
    held, artists = index.weighted(), index.artists
    whole, test = [], []
    for vector in queries.vectors[name]:
        vector = index.aspects.weighted(vector, index.weights)
        whole.append(1 - (1 - held @ vector) * naive_penalties(held, artists))
        test.append(1 - (1 - held[4:] @ vector) * naive_penalties(held[4:], artists[4:]))
    return np.array(whole), np.array(test)


def naive_ndcg(similarity, queries, evaluation):
    """Mean over tag columns of the nDCG of lists that are sorted one by one."""
    found = []
    for given, row in zip(similarity, queries.rows, strict=True):
        others = [c for c in range(8) if evaluation.artists[c] != evaluation.artists[row]]
        ranked = sorted(others, key=lambda c: -given[c])[: evaluation.settings.k]
        values = [
            ndcg(np.array([ranked]), gains[[row]], evaluation.candidate_mask([row]))[0]
            for gains in evaluation.gains.values()
        ]
        found.append(np.nanmean(values))
    return np.array(found)


@pytest.mark.parametrize("weights", [None, {"sound": 0.1, "tempo": 0.9}])
@pytest.mark.parametrize("seed", range(4))
def test_the_table_is_what_loops_find(context, seed, weights):
    staged, queries = made_up(context, seed, weights=weights)
    evaluation = evaluation_of(staged)
    found = table(queries, staged, evaluation)
    assert found.columns.tolist() == [
        "degradation", "first (simlib)", "nDCG left (simlib)", "first (mfcc)", "nDCG left (mfcc)"
    ]  # fmt: skip
    assert found["degradation"].tolist() == [UNDEGRADED, "slight", "strong"]
    held = context.described
    before = {}
    for row in found.itertuples(index=False):
        cosines = cosine(context.standardised(queries.descriptors[row.degradation]), held)
        lists = {
            "simlib": naive_lists(staged, queries, row.degradation),
            "mfcc": (cosines, cosines[:, 4:]),
        }
        for column, (system, (whole, test)) in zip((1, 3), lists.items(), strict=True):
            first = np.mean(whole.argmax(axis=1) == 4 + queries.rows)
            assert value(row[column]) == pytest.approx(first, abs=6e-4)
            worth = naive_ndcg(test, queries, evaluation).mean()
            share = worth / before.setdefault(system, worth)
            assert value(row[column + 1]) == pytest.approx(share, abs=6e-4)


def test_undegraded_nothing_is_lost(context, queries):
    row = table(queries, context, evaluation_of(context)).iloc[0]
    assert row.tolist() == [UNDEGRADED, *["1.000 [1.000, 1.000]"] * 4]


def test_the_whole_catalogue_competes(context):
    """A query that has become a recording of a training artist finds that one."""
    staged, queries = made_up(context, 0)
    queries.vectors["strong"][:3] = staged.index.vectors()[:3]
    known = context.store.descriptors(context.index.tracks["descriptor"][:3])
    queries.descriptors["slight"][:] = queries.descriptors[UNDEGRADED]
    queries.descriptors["slight"][:3] = known
    queries.vectors["strong"][3:] = queries.vectors[UNDEGRADED][3:]
    found = table(queries, staged, evaluation_of(staged)).set_index("degradation")
    assert value(found.loc["strong", "first (simlib)"]) == pytest.approx(0.4)
    assert value(found.loc["slight", "first (mfcc)"]) == pytest.approx(0.4)


def test_a_sibling_by_the_same_artist_competes_too(context):
    staged, queries = made_up(context, 0)
    sibling = queries.rows ^ 1
    assert (staged.test["artist"][sibling].array == staged.test["artist"][queries.rows].array).all()
    queries.vectors["strong"][:] = staged.index.vectors()[4 + sibling]
    found = table(queries, staged, evaluation_of(staged)).set_index("degradation")
    assert value(found.loc["strong", "first (simlib)"]) == 0


def test_a_recording_whose_fingerprint_matches_comes_first_whatever_its_vector_is(context):
    staged, queries = made_up(context, 0)
    queries.vectors["strong"][:] = -staged.index.vectors()[4 + queries.rows]
    shown = np.random.default_rng(0).integers(-100, 100, (12, 60, 32)).astype(np.int8)
    settings = staged.index.settings.fingerprints
    staged.index.fingerprints = Fingerprints.of_all(shown, 10.0, settings)
    queries.fingerprints["strong"] = list(shown[4 + queries.rows])
    found = table(queries, staged, evaluation_of(staged)).set_index("degradation")
    assert value(found.loc["strong", "first (simlib)"]) == 1


def test_without_tags_only_rank_one_is_counted(context):
    staged, queries = made_up(context, 0)
    found = table(queries, staged, evaluation_of(staged, []))
    assert found.columns.tolist() == ["degradation", "first (simlib)", "first (mfcc)"]
    tagged = table(queries, staged, evaluation_of(staged))
    assert found["first (simlib)"].tolist() == tagged["first (simlib)"].tolist()


def test_if_nothing_is_relevant_no_share_is_reported(context):
    staged, queries = made_up(context, 0)
    tracks = staged.test.assign(mood=[f"mood {i}" for i in range(8)])
    evaluation = Evaluation(tracks, ["mood"], samples.evaluate_settings())
    found = table(queries, staged, evaluation)
    assert found["nDCG left (simlib)"].tolist() == [""] * 3
    assert (found["first (simlib)"] != "").all()


def test_a_query_to_which_nothing_is_relevant_counts_in_no_share(context):
    staged, queries = made_up(context, 1)
    moods = staged.test["mood"].tolist()
    moods[1] = "of its own"
    tracks = staged.test.assign(mood=moods)
    evaluation = Evaluation(tracks, ["mood"], samples.evaluate_settings())
    kept = queries.rows != 1
    vectors, descriptors = (
        {name: rows[kept] for name, rows in kind.items()}
        for kind in (queries.vectors, queries.descriptors)
    )
    fingerprints = {name: shown[: kept.sum()] for name, shown in queries.fingerprints.items()}
    without = DegradedQueries(queries.rows[kept], vectors, descriptors, fingerprints)
    for column in ("nDCG left (simlib)", "nDCG left (mfcc)"):
        found, expected = (table(q, staged, evaluation)[column] for q in (queries, without))
        assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_of_a_share_is_that_of_a_ratio(seed):
    """Beside a bootstrap that draws artists and divides anew each time."""
    rng = np.random.default_rng(seed)
    before = rng.uniform(0.3, 0.9, 120)
    after = before * rng.uniform(0.5, 1.0, 120)
    before[:4] = after[:4] = np.nan
    artists = np.array([f"artist {i // 3}" for i in range(120)], dtype=object)
    found = bootstrap(_share(after, before), artists, 4000, 0)
    ratios = []
    for _ in range(4000):
        drawn = np.concatenate([np.arange(3 * i, 3 * i + 3) for i in rng.integers(0, 40, 40)])
        ratios.append(np.nansum(after[drawn]) / np.nansum(before[drawn]))
    assert found["value"] == pytest.approx(np.nansum(after) / np.nansum(before), abs=1e-6)
    assert [found["low"], found["high"]] == pytest.approx(
        np.percentile(ratios, [2.5, 97.5]), abs=0.01
    )
