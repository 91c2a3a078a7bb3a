import dataclasses
import shutil

import numpy as np
import pytest
import samples
from samples import naive_handicaps, naive_similarities

import simlib
from simlib import search
from simlib.artefacts import SimlibError, digest_of_file
from simlib.model import Model
from simlib.search import Searcher, embed


@pytest.fixture(scope="module")
def searcher(built):
    return Searcher(built.root)


@pytest.fixture
def project(built, tmp_path):
    """A copy of the project that a test may change."""
    return shutil.copytree(built.root, tmp_path / "project")


def song(built, row):
    return built.root / "data" / built.index.tracks["path"][row]


# --- query -----------------------------------------------------------------------------------


def test_a_query_by_id_ranks_all_others_with_hubs_set_back(built, searcher):
    found = searcher.query("s05", k=11)
    assert found.columns.tolist() == [
        "rank", "track_id", "title", "artist", "similarity", "closer_than",
    ]  # fmt: skip
    assert found["rank"].tolist() == list(range(1, 12))
    vectors = built.index.vectors()
    artists = built.index.artists
    proximities = np.array(naive_similarities(vectors, artists)[5])
    ids = built.index.tracks["track_id"].to_numpy(dtype=object)
    expected = [i for i in ids[np.argsort(-proximities)] if i != "s05"]
    assert found["track_id"].tolist() == expected
    rows = [int(i[1:]) for i in found["track_id"]]
    np.testing.assert_allclose(found["similarity"], proximities[rows], atol=1e-4)
    assert found["title"].tolist() == [f"Song {row}" for row in rows]
    assert found["artist"].tolist() == [f"Artist {row // 2}" for row in rows]


def test_weights_rank_by_what_they_turn_up(built, searcher):
    """The hub correction counts under the same weights."""
    found = searcher.query("s05", k=11, weights={"sound": 0, "genre": 0})
    artists, tempo = built.index.artists, built.index.vectors()[:, 20:]
    tempo = tempo / np.linalg.norm(tempo, axis=1, keepdims=True)
    rows = [int(i[1:]) for i in found["track_id"]]
    expected = np.array(naive_similarities(tempo, artists)[5])[rows]
    np.testing.assert_allclose(found["similarity"], expected, atol=1e-4)
    assert found["similarity"].is_monotonic_decreasing
    default = searcher.query("s05", k=11)
    assert default["track_id"].tolist() != found["track_id"].tolist()
    same = searcher.query("s05", k=11, weights=dict(built.index.weights))
    assert same["track_id"].tolist() == default["track_id"].tolist()


def test_a_score_tells_how_many_unrelated_pairs_are_less_near(searcher):
    found = searcher.query("s05", k=11)
    expected = 100 * searcher.calibration.closer_than(found["similarity"])
    np.testing.assert_allclose(found["closer_than"], expected, atol=0.1)
    assert found["closer_than"].between(0, 100).all()


@pytest.mark.parametrize("alone", [True, False])
def test_a_reference_that_nothing_is_close_to_is_told(built, alone):
    searcher = Searcher(built.root)
    floor = 2.0 if alone else -2.0
    searcher.calibration = dataclasses.replace(searcher.calibration, floor=floor)
    assert searcher.query("s05").attrs["nothing_close"] is alone
    assert len(searcher.query("s05")) == 10, "the best of a bad lot"


@pytest.mark.parametrize(("k", "length"), [(1, 1), (3, 3), (11, 11), (12, 11), (500, 11)])
def test_a_track_is_never_listed_as_its_own_match(searcher, k, length):
    for track_id in ("s00", "s11"):
        found = searcher.query(track_id, k=k)
        assert len(found) == length
        assert track_id not in found["track_id"].tolist()
        assert found["track_id"].is_unique


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_query_by_a_file_finds_the_same_recording_first(built, searcher, kind):
    found = searcher.query(kind(song(built, 3)), k=500)
    assert len(found) == 12
    assert found["track_id"][0] == "s03"
    assert found["similarity"][0] == pytest.approx(1, abs=1e-3)
    assert found["similarity"].is_monotonic_decreasing
    assert found["similarity"].max() <= 1


def test_a_file_is_embedded_as_the_index_embeds_it(built, searcher):
    """One implementation of each step, or the two roads drift apart."""
    for row in range(3):
        vector = searcher.embed(song(built, row))
        np.testing.assert_allclose(vector, built.index.vectors()[row], atol=1e-5)


def test_a_query_by_ten_seconds_of_something_new(built, searcher, tmp_path):
    path = samples.write(tmp_path / "new.flac", samples.chord(10, 247, 44100), 44100)
    found = searcher.query(path, k=5)
    assert len(found) == 5
    vector = searcher.embed(path)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    vectors, artists = built.index.vectors(), built.index.artists
    proximities = np.sort(1 - (1 - vectors @ vector) * naive_handicaps(vectors, artists))[::-1]
    np.testing.assert_allclose(found["similarity"], proximities[:5], atol=1e-4)


@pytest.mark.parametrize("reference", ["nothing", "s5", "x" * 5000, "a\0b", "a\nb", ""])
def test_an_unknown_reference_is_refused_with_an_example(
    searcher, reference, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SimlibError) as error:
        searcher.query(reference)
    assert str(error.value).isprintable()
    if reference:
        assert "neither a track id of the catalogue nor a file" in str(error.value)
        assert "'s00'" in str(error.value)


def test_a_folder_is_no_reference(searcher, tmp_path):
    with pytest.raises(SimlibError, match="is not a regular file"):
        searcher.query(tmp_path)


@pytest.mark.parametrize("k", [0, -3])
def test_a_list_of_no_length_is_refused(searcher, k):
    with pytest.raises(SimlibError, match="ask for at least 1"):
        searcher.query("s00", k=k)


def test_too_short_a_reference_is_refused_with_both_lengths(searcher, tmp_path):
    path = samples.write(tmp_path / "a.wav", samples.tone(0.05))
    with pytest.raises(SimlibError, match="s long, shorter than 0.5 s"):
        searcher.query(path)


def test_an_id_comes_before_a_file_of_that_name(searcher, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s04").write_text("not music")
    assert len(searcher.query("s04", k=3)) == 3


def test_weights_that_did_not_make_the_index_are_refused(built, project):
    other = Model.untrained(built.model.front_end, 0.5, built.model.architecture, 99)
    other.save(project / "models" / "encoder.safetensors")
    with pytest.raises(SimlibError, match="made with other weights.*run 'dvc repro index'"):
        Searcher(project)


def test_a_project_without_weights_or_index_names_the_command(project):
    shutil.rmtree(project / "index")
    with pytest.raises(SimlibError, match="run 'dvc repro index'"):
        Searcher(project)
    shutil.rmtree(project / "models")
    with pytest.raises(SimlibError, match="run 'make repro'"):
        Searcher(project)


def test_the_short_form_loads_once_and_again_when_the_project_changed(built, project, monkeypatch):
    monkeypatch.chdir(project)
    loaded = []
    monkeypatch.setattr(search, "Searcher", lambda root: loaded.append(root) or Searcher(root))
    first = simlib.query("s01", k=4)
    assert simlib.query("s01", k=4).to_dict() == first.to_dict()
    assert loaded == [project]
    assert first.to_dict() == Searcher(built.root).query("s01", k=4).to_dict()
    other = Model.untrained(built.model.front_end, 0.5, built.model.architecture, 99)
    other.save(project / "models" / "encoder.safetensors")
    with pytest.raises(SimlibError, match="made with other weights"):
        simlib.query("s01")


# --- embed -----------------------------------------------------------------------------------


def weights_of(built):
    return built.root / "models" / "encoder.safetensors"


def test_embedding_a_folder(built, tmp_path):
    arrays, failed = embed([built.root / "data" / "audio"], weights_of(built))
    assert failed == []
    assert arrays["ids"].tolist() == [f"song {i:02d}" for i in range(12)], "file stems, in order"
    assert arrays["ids"].dtype.kind == "U"
    assert arrays["emb"].dtype == arrays["sim"].dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(arrays["emb"], axis=1), 1, atol=1e-5)
    expected = naive_similarities(arrays["emb"], range(12), most=1.6)
    np.testing.assert_allclose(arrays["sim"], expected, atol=1e-5)
    np.testing.assert_allclose(arrays["emb"], built.index.vectors(), atol=1e-5)


def test_the_similarities_are_what_search_would_say(built):
    searcher = Searcher(built.root)
    # Of files alone no artist is known: each is taken to have one of its own.
    searcher.index.artists = np.arange(12)
    arrays, _ = embed([built.root / "data" / "audio"], weights_of(built))
    found = searcher.query("s02", k=11)
    for row in found.itertuples():
        assert row.similarity == pytest.approx(arrays["sim"][2, int(row.track_id[1:])], abs=1e-4)


def test_files_and_folders_mix_and_other_files_are_passed_over(built, tmp_path):
    samples.write(tmp_path / "folder" / "deep" / "a.wav", samples.chord(1))
    (tmp_path / "folder" / "cover.jpg").write_bytes(b"picture")
    alone = samples.write(tmp_path / "b.wav", samples.chord(1))
    arrays, failed = embed([tmp_path / "folder", str(alone)], weights_of(built))
    assert arrays["ids"].tolist() == ["a", "b"]
    assert failed == []
    np.testing.assert_allclose(arrays["emb"][0], arrays["emb"][1], atol=1e-6)


def test_files_that_fail_are_told_and_the_others_embedded(built, tmp_path):
    good = samples.write(tmp_path / "good.wav", samples.chord(1))
    silent = samples.write(tmp_path / "silent.wav", np.zeros(8000, dtype=np.float32))
    short = samples.write(tmp_path / "short.wav", samples.tone(0.05))
    paths = [silent, good, short, tmp_path / "absent.wav"]
    arrays, failed = embed(paths, weights_of(built))
    assert arrays["ids"].tolist() == ["good"]
    assert arrays["sim"].shape == (1, 1)
    assert [error.subject for error in failed] == [str(p) for p in (silent, short, paths[3])]
    assert "silent" in failed[0].cause
    assert "shorter than" in failed[1].cause
    assert "not there" in failed[2].cause


def test_two_files_with_one_stem_are_refused_before_the_work(built, tmp_path, monkeypatch):
    one = samples.write(tmp_path / "one" / "a.wav", samples.chord(1))
    two = samples.write(tmp_path / "two" / "a.flac", samples.chord(1))
    monkeypatch.setattr(search, "embed_file", lambda *args: pytest.fail("embedded first"))
    with pytest.raises(SimlibError, match="has the same name as.*rename one") as error:
        embed([one, two], weights_of(built))
    assert str(one) in str(error.value)
    assert str(two) in str(error.value)


def test_nothing_to_embed_is_refused(built, tmp_path):
    with pytest.raises(SimlibError, match="holds no audio file"):
        embed([tmp_path], weights_of(built))


def test_a_large_collection_has_no_similarity_matrix(built, tmp_path, monkeypatch):
    monkeypatch.setattr(search, "SIMILARITY_LIMIT", 1)
    files = [samples.write(tmp_path / f"{i}.wav", samples.chord(1)) for i in range(2)]
    assert set(embed(files[:1], weights_of(built))[0]) == {"ids", "emb", "sim"}
    assert set(embed(files, weights_of(built))[0]) == {"ids", "emb"}


def test_the_trained_weights_come_before_the_shipped_ones(built, project, monkeypatch):
    monkeypatch.chdir(project)
    shipped, trained = (project / d / "encoder.safetensors" for d in ("pretrained", "models"))
    other = Model.untrained(built.model.front_end, 0.5, built.model.architecture, 99)
    other.parts = {name: other.new_part(name) for name in ("genre", "tempo")}
    other.save(shipped)
    path = song(built, 0)
    own = embed([path])[0]["emb"]
    np.testing.assert_allclose(own[0], built.index.vectors()[0], atol=1e-5)
    digest = digest_of_file(shipped)
    trained.unlink()
    assert np.abs(embed([path])[0]["emb"] - own).max() > 1e-3
    assert digest_of_file(shipped) == digest
    shipped.unlink()
    with pytest.raises(SimlibError, match="run 'make repro'"):
        embed([path])
