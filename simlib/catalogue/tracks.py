"""The tracks table of a catalogue: a folder with `audio/**` and `tracks.csv`.

Rows and files are compared here, and samples are not read.
"""

import csv
import re
from collections.abc import Iterable
from os import PathLike
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from simlib.catalogue.csv_table import parse_csv, refuse_rows
from simlib.catalogue.metadata import default_track_id, infer_metadata
from simlib.core import KNOWN_COLUMNS, REJECTED_COLUMNS, RESERVED_COLUMNS, SimlibError, printable


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
        album`, then those of the table. Unknown text is ""; numeric columns are float64.
    rejected : pandas.DataFrame
        Columns `path, cause, hint`: the rows of the catalogue's `rejected.csv`, and rows whose
        file is absent.

    Raises
    ------
    SimlibError
        With all problems of `tracks.csv` at once.
    """
    data = Path(data)
    files = sorted(audio_files(data) if files is None else files)
    header, rows = read_tracks_table(data / "tracks.csv")
    rejected, present = _left_out(data / "rejected.csv"), set(files)
    known = {"audio/" + path.removeprefix("audio/") for path, _, _ in rejected}
    tracks = []
    for row in rows:
        if row["path"] in present:
            tracks.append(row)
        elif row["path"] not in known:
            cause = "listed in tracks.csv, but there is no such file"
            rejected.append((row["path"], cause, "add the file or take the row out"))
    listed = {row["path"] for row in tracks}
    tracks += [infer_metadata(data, path) for path in files if path not in listed]
    suffixed_ids(tracks)
    columns = list(dict.fromkeys([*KNOWN_COLUMNS, *header]))
    table = pd.DataFrame(
        {name: pd.array([row.get(name, "") for row in tracks], dtype="str") for name in columns}
    )
    for name in columns:
        if name not in KNOWN_COLUMNS:
            table[name] = _as_numbers(table[name])
    table = table.sort_values("track_id", ignore_index=True)
    return table, pd.DataFrame(rejected, columns=REJECTED_COLUMNS, dtype="str")


def _left_out(path):
    """Read the rows of a `rejected.csv`; none if there is no such file."""
    if not path.is_file():
        return []
    with open(path, encoding="utf-8", newline="") as stream:
        return [tuple(row) for row in list(csv.reader(stream))[1:] if len(row) == 3]


def audio_files(data: str | PathLike) -> list[str]:
    """Return the POSIX paths, inside `data`, of all regular files under `data/audio`."""
    found = (p for p in (Path(data) / "audio").rglob("*") if p.is_file())
    return [p.relative_to(data).as_posix() for p in found if not p.name.startswith(".")]


def read_tracks_table(
    path: str | PathLike, *, inside_audio: bool = True
) -> tuple[list[str], list[dict]]:
    """Read and check a `tracks.csv`.

    Parameters
    ----------
    path : path-like
        UTF-8, comma-separated, with a header.
    inside_audio : bool
        Whether paths must begin with `audio/`. In a catalogue they must; in a folder to import
        they need not.

    Returns
    -------
    header : list of str
        The table's columns.
    rows : list of dict
        Column to text; `path` normalised, `track_id` filled in.

    Raises
    ------
    SimlibError
        One error that lists every problem found.
    """
    try:
        raw = Path(path).read_bytes()
    except FileNotFoundError:
        hint = "run 'make catalogue FROM=/path/to/music' to make it"
        raise SimlibError(path, "is not there", hint) from None
    header, numbered, problems = parse_csv(raw)
    problems += _header_problems(header)
    rows = [row for _, row in numbered]
    if "path" in header:
        problems += _path_problems(numbered, inside_audio)
        for row in rows:
            row["path"] = PurePosixPath(row.get("path", "")).as_posix()
            row["track_id"] = row.get("track_id") or default_track_id(row["path"])
        problems += _repeated(rows, "path") + _repeated(rows, "track_id")
    refuse_rows(path, problems)
    return header, rows


def _header_problems(header):
    problems = []
    if "path" not in header:
        problems.append("there is no column 'path'")
    for position, name in enumerate(header, start=1):
        if not name or re.fullmatch(r"Unnamed: \d+", name):
            problems.append(f"column {position} has no name")
        elif name in RESERVED_COLUMNS:
            problems.append(f"column '{name}' is a name that the pipeline uses itself")
    for name in sorted({n for n in header if n and header.count(n) > 1}):
        problems.append(f"{header.count(name)} columns are called '{printable(name)}'")
    return problems


def _path_problems(rows, inside_audio):
    problems = []
    for number, row in rows:
        path = PurePosixPath(row.get("path", ""))
        if not path.parts:
            problems.append(f"row {number} has no path")
        elif path.is_absolute() or ".." in path.parts or "\\" in row["path"]:
            problems.append(f"row {number}: '{printable(path)}' leads out of the catalogue")
        elif inside_audio and path.parts[0] != "audio":
            problems.append(f"row {number}: '{printable(path)}' is not inside 'audio/'")
    return problems


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
    """Give rows whose track id another row has (`a.mp3` beside `a.flac`) their path as id."""
    used = set()
    for row in rows:
        if row["track_id"] in used:
            row["track_id"] = row["path"]
        used.add(row["track_id"])
