"""Judgements of listeners: triplets of track ids in `triplets.csv` of the catalogue.

The track `nearer` is more similar to `reference` than `farther` is. Listeners contradict each other
and themselves, so a judgement that contradicts or repeats another one is kept.
"""

import csv
import io
import os
from collections import Counter
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from simlib.catalogue.csv_table import parse_csv, refuse_rows
from simlib.core import SimlibError, printable, written_aside

TRIPLETS_FILE = "triplets.csv"
TRIPLET_COLUMNS = ("reference", "nearer", "farther")


def read_triplets(data: str | PathLike, tracks: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the judgements of a catalogue.

    Parameters
    ----------
    data : path-like
        The folder with `triplets.csv`; it need not have one.
    tracks : pandas.DataFrame
        The recordings of the catalogue.

    Returns
    -------
    triplets : pandas.DataFrame
        Columns `reference, nearer, farther`: track ids, one row a judgement, in the file's order.
    left_out : pandas.DataFrame
        Columns `row, track_id`: judgements with a recording that was rejected or removed, and its
        id. They do not count. The file keeps them, since a recording may come back.

    Raises
    ------
    SimlibError
        With all problems of the file at once.
    """
    _, rows = read_triplets_table(Path(data) / TRIPLETS_FILE)
    ids = {track_id.strip(): track_id for track_id in tracks["track_id"].to_numpy(dtype=object)}
    triplets, left_out = [], []
    for number, row in rows:
        absent = [row[name] for name in TRIPLET_COLUMNS if row[name] not in ids]
        if absent:
            left_out.append((number, absent[0]))
        else:
            triplets.append([ids[row[name]] for name in TRIPLET_COLUMNS])
    return (
        pd.DataFrame(triplets, columns=list(TRIPLET_COLUMNS), dtype="str"),
        pd.DataFrame(left_out, columns=["row", "track_id"]).astype({"row": int, "track_id": "str"}),
    )


def read_triplets_table(
    path: str | PathLike, known: set[str] | None = None
) -> tuple[list[str], list[tuple[int, dict]]]:
    """Read and check a `triplets.csv`.

    Parameters
    ----------
    path : path-like
        A table with a header: see `parse_csv`. Columns beside the three are kept and not used.
    known : set of str, optional
        The valid track ids; any is valid by default.

    Returns
    -------
    header : list of str
        The table's columns; the three, if there is no such file.
    rows : list of (int, dict)
        Number of the row, counted from the header's 1, and column to text.

    Raises
    ------
    SimlibError
        One error that lists every problem found.
    """
    path = Path(path)
    try:
        if not path.is_file():
            return list(TRIPLET_COLUMNS), []
        raw = path.read_bytes()
    except OSError as error:
        cause = f"cannot be read ({error.strerror})"
        raise SimlibError(path, cause, "check its permissions and the disk") from None
    header, rows, problems = parse_csv(raw, TRIPLET_COLUMNS.__contains__)
    lacking = [name for name in TRIPLET_COLUMNS if header.count(name) != 1]
    problems += [f"there is no column '{name}', or more than one" for name in lacking]
    if not lacking:
        for number, row in rows:
            ids = [row.get(name, "") for name in TRIPLET_COLUMNS]
            problems += [f"row {number}{problem}" for problem in _row_problems(ids, known)]
    refuse_rows(path, problems)
    return header, rows


def merge_triplets(
    old: str | PathLike, new: str | PathLike, ids: set[str]
) -> tuple[list[str], list[dict]]:
    """Join two files of judgements: those of the new one, then those that only the old one has.

    Parameters
    ----------
    old, new : path-like
        Either may be absent.
    ids : set of str
        The track ids that the new file may name, beside those that the old one names.

    Returns
    -------
    header : list of str
    rows : list of dict
        Column to text.

    Raises
    ------
    SimlibError
        If one of the files has problems.
    """

    def triplet(row):
        return tuple(row[name] for name in TRIPLET_COLUMNS)

    old_header, old_rows = read_triplets_table(old)
    # An id in an old judgement is that of a recording that was removed: it is no mistake.
    known = ids.union(*(triplet(row) for _, row in old_rows))
    header, new_rows = read_triplets_table(new, known)
    rows = [row for _, row in new_rows]
    # A judgement that is there twice counts twice, so the rows are counted and not compared.
    left = Counter(map(triplet, rows))
    for _, row in old_rows:
        if left[triplet(row)]:
            left[triplet(row)] -= 1
        else:
            rows.append(row)
    return list(dict.fromkeys([*header, *old_header])), rows


def _row_problems(ids, known):
    if "" in ids:
        return [f" names no '{TRIPLET_COLUMNS[ids.index('')]}'"]
    problems = []
    if ids[0] in ids[1:]:
        problems.append(f" compares '{printable(ids[0])}' with itself")
    if ids[1] == ids[2]:
        problems.append(f" has '{printable(ids[1])}' as nearer and as farther")
    unknown = [] if known is None else [i for i in dict.fromkeys(ids) if i not in known]
    return problems + [f": there is no track '{printable(i)}'" for i in unknown]


def append_triplet(data: str | PathLike, reference: str, nearer: str, farther: str) -> None:
    """Add a judgement to a catalogue's `triplets.csv`; the file is made if there is none.

    Parameters
    ----------
    data : path-like
        The catalogue.
    reference, nearer, farther : str
        Track ids.

    Raises
    ------
    SimlibError
        If the three are not three recordings, or the file has problems.
    """
    path, ids = Path(data) / TRIPLETS_FILE, (reference, nearer, farther)
    problems = _row_problems([track_id.strip() for track_id in ids], None)
    if problems:
        raise SimlibError(path, f"a judgement{problems[0]}", "name three different recordings")
    header, rows = read_triplets_table(path)
    before = path.read_bytes() if path.exists() else b""
    if not before.startswith(_csv_line(header, dict(zip(header, header, strict=True)))):
        # A new file, or one with other separators or another encoding.
        lines = [dict(zip(header, header, strict=True)), *(row for _, row in rows)]
        before = b"".join(_csv_line(header, line) for line in lines)
    if not before.endswith(b"\n"):
        before += b"\n"
    added = _csv_line(header, dict(zip(TRIPLET_COLUMNS, ids, strict=True)))
    # The file may be a link into DVC's cache, so it is replaced and not changed in place.
    with written_aside(path) as aside, open(aside, "wb") as stream:
        stream.write(before + added)
        stream.flush()
        os.fsync(stream.fileno())


def _csv_line(header, row):
    line = io.StringIO()
    csv.DictWriter(line, header, restval="", lineterminator="\n").writerow(row)
    return line.getvalue().encode("utf-8")


def triplet_rows(triplets: pd.DataFrame, tracks: pd.DataFrame) -> np.ndarray:
    """Find the recordings of judgements in a table.

    Parameters
    ----------
    triplets : pandas.DataFrame
        From `read_triplets`.
    tracks : pandas.DataFrame
        Of the catalogue, or of one split.

    Returns
    -------
    numpy.ndarray of int64, shape (n_triplets, 3)
        Rows of `tracks`; judgements with a recording that the table lacks are left out.
    """
    index = pd.Index(tracks["track_id"].to_numpy(dtype=object))
    columns = [index.get_indexer(triplets[name].to_numpy(dtype=object)) for name in TRIPLET_COLUMNS]
    rows = np.stack(columns, axis=1).astype(np.int64)
    return rows[(rows >= 0).all(axis=1)]
