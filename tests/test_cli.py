import json
import shutil
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import samples
import yaml
from nbformat.v4 import new_markdown_cell, new_notebook
from onnx_networks import tiny_backbone
from samples import naive_similarities

from simlib.catalogue import read_catalogue
from simlib.cli import main
from simlib.index import Index
from simlib.search import Searcher, embed

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command line; returns its exit code, output and errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["simlib", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture
def inside(built, monkeypatch):
    monkeypatch.chdir(built.root / "data")
    return built


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder with this project's params.yaml and dvc.yaml, to work in."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "comparisons").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_arguments_the_commands_are_listed(run):
    _, out, err = run()
    for command in ("query", "embed", "catalogue", "compare", "fetch-index", "report", "check"):
        assert command in out + err


@pytest.mark.parametrize("arguments", [["nothing"], ["embed"], ["query", "s00", "-k", "many"]])
def test_a_wrong_command_line_is_explained(run, arguments):
    code, _, err = run(*arguments)
    assert code == 2
    assert "Usage" in err


def test_an_error_that_the_user_can_correct_is_one_line(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("query", "s00")
    assert code == 2
    assert out == ""
    assert err.startswith("simlib: ")
    assert err.count("\n") == 1
    assert "no simlib project here or above" in err


def test_without_a_git_repository_there_is_nothing_to_fetch(run, checkout):
    code, out, err = run("fetch-index", "HEAD")
    assert (code, out) == (2, "")
    assert "is no git repository that DVC knows" in err
    assert err.count("\n") == 1


# --- query -----------------------------------------------------------------------------------


def test_a_query_prints_the_ranked_list(run, inside):
    code, out, err = run("query", "s03", "-k", 4)
    assert (code, err) == (0, "")
    expected = Searcher(inside.root).query("s03", 4)
    header, *lines = out.splitlines()
    assert header.split() == [
        "rank", "closer", "than", "seconds", "of", "query", "track", "title", "–", "artist",
    ]  # fmt: skip
    assert len(lines) == 4
    for line, row in zip(lines, expected.itertuples(), strict=True):
        rank, closer_than, seconds, of_query, track_id, *name = line.split()
        assert (int(rank), track_id) == (row.rank, row.track_id)
        assert closer_than == f"{row.closer_than:.1f}%"
        assert seconds == f"{row.start:.0f}–{row.end:.0f}"
        assert of_query == f"{row.query_start:.0f}–{row.query_end:.0f}"
        assert " ".join(name) == f"{row.title} – {row.artist}"


def test_seconds_and_conditions_reach_the_search(run, inside):
    options = ["--start", 0.5, "--end", 2, "--where", "genre=drums", "--where", "mood=wild"]
    _, out, _ = run("query", "s00", "--json", *options)
    conditions = ["genre=drums", "mood=wild"]
    expected = Searcher(inside.root).query("s00", start=0.5, end=2.0, where=conditions)
    assert json.loads(out) == expected.to_dict("records")
    assert expected["query_start"].min() >= 0.5
    code, _, err = run("query", "s00", "--where", "genre=polka")
    message = "simlib: no recording by another artist meets the conditions"
    assert (code, err) == (0, f"{message}; --own-artist lists those of the query's artist\n")
    _, out, _ = run("query", "s00", "--json", "--own-artist", "-k", 99)
    assert len(json.loads(out)) == len(Searcher(inside.root).tracks) - 1


def test_the_recording_itself_is_pointed_out(run, longer, monkeypatch):
    monkeypatch.chdir(longer.root)
    _, out, _ = run("query", longer.root / "data" / longer.index.tracks["path"][3], "-k", 2)
    first, second = out.splitlines()[1:]
    assert first.endswith("(near-duplicate: 8 s are the same recording)")
    assert "same" not in second


def test_aspects_can_be_weighed(run, inside):
    code, out, _ = run("query", "s03", "--json", "-w", "tempo=2", "-w", "genre=0")
    assert code == 0
    expected = Searcher(inside.root).query("s03", weights={"tempo": 2.0, "genre": 0.0})
    assert json.loads(out) == expected.to_dict("records")
    code, _, err = run("query", "s03", "-w", "tempo")
    assert (code, err) == (2, "simlib: weight 'tempo': is no ASPECT=NUMBER; try -w tempo=0.5\n")
    code, _, err = run("query", "s03", "-w", "beat=1")
    assert (code, err) == (
        2, "simlib: weight 'beat': names no aspect; there are sound, genre, tempo\n"
    )  # fmt: skip


def test_no_close_match_is_reported(run, inside, monkeypatch):
    monkeypatch.setattr(
        "simlib.index.calibration.Calibration.has_no_close_match", lambda *args: True
    )
    code, out, err = run("query", "s03", "-k", 2)
    assert (code, len(out.splitlines())) == (0, 3)
    assert err == "simlib: nothing in the catalogue is similar to this\n"


def test_a_query_prints_json(run, inside):
    code, out, _ = run("query", "s03", "--json")
    assert code == 0
    found = json.loads(out)
    assert len(found) == 5
    assert found == Searcher(inside.root).query("s03").to_dict("records")


def test_words_are_searched_for_in_place_of_a_recording(run, tagged, monkeypatch):
    monkeypatch.chdir(tagged.root)
    words = ["--words", "female vocals, punk"]
    code, out, err = run("query", *words, "-k", 2, "--own-artist", "--where", "genre=drums")
    assert (code, err) == (0, "")
    expected = Searcher(tagged.root).query_words(
        "female vocals, punk", 2, "genre=drums", per_artist=None
    )
    lines = out.splitlines()[1:]
    assert [line.split()[2] for line in lines[::3]] == expected["track_id"].tolist()
    assert lines[1:3] == [
        "      fits better than: female vocals 92%, punk 50%",
        "      automatic tags: punk, female vocalists, sad",
    ]
    _, out, _ = run("query", *words, "--json")
    assert json.loads(out) == Searcher(tagged.root).query_words(words[1]).to_dict("records")
    code, out, err = run("query", *words, "--where", "genre=polka")
    message = "simlib: no recording meets the conditions and fits these words\n"
    assert (code, err) == (0, message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "query: is needed, or words, and not both"),
        (["s00", "--words", "jazz"], "query: is needed, or words, and not both"),
        (["--words", "jazz", "-w", "tempo=1"], "words: have neither aspects nor seconds"),
        (["--words", "jazz", "--end", 3], "words: have neither aspects nor seconds"),
        (["--words", " , "], "words: are none"),
        (["--words", "jaz"], "word 'jaz': is neither a tag of the catalogue nor an automatic one"),
    ],
)
def test_words_that_cannot_be_searched_for_are_one_line(
    run, tagged, monkeypatch, arguments, message
):
    monkeypatch.chdir(tagged.root)
    code, out, err = run("query", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_automatic_tags_are_printed_below_a_result(run, tagged, monkeypatch):
    monkeypatch.chdir(tagged.root)
    _, out, _ = run("query", "s02", "-k", 1, "--where", "track_id=s03", "--own-artist")
    assert out.splitlines()[-1] == "      automatic tags: punk, female vocalists, sad"


def test_an_unknown_query_is_one_line(run, inside):
    code, out, err = run("query", "no\x1b[2Jbody", "-k", 4)
    assert (code, out) == (2, "")
    assert err == (
        r"simlib: no\x1b[2Jbody: is neither a track id of the catalogue nor a file; "
        "ids look like 's00'\n"
    )
    assert run("query", "s00", "-k", 0)[0] == 2


def test_names_cannot_write_to_the_terminal(run, inside, monkeypatch):
    index = Index.load(inside.root / "index", inside.model.digest)
    index.tracks["title"] = "a\x1b[2J\nb"
    monkeypatch.setattr(Index, "load", lambda *made_with: index)
    _, out, _ = run("query", "s00")
    assert "\x1b" not in out
    assert len(out.splitlines()) == 6
    assert r"a\x1b[2J\nb" in out


# --- embed -----------------------------------------------------------------------------------


def test_embedding_writes_ids_vectors_and_similarities(run, inside, tmp_path):
    silent = samples.write(tmp_path / "silent.wav", np.zeros(8000, dtype=np.float32))
    code, out, err = run("embed", inside.root / "data" / "audio", silent, "--out", tmp_path / "E")
    assert code == 0
    assert "12 embedded, 1 left out" in out
    assert err.count("\n") == 1
    assert "silent.wav: is silent" in err
    with np.load(tmp_path / "E.npz", allow_pickle=False) as file:
        assert set(file.files) == {"ids", "emb", "sim"}
        assert file["emb"].shape == (12, 24)
        expected = naive_similarities(file["emb"], range(12))
        np.testing.assert_allclose(file["sim"], expected, atol=1e-5)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["E.npz", "silent.wav"]


def test_embedding_takes_the_weights_it_is_given(run, built, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no project here
    path = samples.write(tmp_path / "a.wav", samples.chord(1))
    weights = built.root / "models" / "encoder.safetensors"
    assert run("embed", path, "--out", tmp_path / "E.npz", "--weights", weights)[0] == 0
    assert run("embed", path, "--out", tmp_path / "F.npz")[0] == 2
    assert not (tmp_path / "F.npz").exists()


def test_embedding_takes_a_backbone_and_its_card(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    card = tiny_backbone(tmp_path / "networks")
    onnx = card.with_name("tiny.onnx")
    path = samples.write(tmp_path / "song.wav", samples.melody(2.0, 3))
    expected = embed([path], backbone=card)[0]["emb"]
    for options in (["--backbone", card], ["--backbone", onnx, "--card", card]):
        code, out, err = run("embed", path, "--out", "E.npz", *options)
        assert (code, out, err) == (0, "1 embedded, 0 left out: E.npz\n", "")
        with np.load("E.npz", allow_pickle=False) as arrays:
            assert arrays["ids"].tolist() == ["song"]
            np.testing.assert_array_equal(arrays["emb"], expected)
    code, _, err = run("embed", path, "--out", "F.npz", "--backbone", onnx)
    assert (code, err.count("\n")) == (2, 1)
    assert err.endswith("has no card; name the card that describes it: --card\n")


def test_when_nothing_can_be_embedded_no_file_is_written(run, inside, tmp_path):
    path = samples.write(tmp_path / "a.wav", np.zeros(8000, dtype=np.float32))
    code, _, err = run("embed", path, "--out", tmp_path / "E.npz")
    assert code == 2
    assert "none of the 1 could be embedded" in err
    assert not (tmp_path / "E.npz").exists()


# --- catalogue, report -----------------------------------------------------------------------


def test_a_folder_is_imported(run, checkout):
    samples.write(checkout / "music" / "a.wav", samples.tone(0.2))
    (checkout / "music" / "notes.txt").touch()
    code, out, err = run("catalogue", checkout / "music")
    assert (code, err) == (0, "")
    assert "1 recordings imported into data/, 1 entries listed in data/rejected.csv" in out
    assert read_catalogue(checkout / "data")[0]["track_id"].tolist() == ["a"]
    code, _, err = run("catalogue", checkout / "absent")
    assert code == 2
    assert "is not a folder; give FROM=/path/to/music" in err


def test_a_notebook_becomes_a_page(run, tmp_path):
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Here")]), tmp_path / "a.ipynb")
    assert run("report", tmp_path / "a.ipynb", tmp_path / "a.html")[0] == 0
    assert "Here" in (tmp_path / "a.html").read_text()
    code, _, err = run("report", tmp_path / "absent.ipynb", tmp_path / "b.html")
    assert code == 2
    assert err.count("\n") == 1


# --- compare ---------------------------------------------------------------------------------


def theirs(path):
    np.savez(path, ids=["a", "b"], emb=np.eye(2))
    return path.read_bytes()


def test_comparing_copies_the_file_to_where_the_evaluation_reads(run, checkout, monkeypatch):
    (checkout / "others").mkdir()
    content = theirs(checkout / "others" / "theirs.npz")
    before = samples.tree(checkout)
    monkeypatch.chdir(checkout / "others")
    code, out, _ = run("compare", "theirs.npz")
    assert code == 0
    assert "comparisons/theirs.npz joins" in out
    copy = checkout / "comparisons" / "theirs.npz"
    assert copy.read_bytes() == content
    copy.unlink()
    assert samples.tree(checkout) == before, "nothing else has changed"


def test_comparing_twice_changes_nothing_more(run, checkout):
    theirs(checkout / "theirs.npz")
    run("compare", "theirs.npz")
    before = samples.tree(checkout)
    assert run("compare", "theirs.npz")[0] == 0
    assert run("compare", "comparisons/theirs.npz")[0] == 0
    assert samples.tree(checkout) == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.npz", "absent.npz: cannot be read"),
        ("words.npz", "words.npz: cannot be read"),
        ("mfcc.npz", "mfcc.npz: 'mfcc' names a system already; rename the file"),
    ],
)
def test_comparing_with_what_cannot_be_used_is_refused(run, checkout, name, message):
    (checkout / "words.npz").write_text("words")
    theirs(checkout / "mfcc.npz")
    before = samples.tree(checkout)
    code, _, err = run("compare", name)
    assert code == 2
    assert message in err and err.count("\n") == 1
    assert samples.tree(checkout) == before


# --- check -----------------------------------------------------------------------------------


def test_the_shipped_parameters_pass_the_check(run, checkout):
    assert run("check") == (0, "", "")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs:", "epoch:", "section train: unknown key 'epoch'; did you mean 'epochs'?"),
        ("  weights: {", "  weight: {", "section index"),
        ("  bootstrap: 2000", "  bootstrap: few", "'bootstrap' is 'few'; give it a value of type"),
        ("index:", "idx:", "unknown section 'idx'"),
        ("extract:", "extract: [", "is no YAML"),
        ("    artist_gap:", "    gap:", "section search.playlists: unknown key 'gap'"),
        ("  diversity_pool: 5", "  diversity_pool: 0", "'diversity_pool' is 0"),
        ("    gain_db: 3.0", "    gain: 3.0", "section train.augmentation: unknown key 'gain'"),
    ],
)
def test_a_mistake_in_the_parameters_is_named(run, checkout, old, new, message):
    path = checkout / "params.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    code, out, err = run("check")
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("content", ["", "# nothing\n", "- a\n", "text", "extract:\n", "\xe9: 1"])
def test_parameters_without_sections_are_refused(run, checkout, content):
    (checkout / "params.yaml").write_text(content, encoding="latin-1")
    code, _, err = run("check")
    assert code == 2
    assert err.startswith("simlib: params.yaml")
    assert err.count("\n") == 1


@pytest.mark.parametrize("section", ["index", "search"])
def test_a_section_that_is_missing_is_named(run, checkout, section):
    content = yaml.safe_load((checkout / "params.yaml").read_text())
    del content[section]
    (checkout / "params.yaml").write_text(yaml.safe_dump(content))
    code, _, err = run("check")
    assert code == 2
    assert f"params.yaml, section {section}" in err


# --- lists that leave ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [["query", "s02", "-k", "3"], ["radio", "s02", "--length", "4"], ["path", "s02", "s05"]],
)
def test_a_list_is_written_as_playlist_and_table(run, inside, tmp_path, command):
    files = ["--m3u", tmp_path / "list.m3u8", "--csv", tmp_path / "list.csv"]
    steps = ["--steps", "2"] if command[0] == "path" else []
    code, out, err = run(*command, *steps, *files)
    assert code == 0, err
    ids = pd.read_csv(tmp_path / "list.csv", encoding="utf-8-sig")["track_id"].tolist()
    assert len(ids) >= 3
    assert all(track_id in out for track_id in ids)
    playlist = (tmp_path / "list.m3u8").read_text().splitlines()
    assert [Path(line).stem for line in playlist[2::2]] == [f"song {i[1:]}" for i in ids]
    assert f"a playlist of {len(ids)} tracks" in err
