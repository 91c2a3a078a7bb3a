"""What every produced file shares: one error class, atomic writing, digests, the project's root."""

import hashlib
import json
import operator
import os
from contextlib import contextmanager
from pathlib import Path


class SimlibError(Exception):
    """Something that the user can mend.

    Parameters
    ----------
    subject : str or Path
        The file, table or setting that is at fault.
    cause : str
        What is wrong with it.
    mend : str
        What to do about it.
    """

    def __init__(self, subject, cause, mend):
        super().__init__(str(subject), cause, mend)
        self.subject, self.cause, self.mend = str(subject), cause, mend

    def __str__(self):
        return f"{printable(self.subject)}: {self.cause}; {self.mend}"

    def _render_traceback_(self):
        # IPython asks for this: in a notebook the reader sees the sentence, not our call stack.
        return [f"SimlibError: {self}"]


def printable(text):
    """One line that any terminal can show: control characters and lone surrogates are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def at_least_one(name, number):
    """Return a count as int; raise SimlibError if it is none of at least 1."""
    try:
        count = operator.index(number)
    except TypeError:
        count = 0
    if count < 1:
        raise SimlibError(f"{name} = {number}", "is no whole number above 0", "ask for at least 1")
    return count


def project_root(start=None):
    """Find the project folder: the nearest one upwards that holds `dvc.yaml` and `params.yaml`.

    A notebook's kernel starts in `notebooks/` under JupyterLab and in the root under papermill.

    Parameters
    ----------
    start : path-like, optional
        Where to begin; the working directory by default.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    SimlibError
        If no folder on the way up is a project.
    """
    start = Path(start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "dvc.yaml").is_file() and (folder / "params.yaml").is_file():
            return folder
    raise SimlibError(
        start,
        "no simlib project here or above (a folder with dvc.yaml and params.yaml)",
        "change into your checkout and try again",
    )


@contextmanager
def written_aside(path):
    """Write a file under another name and rename it when it is whole.

    Parameters
    ----------
    path : path-like
        The final name; its folder is made if need be.

    Yields
    ------
    pathlib.Path
        The name to write to, in the same folder and with the same suffix. It is removed if the
        block fails.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.stem[:100]}.{os.getpid()}.part{path.suffix}")
    try:
        yield aside
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def write_json(path, value):
    """Write `value` as indented JSON with sorted keys; NaN is refused, since JSON has none."""
    with written_aside(path) as aside:
        text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
        aside.write_text(text + "\n", encoding="utf-8")


def read_json(path, mend):
    """Read a JSON file.

    Raises
    ------
    SimlibError
        If it is absent or no JSON; `mend` says what to do then.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SimlibError(path, "is not there", mend) from None
    except ValueError as error:
        raise SimlibError(path, f"is not valid JSON ({error})", mend) from None


def digest_of_file(path):
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of(value):
    """Return the SHA-256 of a JSON-like value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_modules(*modules):
    """Return one digest of the source of several modules: their code is part of what they make."""
    return digest_of([digest_of_file(module.__file__) for module in modules])
