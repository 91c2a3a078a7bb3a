import dataclasses
import shutil

import numpy as np
import pandas as pd
import pytest
import samples
import soundfile as sf
import yaml
from samples import naive_penalties, naive_similarities

import simlib
from simlib.core import SimlibError
from simlib.features import decode
from simlib.index import penalise_hubs, similarity_percentile
from simlib.model import Embedder
from simlib.search import Searcher, agreement, by_any_subspace


@pytest.fixture(scope="module")
def searcher(built):
    return Searcher(built.root)


@pytest.fixture
def project(built, tmp_path):
    """A copy of the project that a test may change."""
    return shutil.copytree(built.root, tmp_path / "project")


# The list without any rule about artists.
ALL = {"per_artist": None, "own_artist": True}


def song(built, row):
    return built.root / "data" / built.index.tracks["path"][row]


# --- query -----------------------------------------------------------------------------------


def test_a_query_by_id_ranks_all_others_with_hub_penalties(built, searcher):
    found = searcher.query("s05", k=11, **ALL)
    assert found.columns.tolist() == [
        "rank", "track_id", "title", "artist", "tags", "auto_tags", "similarity", "closer_than",
        "query", "query_start", "query_end", "start", "end", "same_seconds", "near_duplicate",
        "why",
    ]  # fmt: skip
    assert found["rank"].tolist() == list(range(1, 12))
    vectors = built.index.vectors()
    artists = built.index.artists
    similarities = np.array(naive_similarities(vectors, artists)[5])
    ids = built.index.tracks["track_id"].to_numpy(dtype=object)
    expected = [i for i in ids[np.argsort(-similarities)] if i != "s05"]
    assert found["track_id"].tolist() == expected
    rows = [int(i[1:]) for i in found["track_id"]]
    np.testing.assert_allclose(found["similarity"], similarities[rows], atol=1e-4)
    assert found["title"].tolist() == [f"Song {row}" for row in rows]
    assert found["artist"].tolist() == [f"Artist {row // 2}" for row in rows]


def test_weights_rank_by_what_they_turn_up(built, searcher):
    """The hub correction counts under the same weights."""
    found = searcher.query("s05", k=11, weights={"sound": 0, "genre": 0}, **ALL)
    artists, tempo = built.index.artists, built.index.vectors()[:, 20:]
    tempo = tempo / np.linalg.norm(tempo, axis=1, keepdims=True)
    rows = [int(i[1:]) for i in found["track_id"]]
    expected = np.array(naive_similarities(tempo, artists)[5])[rows]
    np.testing.assert_allclose(found["similarity"], expected, atol=1e-4)
    assert found["similarity"].is_monotonic_decreasing
    default = searcher.query("s05", k=11, **ALL)
    assert default["track_id"].tolist() != found["track_id"].tolist()
    same = searcher.query("s05", k=11, weights=dict(built.index.weights), **ALL)
    assert same["track_id"].tolist() == default["track_id"].tolist()


def test_a_score_is_the_share_of_unrelated_pairs_that_are_less_similar(searcher):
    found = searcher.query("s05", k=11, **ALL)
    vector, artist = searcher.index.vectors()[5], searcher.index.artists[5]
    similarities = searcher.index.similarities(
        vector, [int(name[1:]) for name in found["track_id"]]
    )
    estimates = similarity_percentile(searcher.index, similarities, vector, artist)
    expected = 100 * searcher.calibration.closer_than(estimates)
    np.testing.assert_allclose(found["closer_than"], expected, atol=0.1)
    assert found["closer_than"].between(0, 99.9).all()


@pytest.mark.parametrize("outlier", [True, False])
def test_a_query_that_nothing_is_close_to_is_marked(built, outlier):
    searcher = Searcher(built.root)
    outlier_threshold = 2.0 if outlier else -2.0
    searcher.calibration = dataclasses.replace(
        searcher.calibration, outlier_threshold=outlier_threshold
    )
    assert searcher.query("s05").attrs["no_close_match"] is outlier
    assert len(searcher.query("s05", **ALL)) == 10, "the best of a bad lot"


@pytest.mark.parametrize(("k", "length"), [(1, 1), (3, 3), (11, 11), (12, 11), (500, 11)])
def test_a_track_is_never_listed_as_its_own_match(searcher, k, length):
    for track_id in ("s00", "s11"):
        found = searcher.query(track_id, k=k, **ALL)
        assert len(found) == length
        assert track_id not in found["track_id"].tolist()
        assert found["track_id"].is_unique


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_query_by_a_file_finds_the_same_recording_first(built, searcher, kind):
    found = searcher.query(kind(song(built, 3)), k=500, **ALL)
    assert len(found) == 12
    assert found["track_id"][0] == "s03"
    assert found["similarity"][0] == pytest.approx(1, abs=1e-3)
    assert found["similarity"].is_monotonic_decreasing
    assert found["similarity"].max() <= 1


def test_a_file_is_embedded_as_the_index_embeds_it(built, searcher):
    """One implementation of each step, or the two roads drift apart."""
    for row in range(3):
        vector = searcher.load_query(song(built, row)).vector
        np.testing.assert_allclose(vector, built.index.vectors()[row], atol=1e-5)


def test_a_query_by_ten_seconds_of_something_new(built, searcher, tmp_path):
    path = samples.write(tmp_path / "new.flac", samples.chord(10, 247, 44100), 44100)
    found = searcher.query(path, k=5, **ALL)
    assert len(found) == 5
    vector = searcher.load_query(path).vector
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    vectors, artists = built.index.vectors(), built.index.artists
    similarities = np.sort(1 - (1 - vectors @ vector) * naive_penalties(vectors, artists))[::-1]
    np.testing.assert_allclose(found["similarity"], similarities[:5], atol=1e-4)


@pytest.mark.parametrize("query", ["nothing", "s5", "x" * 5000, "a\0b", "a\nb", ""])
def test_an_unknown_query_is_refused_with_an_example(searcher, query, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SimlibError) as error:
        searcher.query(query)
    assert str(error.value).isprintable()
    if query:
        assert "neither a track id of the catalogue nor a file" in str(error.value)
        assert "'s00'" in str(error.value)


def test_a_folder_is_no_query(searcher, tmp_path):
    with pytest.raises(SimlibError, match="is not a regular file"):
        searcher.query(tmp_path)


@pytest.mark.parametrize("k", [0, -3])
def test_a_list_of_no_length_is_refused(searcher, k):
    with pytest.raises(SimlibError, match="ask for at least 1"):
        searcher.query("s00", k=k)


def test_too_short_a_query_is_refused_with_both_lengths(searcher, tmp_path):
    path = samples.write(tmp_path / "a.wav", samples.tone(0.05))
    with pytest.raises(SimlibError, match="s long, shorter than 0.5 s"):
        searcher.query(path)


def test_an_id_comes_before_a_file_of_that_name(searcher, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s04").write_text("not music")
    assert len(searcher.query("s04", k=3)) == 3


def test_weights_that_did_not_make_the_index_are_refused(built, project):
    other = Embedder.untrained(built.model.front_end, 0.5, built.model.architecture, 99)
    other.save(project / "models" / "encoder.safetensors")
    with pytest.raises(SimlibError, match="made with other weights.*run 'dvc repro index'"):
        Searcher(project)


def test_weights_that_change_after_the_index_was_loaded_are_refused(built, project):
    """The encoder is loaded with the first file, and a training may have ended by then."""
    searcher, opened_before = Searcher(project), Searcher(project)
    found = opened_before.query(song(built, 3), k=3)
    other = Embedder.untrained(built.model.front_end, 0.5, built.model.architecture, 99)
    other.save(project / "models" / "encoder.safetensors")
    with pytest.raises(SimlibError, match="changed after the index was loaded"):
        searcher.query(song(built, 3))
    assert opened_before.query(song(built, 3), k=3).equals(found), "has its encoder already"
    assert len(searcher.query("s03", k=3)) == 3, "needs no encoder"


def test_a_project_without_weights_or_index_names_the_command(project):
    shutil.rmtree(project / "index")
    with pytest.raises(SimlibError, match="run 'dvc repro index'"):
        Searcher(project)
    shutil.rmtree(project / "models")
    with pytest.raises(SimlibError, match="run 'make repro'"):
        Searcher(project)


def change_params(project, section, **values):
    path = project / "params.yaml"
    content = yaml.safe_load(path.read_text())
    content[section] |= values
    path.write_text(yaml.safe_dump(content))


def test_a_search_has_the_settings_of_its_project(project):
    change_params(project, "search", excerpt_seconds=1.0, matched_segments=1)
    changed = Searcher(project)
    query = changed.load_query("s03")
    start, end = changed.representative(query)
    assert end - start == pytest.approx(1.0)
    pd.testing.assert_frame_equal(changed.timeline("s03"), changed.timeline("s03", seconds=1.0))
    found = changed.query(query)
    length = changed.model.segment_seconds
    np.testing.assert_allclose(found["end"] - found["start"], length, atol=0.02)


def test_fewer_near_duplicate_candidates_are_compared(searcher, monkeypatch):
    compared, matches = [], searcher.index.fingerprints.matches
    spied = lambda one, rows: compared.append(len(rows)) or matches(one, rows)  # noqa: E731
    monkeypatch.setattr(searcher.index.fingerprints, "matches", spied)
    searcher.query("s03")
    settings = samples.search_settings(near_duplicate_candidates=4)
    monkeypatch.setattr(searcher, "settings", settings)
    searcher.query("s03")
    assert compared == [11, 4]


def test_parameters_without_settings_of_a_search_are_refused(project):
    path = project / "params.yaml"
    content = yaml.safe_load(path.read_text())
    content["search"]["excerpt"] = content["search"].pop("excerpt_seconds")
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(SimlibError, match="params.yaml, section search: unknown key 'excerpt'"):
        Searcher(project)
    del content["search"]
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(SimlibError, match="params.yaml, section search: .*restore its keys"):
        Searcher(project)


def test_the_short_form_notices_other_settings(project, monkeypatch):
    monkeypatch.chdir(project)
    before = simlib.query(["s01", "s07"], k=3)
    change_params(project, "search", excerpt="no key")
    with pytest.raises(SimlibError, match="section search"):
        simlib.query(["s01", "s07"], k=3)
    assert len(before) == 3


def test_the_short_form_loads_once_and_again_when_the_project_changed(built, project, monkeypatch):
    monkeypatch.chdir(project)
    loaded = []
    monkeypatch.setattr(
        "simlib.search.searcher.Searcher", lambda root: loaded.append(root) or Searcher(root)
    )
    first = simlib.query("s01", k=4)
    assert simlib.query("s01", k=4).to_dict() == first.to_dict()
    assert loaded == [project]
    assert first.to_dict() == Searcher(built.root).query("s01", k=4).to_dict()
    other = Embedder.untrained(built.model.front_end, 0.5, built.model.architecture, 99)
    other.save(project / "models" / "encoder.safetensors")
    with pytest.raises(SimlibError, match="made with other weights"):
        simlib.query("s01")


# --- queries, seconds, control -----------------------------------------------------------------


def test_a_query_is_the_same_from_any_source(built, searcher):
    path = song(built, 3)
    by_file = searcher.load_query(path)
    samples_, rate = sf.read(path, dtype="float32")
    others = [path.read_bytes(), (samples_, rate), (np.stack([samples_] * 2, axis=1), rate)]
    for other in map(searcher.load_query, others):
        np.testing.assert_allclose(other.vector, by_file.vector, atol=1e-3)
        assert other.row is None
    assert by_file.name == path.name
    assert searcher.load_query("s03").row == 3
    assert searcher.load_query(by_file) is by_file


def test_seconds_of_a_track_and_of_its_file_are_the_same(built, searcher):
    track = searcher.load_query("s03", start=0.5, end=2.0)
    file = searcher.load_query(song(built, 3), start=0.5, end=2.0)
    np.testing.assert_allclose(track.starts, file.starts, atol=0.05)
    assert track.starts[0] == 0.5
    # The first frame of the one has seen what was before it.
    assert (track.segments * file.segments).sum(axis=1).min() > 0.8
    assert np.abs(track.vector - searcher.load_query("s03").vector).max() > 1e-3
    assert searcher.query("s03", start=0.5, end=2.0)["query_start"].min() >= 0.5


@pytest.mark.parametrize(
    ("query", "start", "end", "message"),
    [
        ("s03", -1.0, None, "let it end after it starts"),
        ("s03", 2.0, 1.0, "let it end after it starts"),
        ("s03", 2.5, 2.6, "Song 3: has 0.10 s.*choose 0.5 s or more of its 2.8 s"),
        ("s03", 99.0, None, "choose 0.5 s or more"),
        ("s03", float("nan"), None, "let it end after it starts"),
        ("s03", 0.0, float("nan"), "let it end after it starts"),
        ("s03", float("inf"), None, "let it end after it starts"),
        ("s03", "1", None, "let it end after it starts"),
        (["s03", "s04"], 1.0, 2.0, "of one query; give each its own"),
        (None, None, None, "a NoneType is no recording; give a track id"),
        (7, None, None, "a int is no recording"),
        ([["s03"]], None, None, "a list is no recording"),
        ((np.zeros((2, 8000)), 8000), None, None, "the samples: cannot be used .*shape"),
        ((np.zeros(8000), 0), None, None, "the samples: cannot be used .a rate of 0 Hz"),
        (b"no music", None, None, "the uploaded file: cannot be decoded"),
        (b"", None, None, "the uploaded file: is empty"),
        (("text", 8000), None, None, "the samples: cannot be used"),
        ((np.zeros(8000), 8000), None, None, "the samples: is silent"),
        ((np.full(8000, np.nan), 8000), None, None, "the samples: holds samples that are not"),
    ],
)
def test_what_cannot_be_searched_with_is_refused(searcher, query, start, end, message):
    with pytest.raises(SimlibError, match=message):
        searcher.query(query, start=start, end=end)


def test_the_representative_seconds_lie_inside_the_query(searcher):
    whole = searcher.load_query("s03")
    assert searcher.representative(whole, 100.0) == (0.0, whole.end)
    part = searcher.load_query("s03", start=0.5)
    start, end = searcher.representative(part, 1.0)
    assert 0.5 <= start < end <= part.end
    assert end - start == pytest.approx(1.0, abs=0.3)


def test_why_is_the_similarity_before_hub_penalties(built, searcher):
    found = searcher.query("s05", k=11, **ALL)
    rows = [int(i[1:]) for i in found["track_id"]]
    cosines = built.index.vectors()[rows] @ built.index.vectors()[5]
    np.testing.assert_allclose([sum(w.values()) for w in found["why"]], cosines, atol=1e-3)
    assert all(list(w) == ["sound", "genre", "tempo"] for w in found["why"])


def test_seconds_that_match_lie_inside_both_recordings(searcher):
    found = searcher.query("s05", k=11, **ALL)
    assert (found["start"] < found["end"]).all()
    assert (found["query_start"] < found["query_end"]).all()
    seconds = searcher.tracks.set_index("track_id")["seconds"]
    assert (found["end"] <= seconds[found["track_id"]].to_numpy() + 0.01).all()
    assert (found["query_end"] <= seconds["s05"] + 0.01).all()


def test_by_default_no_artist_comes_twice_nor_the_querys_own(searcher):
    found = searcher.query("s05")
    assert "Artist 2" not in found["artist"].tolist()
    assert found["artist"].is_unique
    assert len(found) == 5
    assert searcher.query("s05", per_artist=2)["artist"].value_counts().max() == 2
    own = searcher.query("s05", own_artist=True)
    assert len(own) == 6
    assert "s04" in own["track_id"].tolist()


def test_a_filter_never_shortens_the_list_while_matches_exist(searcher, monkeypatch):
    """Also where what meets it lies beyond the candidates that are ranked first."""
    few = searcher.index.settings.model_copy(update={"candidates": 1})
    monkeypatch.setattr(searcher.index, "settings", few)
    found = searcher.query("s00", 10, where=["genre=drums"], **ALL)
    assert sorted(found["track_id"]) == ["s02", "s03", "s06", "s07", "s10", "s11"]
    assert found["similarity"].is_monotonic_decreasing
    both = searcher.query("s00", 10, where=["genre=drums", "mood=wild"], **ALL)
    assert sorted(both["track_id"]) == ["s02", "s03", "s10", "s11"]
    assert len(searcher.query("s00", where=["genre=polka"])) == 0


def test_a_filter_on_no_column_names_those_there_are(searcher):
    with pytest.raises(SimlibError, match="there are .*title.*artist.*genre.*mood"):
        searcher.query("s00", where=["gender=x"])


def test_dissimilar_search_begins_with_the_farthest(built, searcher):
    nearest = searcher.query("s05", 11, **ALL)["track_id"].tolist()
    assert searcher.query("s05", 11, farthest=True, **ALL)["track_id"].tolist() == nearest[::-1]


def test_several_queries_are_left_out_and_so_is_what_is_not_wanted(searcher):
    found = searcher.query(["s00", "s02"], 12, unlike=["s04"], **ALL)
    assert len(found) == 9
    assert not {"s00", "s02", "s04"} & set(found["track_id"])
    assert set(found["query"]) <= {"Song 0", "Song 2"}
    similar = searcher.query(["s00", "s02"], 12, **ALL)["track_id"].tolist()
    closest = searcher.query("s04", 1, **ALL)["track_id"][0]
    unlike = searcher.query(["s00", "s02"], 12, unlike=["s04"], **ALL)["track_id"].tolist()
    assert unlike.index(closest) >= [i for i in similar if i != "s04"].index(closest)


def test_several_queries_rank_by_agreement_less_what_is_not_wanted(searcher):
    """The ranking by its definition, from the subspaces of the vectors only."""
    index = searcher.index
    rows = np.array([row for row in range(12) if row not in (6, 10, 4)])
    penalties = index.hub_penalties(rows, index.weights)

    def similarity(row):
        by_subspace = penalise_hubs(
            index.similarities_by_subspace(index.vectors_of([row])[0], rows), penalties
        )
        return by_any_subspace(by_subspace, list(index.weights.values()), 0.5)

    agreed = agreement(np.array([similarity(6), similarity(10)]), 0.8)
    for unlike, scores in ((None, agreed), (["s04"], agreed - np.maximum(similarity(4), 0.0))):
        where = [] if unlike else ["track_id!=s04"]
        found = searcher.query(["s06", "s10"], 12, unlike=unlike, where=where, **ALL)
        expected = [f"s{row:02d}" for row in rows[np.argsort(-scores, kind="stable")]]
        assert found["track_id"].tolist() == expected
    assert not np.array_equal(np.argsort(agreed), np.argsort(similarity(6) + similarity(10)))


def test_a_diverse_list_begins_with_the_most_similar_and_differs(searcher):
    plain = searcher.query("s05", 5, **ALL)
    varied = searcher.query("s05", 5, diversity=0.9, **ALL)
    assert varied["track_id"][0] == plain["track_id"][0]

    def mean_similarity(found):
        rows = [int(i[1:]) for i in found["track_id"]]
        vectors = searcher.index.vectors()[rows]
        return (vectors @ vectors.T).mean()

    assert mean_similarity(varied) < mean_similarity(plain)


def test_a_diverse_list_is_as_long_as_the_artists_allow(searcher, monkeypatch):
    monkeypatch.setattr(searcher, "settings", samples.search_settings(diversity_pool=1))
    found = searcher.query("s05", 5, diversity=0.5)
    assert len(found) == 5
    assert found["artist"].is_unique


def test_one_condition_and_one_unwanted_query_need_no_list(searcher):
    found = searcher.query("s00", where="genre=drums", unlike="s02")
    several = searcher.query(["s00"], where=["genre=drums"], unlike=["s02"])
    assert found["track_id"].tolist() == several["track_id"].tolist()


@pytest.mark.parametrize(
    "options",
    [
        {"per_artist": 0}, {"per_artist": float("nan")}, {"diversity": -0.1}, {"diversity": 1.1},
        {"diversity": None}, {"weights": {"x": 1}}, {"k": 2.5}, {"k": "3"}, {"unlike": ""},
    ],
)  # fmt: skip
def test_controls_out_of_range_are_refused(searcher, options):
    with pytest.raises(SimlibError):
        searcher.query("s00", **options)


@pytest.mark.parametrize("seconds", [0.0, 0.01, float("nan"), float("inf"), "2"])
def test_excerpts_of_no_length_are_refused(searcher, seconds):
    with pytest.raises(SimlibError, match=r"give 0\.5 s or more"):
        searcher.timeline("s00", seconds)


def test_a_query_has_its_seconds_already(searcher):
    with pytest.raises(SimlibError, match="is a query already"):
        searcher.query(searcher.load_query("s00"), start=0.5, end=1.5)


def test_whole_numbers_and_views_of_bytes_are_as_good(built, searcher):
    path = song(built, 3)
    whole, rate = sf.read(path, dtype="int16")
    expected = searcher.load_query(path).vector
    for source in ((whole, rate), bytearray(path.read_bytes()), memoryview(path.read_bytes())):
        np.testing.assert_allclose(searcher.load_query(source).vector, expected, atol=1e-3)


def test_no_query_at_all_is_refused(searcher):
    with pytest.raises(SimlibError, match="give one that results are to be similar to"):
        searcher.query([])


def test_a_mix_is_answered_excerpt_by_excerpt(built, searcher, tmp_path):
    parts = [sf.read(song(built, row))[0] for row in (1, 9)]
    path = samples.write(tmp_path / "mix.wav", np.concatenate([np.tile(x, 3) for x in parts]))
    found = searcher.timeline(path, seconds=2.25)
    assert found["track_id"].iloc[[0, -1]].tolist() == ["s01", "s09"]
    assert found["excerpt_start"].iloc[0] == 0
    assert found["excerpt_end"].iloc[-1] == pytest.approx(13.5, abs=0.1)
    assert (found["excerpt_end"].to_numpy()[:-1] == found["excerpt_start"].to_numpy()[1:]).all()
    answers = found[["track_id", "no_close_match"]].apply(tuple, axis=1).to_numpy()
    assert (answers[:-1] != answers[1:]).all()
    by_id = searcher.timeline("s02", seconds=1.0)
    assert "s02" not in by_id["track_id"].tolist()


def test_a_row_of_several_excerpts_is_the_most_similar_of_them(searcher, built, tmp_path):
    sounds = [sf.read(song(built, row))[0] for row in (1, 9)]
    path = samples.write(tmp_path / "mix.wav", np.concatenate([np.tile(x, 3) for x in sounds]))
    recording = searcher.load(path)
    length = 24 / searcher.model.front_end.frame_rate
    found = searcher.timeline(recording, length)
    excerpts = [(i * length, (i + 1) * length) for i in range(17)]
    single = [searcher.query(recording, 1, start=a, end=b).iloc[0] for a, b in excerpts]
    for row in found.iloc[:-1].itertuples():
        inside = [
            one.similarity
            for (start, end), one in zip(excerpts, single, strict=True)
            if row.excerpt_start - 0.01 <= start and end <= row.excerpt_end + 0.01
        ]
        assert row.similarity == max(inside)
    assert len(found) < 17, "some excerpts in a row have one answer"


def test_conditions_hold_for_every_excerpt(searcher):
    conditions = (condition for condition in ["genre=drums"])
    found = searcher.timeline("s00", seconds=0.5, where=conditions)
    assert set(found["tags"].str.split(", ").str[0]) == {"drums"}


def test_excerpts_without_a_close_match_are_marked(searcher, monkeypatch):
    outlier_threshold = dataclasses.replace(searcher.calibration, outlier_threshold=2.0)
    monkeypatch.setattr(searcher, "calibration", outlier_threshold)
    assert searcher.timeline("s00", seconds=0.5)["no_close_match"].all()


# --- near-duplicates -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known(longer):
    return Searcher(longer.root)


def test_the_recording_itself_comes_first_and_its_artist_is_left_out(longer, known):
    samples_ = decode(song(longer, 3), samples.RATE)
    again = 0.3 * np.repeat(samples_, 2)
    found = known.query((again, 2 * samples.RATE))
    assert found["track_id"].iloc[0] == "s03"
    assert found["near_duplicate"].tolist() == [True] + [False] * (len(found) - 1)
    assert found["same_seconds"].iloc[0] == pytest.approx(8.0, abs=0.5)
    # By the recording the artist is known: it is the query's own.
    assert "s02" not in found["track_id"].tolist()
    everyone = known.query((again, 2 * samples.RATE), own_artist=True, per_artist=None)
    assert "s02" in everyone["track_id"].tolist()


def test_an_excerpt_is_found_at_its_seconds_in_both_recordings(longer, known, tmp_path):
    hidden = decode(song(longer, 5), samples.RATE, start=2.0, end=6.0)
    host = samples.melody(6.0, 99)
    path = samples.write(tmp_path / "host.wav", np.concatenate([host, hidden, host[:16000]]))
    # All of it, and seconds of it that begin before the excerpt.
    for start, end in ((None, None), (3.0, 11.0)):
        first = known.query(path, 1, start=start, end=end).iloc[0]
        assert first["track_id"] == "s05"
        assert first["same_seconds"] == pytest.approx(4.0, abs=0.6)
        assert first["query_start"] == pytest.approx(6.0, abs=0.4)
        assert first["query_end"] == pytest.approx(10.0, abs=0.4)
        assert first["start"] == pytest.approx(2.0, abs=0.4)
        assert first["end"] == pytest.approx(6.0, abs=0.4)


def test_a_list_that_near_duplicates_fill_has_no_room_for_variety(longer, known):
    found = known.query(song(longer, 3), 1, diversity=0.5)
    assert found["track_id"].tolist() == ["s03"]
    assert known.query("s03", where="genre=polka", diversity=0.5).empty


def test_playlists_go_by_track_ids(searcher):
    found = searcher.path("s00", "s05", steps=2)
    assert found["track_id"].iloc[[0, -1]].tolist() == ["s00", "s05"]
    assert len(found) == 3
    assert searcher.radio("s00", 4)["track_id"][0] == "s00"
    with pytest.raises(SimlibError, match="is no track of the catalogue"):
        searcher.path("s00", "nobody")
