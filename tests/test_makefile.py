"""What make does where a checkout is not as its makers had it."""

import os
import shutil

import pytest
from project import Project, write_music


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    write_music(folder, artists=2, each=1)
    return folder


def status(project):
    return project.run("dvc", "status", "--quiet", "data.dvc")


@pytest.mark.parametrize("name", ["it's [my] süße $HOME; x", "plain"])
def test_any_name_of_the_folder_will_do(tmp_path, music, name):
    (tmp_path / name).mkdir()
    project = Project(tmp_path / name)
    odd = shutil.copytree(music, tmp_path / "songs of 'A' & [B]")
    project.make("catalogue", f"FROM={odd}")
    project.make("tracked")
    status(project)
    assert len(list((project.folder / "data" / "audio").rglob("*.flac"))) == 2


def test_an_archive_without_git_is_enough_and_a_later_git_is_used(tmp_path, music):
    project = Project(tmp_path)
    shutil.rmtree(tmp_path / ".git")
    project.make("catalogue", f"FROM={music}")
    project.make("tracked")
    status(project)
    project.git("init", "--quiet")
    project.make("tracked")
    assert "no_scm" not in (tmp_path / ".dvc" / "config.local").read_text()
    status(project)


def test_a_refusal_of_dvc_is_shown_and_the_old_pointer_stays(tmp_path, music):
    project = Project(tmp_path)
    project.make("catalogue", f"FROM={music}")
    before = (tmp_path / "data.dvc").read_bytes()
    broken = os.fsencode(tmp_path / "data" / "audio") + b"/\xff.mp3"
    with open(broken, "wb") as file:
        file.write(b"x")
    output = project.make("tracked", succeeds=False)
    assert "ERROR" in output
    assert (tmp_path / "data.dvc").read_bytes() == before
    os.remove(broken)
    project.make("tracked")


@pytest.mark.parametrize("name", [".DS_Store", "._song.flac", "Thumbs.db", "x.flac~", ".x.swp"])
def test_what_systems_leave_in_folders_changes_nothing(tmp_path, music, name):
    project = Project(tmp_path)
    project.make("catalogue", f"FROM={music}")
    before = (tmp_path / "data.dvc").read_bytes()
    for folder in ("data/audio", "simlib/core"):
        (tmp_path / folder / name).write_bytes(b"x")
    project.make("tracked")
    assert (tmp_path / "data.dvc").read_bytes() == before


def test_dvc_starts_only_if_the_catalogue_or_its_pointer_changed(tmp_path, music, monkeypatch):
    project = Project(tmp_path)
    project.make("catalogue", f"FROM={music}")
    # What make calls `dvc` says so first.
    monkeypatch.setenv("BASH_FUNC_dvc%%", '() { echo "started: dvc" >&2; command dvc "$@"; }')
    starts = lambda: project.make("tracked").count("started: dvc")  # noqa: E731
    assert (starts(), starts()) == (1, 0)
    pointer, song = tmp_path / "data.dvc", min((tmp_path / "data" / "audio").rglob("*.flac"))
    changes = {
        "edited": lambda: song.write_bytes(song.read_bytes() + b"x"),
        "an old file added": lambda: os.utime(shutil.copy(song, song.with_name("b")), (0, 0)),
        "removed": song.unlink,
    }
    for name, change in changes.items():
        before = pointer.read_bytes()
        change()
        assert starts() == 2, f"{name}: compared and added"
        assert pointer.read_bytes() != before
        status(project)
        assert (starts(), starts()) == (1, 0)
    # A catalogue of one's own goes to no demo remote, however data.dvc came to name one.
    pointer.write_text(before.decode() + "  remote: demo\n")
    assert starts() == 2
    assert "remote" not in pointer.read_text()


def test_a_link_to_a_larger_disk_is_read_by_the_stages(tmp_path, music):
    (tmp_path / "disk").mkdir()
    (tmp_path / "checkout").mkdir()
    project = Project(tmp_path / "checkout")
    (project.folder / "data.dvc").write_text("outs:\n- path: data\n")
    (project.folder / "data").symlink_to(tmp_path / "disk")
    output = project.make("catalogue", f"FROM={music}")
    assert "data is a link, so DVC keeps no copy" in output
    assert (project.folder / "data").is_symlink()
    assert (project.folder / "data.dvc.before").is_file(), "the pointer to the old catalogue"
    project.make("tracked")
    project.run("dvc", "repro", "notebooks", "extract")
    assert len(list((project.folder / "features").rglob("*.npy"))) >= 2
    (tmp_path / "disk").rename(tmp_path / "unmounted")
    output = project.make("tracked", succeeds=False)
    assert "data is a link to nothing" in output
