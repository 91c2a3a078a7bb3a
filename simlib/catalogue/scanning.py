"""Entries of a folder of music: audio files, and what is left out with its cause."""

import os
import stat
from collections.abc import Iterator
from pathlib import PurePosixPath

from simlib.core import AUDIO_SUFFIXES, printable

# Folders of trash, previews, resource forks and snapshots that systems make beside music.
_RUBBISH = frozenset(
    "#recycle #snapshot @eadir @recycle @recently-snapshot @snapshots @sharebin @tmp $recycle.bin "
    "recycler recycled __macosx lost+found found.000 thumbs.db ehthumbs.db desktop.ini".split()
    + ["system volume information", "network trash folder", "temporary items"]
)

Problem = tuple[str, str]
NO_AUDIO = "is not an audio file by its name", "nothing, or convert it to flac or mp3"


def scan_folder(folder: str | os.PathLike[str]) -> Iterator[tuple[str, Problem | None]]:
    """Find everything in a folder but its folders.

    Hidden folders, and those that systems make for trash and previews, are one entry each.

    Parameters
    ----------
    folder : path-like

    Yields
    ------
    path : str
        Relative to `folder`, with `/`.
    problem : tuple of (cause, hint), or None
        Why the entry cannot be used, as far as its name and kind tell.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield "", (f"folder cannot be read ({error.strerror})", "check its permissions")
        return
    for entry in entries:
        name = entry.name
        if not entry.is_dir(follow_symlinks=False):
            yield name, _problem(entry, name)
        elif problem := _hidden(name, "folder"):
            yield name, problem
        else:
            if is_audio_name(name):
                yield name, ("is a folder with an audio file's name", "rename the folder")
            for inner, problem in scan_folder(entry.path):
                yield f"{name}/{inner}".removesuffix("/"), problem


def is_audio_name(name: str) -> bool:
    """Tell whether a name ends in the suffix of an audio format."""
    return PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES


def shown_path(path: str) -> str:
    """Return a path in one printable line, whatever its bytes are."""
    return printable(os.fsencode(path).decode("utf-8", errors="backslashreplace"))


def is_left_out(path: str) -> bool:
    """Tell whether a path leads through a hidden folder, or one of trash or previews."""
    return any(_hidden(part, "") for part in PurePosixPath(path).parts)


def _hidden(name, kind):
    """Return the problem of a name that is hidden or a system's own, else None."""
    # Names such as '...And Justice for All' are music.
    if name.startswith(".") and not name.startswith("..."):
        return f"is a hidden {kind}", "rename it if it is music"
    if name.casefold() in _RUBBISH:
        return f"is a {kind} that a system made, not music", "rename it if it is music"
    return None


def _problem(entry, name):
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not valid UTF-8", "rename the file"
    if any(ord(c) < 32 for c in name):
        return "its name holds a control character", "rename the file"
    try:
        mode = entry.stat().st_mode
    except OSError as error:
        cause = "is a dangling link" if entry.is_symlink() else f"unreadable ({error.strerror})"
        return cause, "correct or remove the link"
    if stat.S_ISDIR(mode):
        return "is a link to a folder, which is not followed", "give that folder itself"
    if not stat.S_ISREG(mode):
        return "is no regular file (a pipe, socket or device)", "replace it with a file"
    if hidden := _hidden(name, "file"):
        return hidden
    if is_audio_name(name.rstrip()) and name != name.rstrip():
        return "its name ends with a blank", "rename the file"
    if not is_audio_name(name):
        return NO_AUDIO
    if not os.access(entry.path, os.R_OK):
        return "may not be read", "change its permissions"
    return None
