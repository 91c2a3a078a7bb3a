"""What a retrain changed: the lists of two indexes of one catalogue, beside each other."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dvc.exceptions import DvcException, NotDvcRepoError, OutputNotFoundError
from dvc.repo import Repo
from dvc.scm import RevError, SCMError, resolve_rev
from dvc_data.index import DataIndexError

from simlib.core import SimlibError, read_json, write_json
from simlib.index import Index

# Where the index of a revision is laid, in the project; git and DVC leave it alone.
BEFORE_FOLDER = ".checkpoints/before"


def fetch_index(root: str | os.PathLike, revision: str, folder: str | os.PathLike) -> str:
    """Take the index of an earlier revision out of DVC's cache, or the project's remote.

    Parameters
    ----------
    root : path-like
        The project.
    revision : str
        Anything that git takes for a commit: `HEAD~1`, a tag, part of a hash.
    folder : path-like
        Where to put the index, in place of what is there, with `revision.json`: the revision as
        it was named, and its commit.

    Returns
    -------
    str
        The commit.

    Raises
    ------
    SimlibError
        If there is no such revision, it knows of no index, or the cache has lost it.
    """
    commit = _commit(root, revision)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with Repo(str(root)) as repo, repo.switch(commit):
            [out] = repo.find_outs_by_path(repo.fs.join(repo.root_dir, "index"))
            if not out.hash_info:
                raise OutputNotFoundError("index")
            repo.dvcfs.get("/index", str(folder), recursive=True)
    except (NotDvcRepoError, OutputNotFoundError):
        hint = "name a later one: 'git log --oneline dvc.lock' lists the runs"
        raise SimlibError(revision, "knows of no index", hint) from None
    except (DvcException, DataIndexError, OSError) as error:
        cause = f"its index is not in DVC's cache ({' '.join(str(error).split())})"
        hint = "check that revision out and run 'make repro', or name another one"
        raise SimlibError(revision, cause, hint) from None
    named = {"revision": revision, "commit": commit}
    write_json(Path(folder) / "revision.json", named)
    return commit


def _commit(root, revision):
    try:
        with Repo(str(root)) as repo:
            return repo.scm.resolve_commit(resolve_rev(repo.scm, revision)).hexsha
    except (RevError, AttributeError):
        # The second is what DVC makes of an object of git's that is no commit.
        hint = "'git log --oneline' lists those that there are"
        raise SimlibError(revision, "is no revision of this project", hint) from None
    except (SCMError, DvcException):
        hint = "make it one ('git init'), and commit dvc.lock after each run to compare with it"
        raise SimlibError(root, "is no git repository that DVC knows", hint) from None


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
