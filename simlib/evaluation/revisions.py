"""The index of an earlier revision, to compare with the present one."""

import os
import shutil
from pathlib import Path

from simlib.core import SimlibError, read_json, write_json
from simlib.index import Index

# Where the index of an earlier revision is put, in the project; git and DVC ignore it.
BEFORE_FOLDER = ".checkpoints/before"


def fetch_index(root: str | os.PathLike, revision: str, folder: str | os.PathLike) -> str:
    """Copy the index of an earlier revision from DVC's cache, its remote, or git.

    Parameters
    ----------
    root : path-like
        The project.
    revision : str
        A commit as git names it: `HEAD~1`, a tag, part of a hash.
    folder : path-like
        Where to put the index; what is there is removed. It gets a file `revision.json` with the
        `revision` as it was named, and its `commit`.

    Returns
    -------
    str
        The commit.

    Raises
    ------
    SimlibError
        If there is no such revision, or it has no index, or neither cache nor remote has its files.
    """
    # DVC takes a second to load, and no other function of the evaluation needs it.
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo
    from dvc.scm import SCMError

    shutil.rmtree(folder, ignore_errors=True)
    try:
        with Repo(os.fspath(root)) as repo:
            commit = _copied(repo, revision, os.fspath(folder))
    except (SCMError, NotDvcRepoError):
        hint = "make it one ('git init'), and commit dvc.lock after each run to compare with it"
        raise SimlibError(root, "is no git repository that DVC knows", hint) from None
    write_json(Path(folder) / "revision.json", {"revision": revision, "commit": commit})
    return commit


def _copied(repo, revision, folder):
    """Copy the index of a revision of a DVC repository into a folder; return the commit."""
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.scm import RevError, resolve_rev
    from dvc_data.index import DataIndexError

    try:
        commit = repo.scm.resolve_commit(resolve_rev(repo.scm, revision)).hexsha
    except (RevError, AttributeError):
        # DVC raises an AttributeError for an object of git that is no commit.
        hint = "'git log --oneline' lists those that there are"
        raise SimlibError(revision, "is no revision of this project", hint) from None
    try:
        # A repository instead of a path: the project may be a folder of a larger git repository.
        with repo.switch(commit):
            files = DVCFileSystem(repo)
            if files.isdir("/index"):
                files.get("/index", folder, recursive=True)
                return commit
    except NotDvcRepoError:
        pass  # DVC came later.
    except (DvcException, DataIndexError, OSError) as error:
        cause = f"its index is not in DVC's cache or remote ({' '.join(str(error).split())})"
        hint = "check that revision out and run 'make repro', or name another one"
        raise SimlibError(revision, cause, hint) from None
    hint = "name a later one: 'git log --oneline dvc.lock' lists the runs"
    raise SimlibError(revision, "knows of no index", hint)


def load_any_index(folder: Path, hint: str) -> Index:
    """Read an index, whichever weights made it.

    Parameters
    ----------
    folder : pathlib.Path
    hint : str
        What to do if it cannot be read.

    Returns
    -------
    simlib.index.Index

    Raises
    ------
    SimlibError
        If it is absent, damaged, or of a form that this version does not know.
    """
    made_with = read_json(folder / "made_with.json", hint)
    try:
        return Index.load(folder, made_with["model"])
    except SimlibError as error:
        cause = error.cause
    except (KeyError, TypeError):
        cause = "cannot be read (made_with.json is of another form)"
    raise SimlibError(folder, f"{cause} by this version of simlib", hint)
