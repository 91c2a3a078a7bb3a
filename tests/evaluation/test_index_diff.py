"""What a retrain changed: the ranked lists of two indexes."""

import ast
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import samples
import yaml
from hypothesis import given
from hypothesis import strategies as st
from project import Project, write_music, write_table
from samples import naive_similarities, unit

from simlib.core import SimlibError
from simlib.evaluation import (
    BEFORE_FOLDER,
    IndexComparison,
    before_and_after,
    by_chance,
    by_tag,
    diff_headline,
    diff_summary,
    kept_shares,
    moved_queries,
    skewness,
)

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = samples.evaluate_settings(k=3)
SEEDS = st.integers(0, 2**32 - 1)


def index_of(tracks, seed):
    """An index of random embeddings; a track of another seed lies elsewhere."""
    return samples.index_of(unit(len(tracks), seed), tracks)


def catalogue(count=16, **columns):
    """Tracks by half as many artists, with two tag columns."""
    known = {
        "artist": [f"artist {row // 2}" for row in range(count)],
        "genre": [("rock", "jazz;folk", "")[row // 2 % 3] for row in range(count)],
        "mood": [("calm", "wild")[row // 4 % 2] for row in range(count)],
    }
    return samples.tracks(count, **(known | columns))


def compared(seed=0, settings=SETTINGS, **columns):
    tracks = catalogue(**columns)
    return IndexComparison(index_of(tracks, seed), index_of(tracks, seed + 1), settings)


def ids_of(comparison, rows):
    return comparison.evaluation.tracks["track_id"].iloc[rows].tolist()


# --- the comparison --------------------------------------------------------------------------


@given(SEEDS, st.integers(2, 20))
def test_lists_are_of_what_both_have_as_if_that_were_the_catalogue(seed, shared):
    """Rows in any order, recordings that only one of the two has, a naive ranking."""
    rng = np.random.default_rng(seed)
    table = catalogue(30)
    order = rng.permutation(30)
    both, gone, new = np.split(order, [shared, shared + 4])
    if table["artist"].iloc[both].nunique() < 2:
        return
    splits = [table.iloc[rng.permutation(np.concatenate([both, only]))] for only in (gone, new)]
    before, after = index_of(splits[0], seed), index_of(splits[1], seed + 1)
    comparison = IndexComparison(before, after, SETTINGS)
    assert (comparison.kept, comparison.gone, comparison.new) == (shared, 4, 26 - shared)
    names = comparison.evaluation.tracks["track_id"].tolist()
    assert sorted(names) == sorted(table["track_id"].iloc[both])
    artists = comparison.evaluation.tracks["artist"].tolist()
    for index, lists in zip((before, after), comparison.lists, strict=True):
        known = index.tracks["track_id"].tolist()
        vectors = index.vectors()[[known.index(name) for name in names]]
        similarity = naive_similarities(vectors, artists)
        for query in range(shared):
            others = [row for row in range(shared) if artists[row] != artists[query]]
            near = {row: similarity[query][row] for row in others}
            expected = sorted(near.values(), reverse=True)[:3]
            listed = [row for row in lists.ranked[query] if row >= 0]
            np.testing.assert_allclose([near[row] for row in listed], expected, atol=1e-5)


@given(SEEDS, st.integers(1, 6))
def test_the_overlap_is_the_share_of_a_list_that_is_in_the_other(seed, k):
    rng = np.random.default_rng(seed)
    before, after = (
        np.stack([rng.permutation(8)[:k] for _ in range(5)]).astype(np.int64) for _ in range(2)
    )
    before[1:, k - 1] = after[1:, k - 1] = -1
    before[0], after[0] = -1, -1
    found = kept_shares(before, after)
    assert np.isnan(found[0])
    for row in range(1, 5):
        first, second = (set(lists[row].tolist()) - {-1} for lists in (before, after))
        if first:
            assert found[row] == pytest.approx(len(first & second) / len(first))
        else:
            assert np.isnan(found[row])


def test_the_tables_are_those_of_the_later_index():
    tracks = catalogue()
    renamed = tracks.assign(title="new name")
    comparison = IndexComparison(index_of(tracks, 0), index_of(renamed, 1), SETTINGS)
    assert set(comparison.evaluation.tracks["title"]) == {"new name"}


def test_of_many_recordings_a_sample_is_compared_whatever_their_order():
    settings = samples.evaluate_settings(k=3, most_tracks=6)
    comparison = compared(settings=settings)
    tracks = catalogue()
    turned = index_of(tracks, 0), index_of(tracks.iloc[::-1], 1)
    found = [ids_of(c, slice(None)) for c in (comparison, IndexComparison(*turned, settings))]
    assert len(found[0]) == 6
    assert found[1] == found[0][::-1]
    assert comparison.kept == 16
    table = diff_summary(comparison).set_index("measure")["value"]
    assert (table["recordings in both"], table["lists compared"]) == (16, 6)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_two_artists_in_common_cannot_be_compared(count):
    tracks = catalogue()
    other = tracks.assign(
        track_id=[f"t{row:02d}" if row < count else f"x{row}" for row in range(16)]
    )
    with pytest.raises(SimlibError, match=f"have {count} recording.*not by two artists; name a"):
        IndexComparison(index_of(tracks, 0), index_of(other, 1), SETTINGS)


# --- headline and figures --------------------------------------------------------------------


def test_the_headline_of_the_same_index_twice():
    tracks = catalogue()
    comparison = IndexComparison(index_of(tracks, 5), index_of(tracks, 5), SETTINGS)
    expected = "Nothing has changed in the lists since v1: all 16 are as they were."
    assert diff_headline(comparison, "v1") == expected
    assert moved_queries(comparison, 5) == []
    table = diff_summary(comparison).set_index("measure")["value"]
    assert table["lists as they were, in order"] == 16
    assert table["share of a list that stayed: mean"] == 1
    assert set(by_tag(comparison)["stayed"]) == {1.0}


def test_what_joined_and_left_is_counted_beside_unchanged_lists():
    tracks = catalogue()
    vectors = unit(16, 5)
    before, after = index_of(tracks.iloc[:15], 5), index_of(tracks.iloc[:15], 5)
    assert "joined" not in diff_headline(IndexComparison(before, after, SETTINGS), "v1")
    after.tracks.loc[14, "track_id"] = "new"
    comparison = IndexComparison(before, after, SETTINGS)
    np.testing.assert_array_equal(before.vectors()[:14], vectors[:14])
    assert diff_headline(comparison, "v1") == (
        "Nothing has changed in the lists since v1: all 14 are as they were. "
        "1 recording(s) have joined since, 1 have left."
    )


def test_the_headline_of_a_changed_index_has_the_share_that_stayed():
    comparison = compared()
    kept = comparison.kept_shares
    before, after = (lists.ranked for lists in comparison.lists)
    same = sum(list(b) == list(a) for b, a in zip(before, after, strict=True))
    assert 0 < kept.mean() < 1, "the example has both"
    # Three of the 14 by other artists.
    assert diff_headline(comparison, "v1") == (
        f"Since v1, {kept.mean():.0%} of a list's recordings have stayed in it on average, where "
        f"chance would keep {3 / 14:.0%}; {same} of 16 lists are as they were."
    )
    table = diff_summary(comparison).set_index("measure")["value"]
    assert table["share of a list that stayed: mean"] == pytest.approx(kept.mean())
    for percent in (10, 50, 90):
        expected = np.percentile(kept, percent)
        assert table[f"{percent}% of lists keep at most"] == pytest.approx(expected)
    assert table["lists with the same recordings"] == np.sum(kept == 1)
    for name, lists in (("before", before), ("after", after)):
        counts = [int(np.sum(lists == row)) for row in range(16)]
        assert table[f"hub skew@3 {name}"] == pytest.approx(skewness(counts))


def test_the_same_recordings_in_another_order_are_a_change():
    settings = samples.evaluate_settings(k=99)
    comparison = compared(settings=settings)
    assert (comparison.kept_shares == 1).all(), "a list of all others loses nothing"
    assert diff_headline(comparison, "v1").startswith("Since v1, 100% of a list's")
    assert moved_queries(comparison, 5) == []


def test_chance_is_what_lists_at_random_have_in_common():
    comparison = compared()
    rng = np.random.default_rng(0)
    shares = []
    for row in range(16):
        others = np.flatnonzero(comparison.evaluation.candidate_mask([row])[0])
        for _ in range(200):
            one, two = (set(rng.choice(others, 3, replace=False)) for _ in range(2))
            shares.append(len(one & two) / 3)
    assert by_chance(comparison) == pytest.approx(np.mean(shares), abs=0.02)


def test_a_tag_has_the_mean_of_its_recordings():
    comparison = compared(genre=["Rock;pop"] * 6 + ["rock; jazz"] * 4 + [""] * 6)
    table = by_tag(comparison)
    kept = comparison.kept_shares
    expected = {"rock": kept[:10], "pop": kept[:6], "jazz": kept[6:10]}
    assert table.columns.tolist() == ["genre", "recordings", "stayed"]
    found = {row.genre: (row.recordings, row.stayed) for row in table.itertuples()}
    assert set(found) == set(expected)
    for tag, values in expected.items():
        assert found[tag] == (len(values), pytest.approx(values.mean()))
    assert table["stayed"].is_monotonic_increasing
    assert set(by_tag(comparison, most=2)["genre"]) == {"rock", "pop"}


def test_without_tag_columns_there_is_no_table_of_tags():
    titles = [f"only {row}" for row in range(16)]
    assert by_tag(compared(genre=titles, mood=titles)).empty


# --- where to listen -------------------------------------------------------------------------


@given(SEEDS)
def test_the_lists_that_kept_least_come_first_one_by_an_artist(seed):
    comparison = compared(seed)
    before, after = (lists.ranked for lists in comparison.lists)
    now = comparison.similarities[1][np.arange(16)]
    ids = ids_of(comparison, slice(None))

    def distance(row):
        shared = len(set(before[row]) & set(after[row]))
        return shared, now[row, before[row]].sum(), ids[row]

    ranked = sorted((row for row in range(16) if distance(row)[0] < 3), key=distance)
    expected, artists = [], set()
    for row in ranked:
        if row // 2 not in artists:
            expected.append(row)
            artists.add(row // 2)
    assert moved_queries(comparison, 99) == expected
    assert moved_queries(comparison, 2) == expected[:2]


def test_both_lists_have_the_ranks_in_the_other_one():
    comparison = compared()
    for query in range(16):
        first, second = (ids_of(comparison, lists.ranked[query]) for lists in comparison.lists)
        before, after = before_and_after(comparison, query)
        assert before["track_id"].tolist() == first
        assert after["track_id"].tolist() == second
        assert before["after"].tolist() == [
            f"now {second.index(t) + 1}" if t in second else "went" for t in first
        ]
        assert after["before"].tolist() == [
            f"was {first.index(t) + 1}" if t in first else "came" for t in second
        ]
        assert {"path", "title", "artist", "similarity", "shares"} <= set(before)


# --- the notebook ----------------------------------------------------------------------------


def test_the_notebook_begins_with_what_params_yaml_says():
    cells = json.loads((ROOT / "notebooks" / "changes.ipynb").read_text())["cells"]
    (cell,) = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
    tree = ast.parse("".join(cell["source"]))
    values = {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body}
    assert values["evaluate"] == yaml.safe_load((ROOT / "params.yaml").read_text())["evaluate"]
    assert values["changes"]["before"] == BEFORE_FOLDER


def test_a_training_is_compared_with_the_committed_run(tmp_path):
    write_music(tmp_path / "music" / "audio", artists=6)
    write_table(tmp_path / "music", {})
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project")
    project.make("catalogue", f"FROM={tmp_path / 'music'}")
    project.run("dvc", "repro", "--quiet", "index")
    project.git("add", ".")
    author = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
    project.git(*author, "commit", "--quiet", "-m", "the first run")
    project.set({"train": {"backbones": []}})
    project.run("dvc", "repro", "--quiet", "index")
    output = project.make("changes")
    page = project.folder / "reports" / "changes.html"
    assert output.strip().splitlines()[-1] == f"The report: {page}"
    text = page.read_text()
    assert "Since HEAD (" in text
    assert "18 lists are as they were" in text
    assert "song 3-1" in text and "went" in text and "came" in text
    assert text.count("<audio") > 10
    assert "import simlib" not in text, "code is hidden"
    tracked = subprocess.run(
        ["git", "status", "--porcelain"], cwd=project.folder, capture_output=True, text=True
    ).stdout
    assert sorted(line[3:] for line in tracked.splitlines()) == ["dvc.lock", "params.yaml"]
    refused = project.make("changes", "REV=nosuch", succeeds=False)
    assert "simlib: nosuch: is no revision of this project" in refused
    assert "Traceback" not in refused
