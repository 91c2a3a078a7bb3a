"""The tracks table of a catalogue: a folder with `audio/**` and `tracks.csv`.

Rows and files are compared here, and samples are not read.
"""

import csv
from collections.abc import Iterable
from os import PathLike
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from simlib.catalogue.columns import is_known_column, is_no_tag, rename_columns
from simlib.catalogue.csv_table import is_missing, known_tags, parse_csv, refuse_rows
from simlib.catalogue.file_tags import is_nobody
from simlib.catalogue.metadata import complete_metadata, default_track_id, infer_metadata
from simlib.catalogue.scanning import NO_AUDIO, is_left_out, scan_folder, shown_path
from simlib.catalogue.table_paths import PathFinder
from simlib.core import KNOWN_COLUMNS, REJECTED_COLUMNS, SimlibError, printable


def read_catalogue(
    data: str | PathLike, files: Iterable[str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a catalogue: the rows of its table and the audio files that have none.

    Parameters
    ----------
    data : path-like
        The folder with `audio/` and `tracks.csv`.
    files : iterable of str, optional
        Paths of the audio files inside `data`; found by `audio_files` by default.

    Returns
    -------
    tracks : pandas.DataFrame
        One row a recording, sorted by `track_id`: the columns `track_id, path, title, artist,
        album`, then those of the table, then `genre` if only the files have it. Unknown text is "";
        numeric columns are float64. What the table lacks comes from the files: see
        `complete_metadata`. Text columns such as comments and identifiers are left out.
    rejected : pandas.DataFrame
        Columns `path, cause, hint`: the rows of the catalogue's `rejected.csv`, hidden folders, and
        rows whose file is absent.

    Raises
    ------
    SimlibError
        With all problems of `tracks.csv` at once.
    """
    data = Path(data)
    rejected = _left_out(data / "rejected.csv")
    known = {"audio/" + path.removeprefix("audio/") for path, _, _ in rejected}
    if files is None:
        entries = _entries(data)
        files = [path for path, problem in entries if not problem]
        left_out = [(shown_path(path), *problem) for path, problem in entries if problem]
        rejected += [row for row in left_out if row[0] not in known]
    present = set(files)
    header, rows = read_tracks_table(data / "tracks.csv", files=present | known)
    tracks = []
    for row in rows:
        if row["path"] in present:
            complete_metadata(data, row, header)
            tracks.append(row)
        elif row["path"] not in known:
            cause = "listed in tracks.csv, but there is no such file"
            if is_left_out(row["path"]):
                cause = "listed in tracks.csv, but hidden"
            rejected.append((row["path"], cause, "add the file or take the row out"))
    listed = {row["path"] for row in tracks}
    tracks += [infer_metadata(data, path) for path in sorted(present - listed)]
    suffixed_ids(tracks)
    columns = list(dict.fromkeys([*KNOWN_COLUMNS, *header]))
    if any(row.get("genre") for row in tracks):
        columns = list(dict.fromkeys([*columns, "genre"]))
    table = pd.DataFrame(
        {name: pd.array([row.get(name, "") for row in tracks], dtype="str") for name in columns}
    )
    for name in columns:
        if name not in KNOWN_COLUMNS:
            table[name] = _as_numbers(table[name])
            if is_no_tag(name) and not pd.api.types.is_numeric_dtype(table[name]):
                del table[name]
    table = table.sort_values("track_id", ignore_index=True)
    return table, pd.DataFrame(rejected, columns=REJECTED_COLUMNS, dtype="str")


def _left_out(path):
    """Read the rows of a `rejected.csv`; none if there is no such file."""
    if not path.is_file():
        return []
    with open(path, encoding="utf-8", newline="") as stream:
        return [tuple(row) for row in list(csv.reader(stream))[1:] if len(row) == 3]


def audio_files(data: str | PathLike) -> list[str]:
    """Return the POSIX paths, inside `data`, of all regular files under `data/audio`.

    Hidden files and folders are left out, and so are those that systems make for trash, previews
    and resource forks.
    """
    return [path for path, problem in _entries(data) if not problem]


def _entries(data):
    """Return (path, None or (cause, hint)) of the files of a catalogue and of what is left out.

    A file that is no audio by its name counts, since its decoder says what it is.
    """
    folder = Path(data) / "audio"
    entries = scan_folder(folder) if folder.is_dir() else ()
    return [(f"audio/{n}", None if problem == NO_AUDIO else problem) for n, problem in entries]


def read_tracks_table(
    path: str | PathLike, *, inside_audio: bool = True, files: Iterable[str] = ()
) -> tuple[list[str], list[dict]]:
    """Read and check a `tracks.csv`.

    Parameters
    ----------
    path : path-like
        A table with a header, as spreadsheets and other programs write it: see `parse_csv`.
    inside_audio : bool
        Whether paths must begin with `audio/`. In a catalogue they must; in a folder to import
        they need not.
    files : iterable of str
        Files that paths are matched with, relative to the table's folder. A path that matches
        none stays as it is.

    Returns
    -------
    header : list of str
        The table's columns; the known ones under their own names.
    rows : list of dict
        Column to text; `path` normalised, `track_id` filled in, unknown tags and numbers "".

    Raises
    ------
    SimlibError
        One error that lists every problem found.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        hint = "run 'make catalogue FROM=/path/to/music' to make it"
        raise SimlibError(path, "is not there", hint) from None
    header, numbered, problems = parse_csv(raw, is_known_column)
    rows = [row for _, row in numbered]
    header, more = rename_columns(header, rows)
    problems += more
    if "path" in header:
        problems += _match_paths(numbered, PathFinder(path.parent, files), inside_audio)
        for row in rows:
            row["path"] = PurePosixPath(row.get("path", "")).as_posix()
        lacking = [row for row in rows if is_missing(row.get("track_id", ""))]
        for row in lacking:
            row["track_id"] = default_track_id(row["path"])
        suffixed_ids(lacking)
        problems += _repeated(rows, "path") + _repeated(rows, "track_id")
    refuse_rows(path, problems)
    header = _join_album_artist(header, rows)
    for row in rows:
        for name in header:
            if name not in KNOWN_COLUMNS:
                row[name] = known_tags(row.get(name, ""))
    return header, rows


def _match_paths(rows, finder, inside_audio):
    """Replace the paths of a table by those of files, in place; return the problems."""
    cells = [row.get("path", "") for _, row in rows]
    found = finder.find(cells)
    prefix = "" if any(found) else finder.wrong_prefix(cells)
    if prefix:
        return [prefix]
    problems = []
    for (number, row), cell, file in zip(rows, cells, found, strict=True):
        if file is not None:
            row["path"] = file
            continue
        row["path"] = cell.replace("\\", "/")
        path = PurePosixPath(row["path"])
        if not path.parts:
            problems.append(f"row {number} has no path")
        elif path.is_absolute() or ".." in path.parts:
            problems.append(f"row {number}: '{printable(cell)}' leads out of the catalogue")
        elif inside_audio and path.parts[0] != "audio":
            problems.append(f"row {number}: '{printable(cell)}' is not inside 'audio/'")
    if not problems and not any(found) and (example := finder.elsewhere(cells)):
        problems.append(example)
    if not problems and not any(found) and not inside_audio and finder.files and len(cells) > 1:
        problems.append(f"no row finds its file, for example '{printable(cells[0])}'")
    return problems


def _join_album_artist(header, rows):
    """Use the artist of the album if a row has no other, in place; return the other columns."""
    if "album_artist" not in header:
        return header
    for row in rows:
        other = row.pop("album_artist", "")
        row.setdefault("artist", "")
        if is_missing(row["artist"]) and not is_missing(other) and not is_nobody(other):
            row["artist"] = other
    header = ["artist" if name == "album_artist" else name for name in header]
    return list(dict.fromkeys(header))


def _repeated(rows, column):
    counts = pd.Series([row[column] for row in rows], dtype="str").value_counts()
    repeated = sorted(counts.index[counts > 1])
    return [f"{column} '{printable(v)}' stands in {counts[v]} rows" for v in repeated]


def _as_numbers(column):
    """Return float64 if every filled cell is a finite number, else the text itself."""
    filled = column != ""
    numbers = pd.to_numeric(column.where(filled), errors="coerce").astype("float64")
    return numbers if filled.any() and np.isfinite(numbers[filled]).all() else column


def suffixed_ids(rows: Iterable[dict]) -> None:
    """Give rows whose track id another row has (`a.mp3` beside `a.flac`) their path as id.

    Blanks at the ends of an id do not count, since they are lost when a table is read.
    """
    used = set()
    for row in rows:
        track_id = row["track_id"].strip()
        if track_id in used:
            track_id = row["path"]
        while track_id in used:
            track_id += "+"
        used.add(track_id)
        row["track_id"] = track_id
