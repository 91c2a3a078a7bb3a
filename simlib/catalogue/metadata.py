"""Metadata of a recording: what its table lacks comes from its tags, else from its names."""

import re
from os import PathLike
from pathlib import Path, PurePosixPath

from simlib.catalogue.csv_table import is_missing
from simlib.catalogue.file_tags import TAGS, is_nobody, read_tags

_NUMBER = r"(?:\d{1,2}|[ivx]{1,4}|one|two|three|four|five|six|[a-d])"
_DISC = re.compile(
    rf"[\[(]?(?:cd|disc|disk|dvd|side)[\s._#-]*{_NUMBER}(?:[^a-z0-9].*)?", re.IGNORECASE
)
_TRACK_NUMBER = re.compile(r"\d{1,3}(?:-\d{1,3})?[.)]?|[a-d]\d{1,2}", re.IGNORECASE)
_LEADING_NUMBER = re.compile(r"^(?:\d{1,3}[.)]\s*|0\d\s+|\d-\d\d\s+)(?=[^\d\s–—-])")
_COMPILATION = re.compile(r"(?:va|v\.a\.|various(?: artists)?)\s+[-–—]\s+(.+)", re.IGNORECASE)
_DASH = re.compile(r"\s+[-–—]\s+")


def default_track_id(path: str | PathLike) -> str:
    """Return a path without its suffix, the leading `audio/`, and blanks at its ends."""
    path = PurePosixPath(path)
    name = (path.with_suffix("") if path.name else path).as_posix().removeprefix("audio/")
    return name.strip() or path.as_posix()


def infer_metadata(data: str | PathLike, path: str) -> dict[str, str]:
    """Make a row for a file from its own tags, or from its names if it has none.

    Parameters
    ----------
    data : path-like
        The catalogue.
    path : str
        `audio/artist/album/title.mp3`, or shorter. Folders of discs are left out, and those of
        compilations are no artist. `artist - title.mp3` counts if nothing else names an artist.

    Returns
    -------
    dict
        `track_id, path, title, artist, album, genre`; unknown values are "".
    """
    return _row(path, read_tags(Path(data) / path))


def _row(path, tags):
    names = _names(path, tags["artist"])
    values = {name: tags[name] or names.get(name, "") for name in TAGS}
    return {"track_id": default_track_id(path), "path": path, **values}


def complete_metadata(data: str | PathLike, row: dict[str, str], header: list[str]) -> None:
    """Fill in what a row of a table lacks from the tags of its file, in place.

    A column that the table lacks is filled as for a file without a row; but a folder's name is no
    album if the table names artists, since the folder may be an artist's or a genre's. A cell that
    is empty, or holds a word such as `NA`, is filled from the file's tags alone. The word stays if
    the file or its folder has that very name.

    Parameters
    ----------
    data : path-like
        The catalogue.
    row : dict
        Column to text.
    header : list of str
        The columns of the table.
    """
    lacking = [name for name in TAGS if name not in header]
    lacking += [n for n in TAGS if n != "genre" and n in header and is_missing(row.get(n, ""))]
    if not lacking:
        return
    tags = read_tags(Path(data) / row["path"])
    inferred = _row(row["path"], tags)
    for name in lacking:
        cell = row.get(name, "")
        if name not in header and (name != "album" or "artist" not in header):
            row[name] = inferred[name]
        elif not cell or cell != inferred[name]:
            row[name] = tags[name]


def _names(path, artist_tag):
    """Return the metadata that folders and file names tell."""
    # An archive of Windows may have left backslashes in a name.
    *folders, name = PurePosixPath(path.replace("\\", "/").removeprefix("audio/")).parts
    folders = [folder.strip() for folder in folders if not _DISC.fullmatch(folder.strip())]
    artist, album = _artist_and_album(folders)
    title = PurePosixPath(name).stem
    if not artist and not artist_tag:
        artist, title = _artist_and_title(title)
    return {"artist": artist, "album": album, "title": title}


def _artist_and_album(folders):
    if not folders:
        return "", ""
    if compilation := _COMPILATION.fullmatch(folders[-1]):
        return "", compilation[1]
    if len(folders) > 1:
        artist, album = folders[-2:]
    else:
        parts = _DASH.split(folders[0], maxsplit=1)
        artist, album = parts if len(parts) > 1 and not parts[0].isdecimal() else (folders[0], "")
    if is_nobody(artist) or album.casefold() in ("va", "various", "various artists"):
        artist = ""
    if is_nobody(album) or album.casefold() in ("unknown album", "unbekanntes album"):
        album = ""
    return artist, album


def _artist_and_title(stem):
    """Split `01 - Artist - Title`; the artist is "" if the name has only a title."""
    parts = _DASH.split(_LEADING_NUMBER.sub("", stem.strip(), count=1))
    if len(parts) > 1 and _TRACK_NUMBER.fullmatch(parts[0]):
        parts = parts[1:]
    if len(parts) < 2:
        return "", stem
    # What stands before a number in the middle is the artist, and perhaps the album.
    numbers = [i for i, part in enumerate(parts) if i and _TRACK_NUMBER.fullmatch(part)]
    first = numbers[0] + 1 if numbers and numbers[0] + 1 < len(parts) else 1
    artist = "" if is_nobody(parts[0]) else parts[0]
    return artist, " - ".join(parts[first:])
