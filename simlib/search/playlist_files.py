"""Lists that leave simlib: playlists in M3U for players, tables in CSV for spreadsheets."""

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from simlib.core import SimlibError, written_aside

# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_m3u(
    found: pd.DataFrame, tracks: pd.DataFrame, data: Path, file: str | os.PathLike
) -> None:
    """Write a list as an extended M3U playlist, in UTF-8.

    Files are named relative to the playlist, so that both can be moved together.

    Parameters
    ----------
    found : pandas.DataFrame
        With the column `track_id`, in the order of playing.
    tracks : pandas.DataFrame
        The catalogue's table, with `track_id`, `path`, `seconds`, `title` and `artist`.
    data : pathlib.Path
        The folder that paths are relative to.
    file : path-like

    Raises
    ------
    SimlibError
        If the file cannot be written.
    """
    rows = pd.Index(tracks["track_id"]).get_indexer(found["track_id"])
    lines = ["#EXTM3U"]
    for track in tracks.iloc[rows].itertuples():
        name = " - ".join(filter(None, (_one_line(track.artist), _one_line(track.title))))
        lines.append(f"#EXTINF:{round(track.seconds)},{name}")
        lines.append(_location(data / track.path, Path(file)))
    _write(file, "".join(f"{line}\n" for line in lines), "utf-8")


def write_csv(found: pd.DataFrame, file: str | os.PathLike) -> None:
    """Write a list as a table that spreadsheets open, in UTF-8 with a byte order mark.

    A column of mappings, such as `why`, becomes a column for each key. Text that a spreadsheet
    would compute as a formula begins with an apostrophe.

    Parameters
    ----------
    found : pandas.DataFrame
    file : path-like

    Raises
    ------
    SimlibError
        If the file cannot be written.
    """
    table: dict[str, list] = {}
    for name, column in found.items():
        values = column.to_numpy(dtype=object)
        if len(values) and isinstance(values[0], Mapping):
            table |= {f"{name} {key}": [_safe(one[key]) for one in values] for key in values[0]}
        else:
            table[name] = [_safe(value) for value in values]
    text = pd.DataFrame({_safe(name): values for name, values in table.items()}).to_csv(index=False)
    _write(file, text, "utf-8-sig")


def _one_line(text):
    return " ".join(str(text).split())


def _location(audio, playlist):
    """Return where a playlist finds a file."""
    audio, folder = Path(os.path.abspath(audio)), os.path.abspath(playlist.parent)
    try:
        relative = Path(os.path.relpath(audio, folder)).as_posix()
    except ValueError:
        # On another drive there is no relative path.
        relative = str(audio)
    if "\n" in relative or "\r" in relative:
        return audio.as_uri()
    # A line that begins with # is a comment, and one with a scheme an address.
    return f"./{relative}" if relative[0] == "#" or ":" in relative.partition("/")[0] else relative


def _safe(value):
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _write(file, text, encoding):
    try:
        with written_aside(file) as aside:
            aside.write_bytes(text.encode(encoding, errors="surrogateescape"))
    except OSError as error:
        cause = f"cannot be written ({error.strerror})"
        raise SimlibError(file, cause, "name a file in a folder that you can write to") from None
