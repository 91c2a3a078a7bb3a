"""The index of an earlier revision: fetched with DVC, and read."""

import json
import shutil
import subprocess

import numpy as np
import pytest
import samples
from dvc.repo import Repo

from simlib.core import SimlibError
from simlib.evaluation import BEFORE_FOLDER, fetch_index, load_any_index

# Warnings inside DVC's own libraries.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")


# --- reading an index ------------------------------------------------------------------------


def test_an_index_is_read_whichever_weights_made_it(built, tmp_path):
    tracks = built.index.tracks
    index = samples.index_of(samples.unit(len(tracks), 3), tracks, "of other weights")
    index.save(tmp_path)
    loaded = load_any_index(tmp_path, "hint")
    assert loaded.origin.model_digest == "of other weights"
    np.testing.assert_array_equal(loaded.vectors(), index.vectors())


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("made_with.json", None, "made_with.json: is not there"),
        ("made_with.json", "{", "is not valid JSON"),
        ("made_with.json", "[]", "cannot be read .* by this version of simlib"),
        ("made_with.json", '{"weights": "a"}', "cannot be read .* by this version of simlib"),
        ("made_with.json", '{"model": "a"}', "cannot be read .'subspaces'. by this version"),
        ("tracks.faiss", None, "cannot be read .* by this version of simlib"),
        ("tracks.parquet", "text", "cannot be read .* by this version of simlib"),
    ],
)
def test_an_index_of_another_form_is_refused(built, tmp_path, name, content, cause):
    built.index.save(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)
    with pytest.raises(SimlibError, match=f"{cause}.*; name a later one$") as error:
        load_any_index(tmp_path, "name a later one")
    assert "\n" not in str(error.value)


# --- fetching --------------------------------------------------------------------------------


def git(folder, *arguments):
    ours = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
    subprocess.run(["git", *ours, *arguments], cwd=folder, check=True, capture_output=True)


def history_of(root, output="index", ignored="/index\n/.checkpoints\n"):
    """A repository: nothing, DVC with a stage that never ran, `one`, `two`; `three` at work."""
    root.mkdir()
    git(root, "init", "--quiet")

    def commit(name):
        git(root, "add", ".")
        git(root, "commit", "--quiet", "--allow-empty", "-m", name)
        git(root, "tag", name)

    commit("nothing")
    Repo.init(str(root)).close()
    (root / "dvc.yaml").write_text(f"stages:\n  index:\n    cmd: none\n    outs: [{output}]\n")
    (root / ".gitignore").write_text(ignored)
    commit("unrun")
    (root / "index").mkdir()
    for name in ("one", "two"):
        (root / "index" / "tracks.faiss").write_text(name)
        (root / "index" / f"{name}.parquet").write_text(name)
        with Repo(str(root)) as repo:
            repo.commit(force=True)
        commit(name)
    (root / "index" / "tracks.faiss").write_text("three")
    return root


@pytest.fixture
def history(tmp_path):
    return history_of(tmp_path / "project")


def cached(root, text):
    """The file in DVC's cache that holds a text."""
    [path] = [
        p for p in (root / ".dvc" / "cache").rglob("*") if p.is_file() and p.read_text() == text
    ]
    return path


@pytest.mark.parametrize(
    ("revision", "held"),
    [("HEAD", "two"), ("HEAD~1", "one"), ("one", "one"), ("HEAD^{/on.}", "one"), (":/two", "two")],
)
def test_the_index_of_a_revision_comes_out_of_the_cache(history, revision, held, monkeypatch):
    monkeypatch.chdir(history / "index")
    folder = history / BEFORE_FOLDER
    (folder / "left over").mkdir(parents=True)
    commit = fetch_index(history, revision, folder)
    assert (folder / "tracks.faiss").read_text() == held
    names = {"tracks.faiss", "one.parquet", "revision.json"} | {f"{held}.parquet"}
    assert {path.name for path in folder.iterdir()} == names
    assert json.loads((folder / "revision.json").read_text()) == {
        "revision": revision,
        "commit": commit,
    }
    assert len(commit) == 40
    assert (history / "index" / "tracks.faiss").read_text() == "three", "what is at work stays"


@pytest.mark.parametrize(
    ("output", "ignored"),
    [
        ("{index: {persist: true}}", "/index\n/.checkpoints\n"),
        ("{index: {cache: false}}", "/.checkpoints\n"),
        ("{index: {cache: false, persist: true}}", "/.checkpoints\n"),
    ],
)
@pytest.mark.parametrize("revision", ["one", "two"])
def test_an_index_may_be_persisted_or_tracked_by_git(tmp_path, output, ignored, revision):
    root = history_of(tmp_path / "project", output, ignored)
    fetch_index(root, revision, root / BEFORE_FOLDER)
    assert (root / BEFORE_FOLDER / "tracks.faiss").read_text() == revision
    held = {"one": {"one.parquet"}, "two": {"one.parquet", "two.parquet"}}[revision]
    names = {path.name for path in (root / BEFORE_FOLDER).iterdir()}
    assert names == {"tracks.faiss", "revision.json"} | held
    assert (root / "index" / "tracks.faiss").read_text() == "three", "the present index stays"
    with pytest.raises(SimlibError, match="unrun: knows of no index; name a later one"):
        fetch_index(root, "unrun", root / BEFORE_FOLDER)


def test_an_index_that_is_neither_cached_nor_tracked_is_unknown(tmp_path):
    root = history_of(tmp_path / "project", "{index: {cache: false}}")
    with pytest.raises(SimlibError, match="one: knows of no index; name a later one"):
        fetch_index(root, "one", root / BEFORE_FOLDER)


def test_the_index_comes_from_the_remote_if_the_cache_has_lost_it(history, tmp_path):
    with Repo(str(history)) as repo:
        with repo.config.edit("local") as config:
            config["remote"]["storage"] = {"url": str(tmp_path / "remote")}
            config["core"]["remote"] = "storage"
        repo.push(all_commits=True)
    shutil.rmtree(history / ".dvc" / "cache")
    fetch_index(history, "one", history / BEFORE_FOLDER)
    assert (history / BEFORE_FOLDER / "tracks.faiss").read_text() == "one"


def test_a_project_may_lie_inside_a_larger_repository(history, tmp_path):
    git(tmp_path, "init", "--quiet")
    shutil.rmtree(history / ".git")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "all")
    fetch_index(history, "HEAD", history / BEFORE_FOLDER)
    assert (history / BEFORE_FOLDER / "tracks.faiss").read_text() == "two"


@pytest.mark.parametrize(
    ("revision", "message"),
    [
        ("nosuch", "nosuch: is no revision of this project; 'git log --oneline' lists"),
        ("HEAD~99", "is no revision of this project"),
        ("HEAD:dvc.yaml", "is no revision of this project"),
        ("-x", "is no revision of this project"),
        ("a\nb", r"a\\nb: is no revision of this project"),
        ("nothing", "nothing: knows of no index; name a later one"),
        ("unrun", "unrun: knows of no index; name a later one"),
    ],
)
def test_a_revision_without_an_index_is_an_error_of_one_line(history, revision, message):
    with pytest.raises(SimlibError, match=message) as error:
        fetch_index(history, revision, history / BEFORE_FOLDER)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("lost", ["a file", "the list of files", "all"])
def test_what_the_cache_has_lost_is_an_error_of_one_line(history, lost):
    if lost == "all":
        shutil.rmtree(history / ".dvc" / "cache")
    elif lost == "the list of files":
        for path in (history / ".dvc" / "cache").rglob("*.dir"):
            path.unlink()
    else:
        cached(history, "one").unlink()
    expected = "one: its index is not in DVC's cache or remote .*; check"
    with pytest.raises(SimlibError, match=expected) as error:
        fetch_index(history, "one", history / BEFORE_FOLDER)
    assert "\n" not in str(error.value)
    assert not (history / BEFORE_FOLDER / "revision.json").exists()


@pytest.mark.parametrize("lacking", [".git", ".dvc"])
def test_without_git_or_dvc_there_is_no_revision(history, lacking):
    shutil.rmtree(history / lacking)
    with pytest.raises(SimlibError, match="is no git repository that DVC knows; make it one"):
        fetch_index(history, "HEAD", history / BEFORE_FOLDER)
