import shutil

import numpy as np
import pytest
import samples
from onnx_networks import Tiny, export, tiny_backbone, write_card
from samples import naive_similarities

from simlib.core import SimlibError, digest_of_file
from simlib.features import compute_activations, load_onnx
from simlib.index import Index
from simlib.model import Embedder
from simlib.search import Searcher, embed


@pytest.fixture
def project(built, tmp_path):
    """A copy of the project that a test may change."""
    return shutil.copytree(built.root, tmp_path / "project")


def song(built, row):
    return built.root / "data" / built.index.tracks["path"][row]


def weights_of(built):
    return built.root / "models" / "encoder.safetensors"


def test_embedding_a_folder(built, tmp_path):
    arrays, failed = embed([built.root / "data" / "audio"], weights_of(built))
    assert failed == []
    assert arrays["ids"].tolist() == [f"song {i:02d}" for i in range(12)], "file stems, in order"
    assert arrays["ids"].dtype.kind == "U"
    assert arrays["emb"].dtype == arrays["sim"].dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(arrays["emb"], axis=1), 1, atol=1e-5)
    expected = naive_similarities(arrays["emb"], range(12))
    np.testing.assert_allclose(arrays["sim"], expected, atol=1e-5)
    np.testing.assert_allclose(arrays["emb"], built.index.vectors(), atol=1e-5)


def test_the_similarities_are_what_search_would_say(built):
    searcher = Searcher(built.root)
    # The artists of files are unknown: each file counts as one by an artist of its own.
    made = searcher.index
    searcher.index = Index(
        made.tracks.assign(artist=made.tracks["track_id"]), made.segments, made.by_track,
        made.by_segment, made.fingerprints, made.origin,
    )  # fmt: skip
    arrays, _ = embed([built.root / "data" / "audio"], weights_of(built))
    found = searcher.query("s02", k=11, per_artist=None, own_artist=True)
    for row in found.itertuples():
        assert row.similarity == pytest.approx(arrays["sim"][2, int(row.track_id[1:])], abs=1e-4)


def test_files_and_folders_mix_and_other_files_are_passed_over(built, tmp_path):
    samples.write(tmp_path / "folder" / "deep" / "a.wav", samples.chord(1))
    (tmp_path / "folder" / "cover.jpg").write_bytes(b"picture")
    single = samples.write(tmp_path / "b.wav", samples.chord(1))
    arrays, failed = embed([tmp_path / "folder", str(single)], weights_of(built))
    assert arrays["ids"].tolist() == ["a", "b"]
    assert failed == []
    np.testing.assert_allclose(arrays["emb"][0], arrays["emb"][1], atol=1e-6)


def test_hidden_and_trash_folders_are_left_out(built, tmp_path):
    for name in ("a.wav", ".trash/b.wav", "@eaDir/c.wav", "._d.wav"):
        samples.write(tmp_path / "folder" / name, samples.chord(2.0, 220))
    arrays, failed = embed([tmp_path / "folder"], weights_of(built))
    assert (arrays["ids"].tolist(), failed) == (["a"], [])


def test_files_that_fail_are_listed_and_the_others_embedded(built, tmp_path):
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
    monkeypatch.setattr(
        "simlib.search.embed_files.load_recording", lambda *args: pytest.fail("embedded first")
    )
    with pytest.raises(SimlibError, match="has the same name as.*rename one") as error:
        embed([one, two], weights_of(built))
    assert str(one) in str(error.value)
    assert str(two) in str(error.value)


def test_nothing_to_embed_is_refused(built, tmp_path):
    with pytest.raises(SimlibError, match="holds no audio file"):
        embed([tmp_path], weights_of(built))


def test_a_large_collection_has_no_similarity_matrix(built, tmp_path, monkeypatch):
    monkeypatch.setattr("simlib.search.embed_files.SIMILARITY_LIMIT", 1)
    files = [samples.write(tmp_path / f"{i}.wav", samples.chord(1)) for i in range(2)]
    assert set(embed(files[:1], weights_of(built))[0]) == {"ids", "emb", "sim"}
    assert set(embed(files, weights_of(built))[0]) == {"ids", "emb"}


def test_the_trained_weights_come_before_the_shipped_ones(built, project, monkeypatch):
    monkeypatch.chdir(project)
    shipped, trained = (project / d / "encoder.safetensors" for d in ("pretrained", "models"))
    other = Embedder.untrained(built.model.front_end, 0.5, built.model.architecture, 99)
    other.subspaces = {name: other.new_subspace(name) for name in ("genre", "tempo")}
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


def test_similarities_have_the_hub_penalty_of_the_project(built, project, tmp_path, monkeypatch):
    files = [samples.write(tmp_path / f"{i}.wav", samples.chord(i + 1)) for i in range(12)]

    def similarities(folder):
        monkeypatch.chdir(folder)
        return embed(files, weights_of(built))[0]["sim"]

    shipped = similarities(tmp_path)
    np.testing.assert_array_equal(similarities(project), shipped)
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("share: 1.5", "share: 1.0"))
    assert (similarities(project) < shipped - 1e-4).any()


# --- by a backbone alone ---------------------------------------------------------------------


def test_a_backbone_embeds_without_weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    card = tiny_backbone(tmp_path / "networks")
    files = [samples.write(tmp_path / f"{n}.wav", samples.melody(2.0, n)) for n in range(12)]
    arrays, failed = embed(files, backbone=card)
    assert failed == []
    network = load_onnx(card)
    means = [compute_activations(file, network).astype(np.float32).mean(axis=0) for file in files]
    expected = np.stack([mean / np.linalg.norm(mean) for mean in means])
    np.testing.assert_allclose(arrays["emb"], expected, atol=1e-5)
    assert arrays["emb"].dtype == arrays["sim"].dtype == np.float32
    similarities = naive_similarities(arrays["emb"], range(12))
    np.testing.assert_allclose(arrays["sim"], similarities, atol=1e-5)


def test_the_network_may_be_named_beside_the_card(tmp_path):
    onnx = export(Tiny(), tmp_path / "networks" / "net.onnx", (1, 20, 32))
    card = write_card(tmp_path / "cards" / "net.yaml", onnx=None)
    file = samples.write(tmp_path / "a.wav", samples.melody(2.0, 3))
    found = embed([file], backbone=onnx, card=card)[0]["emb"]
    np.testing.assert_array_equal(found, embed([file], backbone=tiny_backbone(tmp_path))[0]["emb"])


def test_files_that_a_backbone_cannot_embed_are_listed(tmp_path):
    card = tiny_backbone(tmp_path)
    good = samples.write(tmp_path / "good.wav", samples.chord(0.1))
    silent = samples.write(tmp_path / "silent.wav", np.zeros(8000, dtype=np.float32))
    arrays, failed = embed([silent, good], backbone=card)
    assert arrays["ids"].tolist() == ["good"]
    assert [error.subject for error in failed] == [str(silent)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backbone": "net.onnx"}, "net.onnx: has no card; name the card .*: --card"),
        ({"card": "net.yaml"}, "net.yaml: is the card of no backbone; name the network"),
        ({"backbone": "net.yaml", "weights": "w"}, "takes no weights"),
        ({"backbone": "net.yaml"}, "net.yaml: cannot be read"),
    ],
)
def test_a_backbone_that_is_not_complete_is_refused(tmp_path, options, message):
    with pytest.raises(SimlibError, match=message):
        embed([tmp_path], **options)
