"""Metadata of a recording without a row: from its own tags, else from its folders' names."""

from os import PathLike
from pathlib import Path, PurePosixPath

import mutagen


def default_track_id(path: str | PathLike) -> str:
    """Return a path without its suffix and without the leading `audio/`."""
    path = PurePosixPath(path)
    return (path.with_suffix("") if path.name else path).as_posix().removeprefix("audio/")


def infer_metadata(data: str | PathLike, path: str) -> dict[str, str]:
    """Make a row for a file from its own tags, or from its folders' names if it has none.

    Parameters
    ----------
    data : path-like
        The catalogue.
    path : str
        `audio/artist/album/title.mp3`, or shorter.

    Returns
    -------
    dict
        `track_id, path, title, artist, album, genre`; unknown values are "".
    """
    tags = _file_tags(Path(data) / path)
    folders = PurePosixPath(path).parts[1:-1]
    return {
        "track_id": default_track_id(path),
        "path": path,
        "title": tags["title"] or PurePosixPath(path).stem,
        "artist": tags["artist"] or (folders[-2] if len(folders) > 1 else "".join(folders[-1:])),
        "album": tags["album"] or (folders[-1] if len(folders) > 1 else ""),
        "genre": tags["genre"],
    }


# mutagen has no common names for the tags of WMA and WAV.
_TAG_NAMES = {
    "title": ("title", "Title", "TIT2"),
    "artist": ("artist", "Author", "TPE1"),
    "album": ("album", "WM/AlbumTitle", "TALB"),
    "genre": ("genre", "WM/Genre", "TCON"),
}


def _file_tags(path):
    try:
        tags = mutagen.File(path, easy=True)
    except Exception:  # noqa: BLE001 - a tag parser fed untrusted bytes; decoding judges the file
        tags = None
    return {name: _first_text(tags, keys) for name, keys in _TAG_NAMES.items()}


def _first_text(tags, keys):
    """Return the first tag that has a value, in one line; several values are joined by `;`."""
    for key in keys:
        try:
            values = tags.get(key) if tags is not None else None
        except (KeyError, ValueError):
            values = None
        if values:
            values = getattr(values, "text", values)
            values = values if isinstance(values, list) else [values]
            text = ";".join(str(value).strip() for value in values)
            return " ".join(text.replace("\0", ";").split())
    return ""
