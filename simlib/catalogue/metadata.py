"""The tracks table: read, checked, completed from the files' own tags, and split by artist.

A catalogue is a folder with `audio/**` and `tracks.csv`. Nothing here looks at samples.
"""

from pathlib import Path, PurePosixPath

import mutagen


def default_track_id(path):
    """Return a path without its suffix and without the leading `audio/` that all share."""
    path = PurePosixPath(path)
    return (path.with_suffix("") if path.name else path).as_posix().removeprefix("audio/")


def infer_metadata(data, path):
    """Make a row for a file from its own tags and, failing those, from its folders' names.

    Parameters
    ----------
    data : path-like
        The catalogue.
    path : str
        `audio/artist/album/title.mp3`, or shorter.

    Returns
    -------
    dict
        `track_id, path, title, artist, album, genre`, "" where nothing is known.
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


def _file_tags(path):
    names = ("title", "artist", "album", "genre")
    try:
        tags = mutagen.File(path, easy=True)
    except Exception:  # noqa: BLE001 - a tag parser fed untrusted bytes; decoding judges the file
        tags = None
    found = dict.fromkeys(names, "")
    for name in names:
        # WMA and WAV have no 'easy' names in mutagen: their own spellings stand beside.
        for key in (name, *_FOREIGN_NAMES[name]):
            try:
                values = tags.get(key) if tags is not None else None
            except (KeyError, ValueError):
                values = None
            if values:
                values = getattr(values, "text", values)
                values = values if isinstance(values, list) else [values]
                text = ";".join(str(v).strip() for v in values)
                found[name] = " ".join(text.replace("\0", ";").split())
                break
    return found


_FOREIGN_NAMES = {
    "title": ("Title", "TIT2"),
    "artist": ("Author", "TPE1"),
    "album": ("WM/AlbumTitle", "TALB"),
    "genre": ("WM/Genre", "TCON"),
}
