"""The tracks table: read, checked, completed from the files' own tags, and split by artist.

A catalogue is a folder with `audio/**` and `tracks.csv`. Nothing here looks at samples.
"""

import csv
import hashlib
import io
import re
import unicodedata
from pathlib import Path, PurePosixPath

import mutagen
import numpy as np
import pandas as pd

from simlib.artefacts import SimlibError, printable

KNOWN = ("track_id", "path", "title", "artist", "album")
SUFFIXES = frozenset(".wav .flac .ogg .opus .mp3 .m4a .mp4 .aac .wma .webm".split())
REJECTED_COLUMNS = ["path", "cause", "mend"]
# Columns that the pipeline adds to the table itself.
RESERVED = ("seconds", "digest", "log_mel", "descriptor", "worn")


def read(data, files=None):
    """Read a catalogue: the rows of its table and the audio files that have none.

    Parameters
    ----------
    data : path-like
        The folder with `audio/` and `tracks.csv`.
    files : iterable of str, optional
        Paths of the audio files inside `data`; looked up by default.

    Returns
    -------
    tracks : pandas.DataFrame
        One row a recording, sorted by `track_id`: the columns `track_id, path, title, artist,
        album`, then those of the table. Text is "" where unknown; numeric columns are float64.
    rejected : pandas.DataFrame
        Columns `path, cause, mend`: what `rejected.csv` in the catalogue says was left out, and
        rows whose file is absent.

    Raises
    ------
    SimlibError
        With all problems of `tracks.csv` at once.
    """
    data = Path(data)
    files = sorted(audio_files(data) if files is None else files)
    header, rows = read_table(data / "tracks.csv")
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
    tracks += [infer(data, path) for path in files if path not in listed]
    tell_apart(tracks)
    columns = list(dict.fromkeys([*KNOWN, *header]))
    table = pd.DataFrame(
        {name: pd.array([row.get(name, "") for row in tracks], dtype="str") for name in columns}
    )
    for name in columns:
        if name not in KNOWN:
            table[name] = _numbers_where_all_are(table[name])
    table = table.sort_values("track_id", ignore_index=True)
    return table, pd.DataFrame(rejected, columns=REJECTED_COLUMNS, dtype="str")


def _left_out(path):
    """Read the rows of a `rejected.csv`; none where there is no such file."""
    if not path.is_file():
        return []
    with open(path, encoding="utf-8", newline="") as stream:
        return [tuple(row) for row in list(csv.reader(stream))[1:] if len(row) == 3]


def audio_files(data):
    """Return the POSIX paths, inside `data`, of all regular files under `data/audio`."""
    found = (p for p in (Path(data) / "audio").rglob("*") if p.is_file())
    return [p.relative_to(data).as_posix() for p in found if not p.name.startswith(".")]


def read_table(path, *, inside_audio=True):
    """Read and check a `tracks.csv`.

    Parameters
    ----------
    path : path-like
        UTF-8, comma-separated, with a header.
    inside_audio : bool
        Whether paths must begin with `audio/`, as they do in a catalogue but need not in a folder
        that is still to be taken in.

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
        raise SimlibError(
            path, "is not there", "run 'make catalogue FROM=/path/to/music' to make it"
        ) from None
    header, numbered, problems = parsed(raw)
    problems += _header_problems(header)
    rows = [row for _, row in numbered]
    if "path" in header:
        problems += _path_problems(numbered, inside_audio)
        for row in rows:
            row["path"] = PurePosixPath(row.get("path", "")).as_posix()
            row["track_id"] = row.get("track_id") or default_track_id(row["path"])
        problems += _repeated(rows, "path") + _repeated(rows, "track_id")
    refuse(path, problems)
    return header, rows


def parsed(raw):
    """Parse a CSV table with a header, whatever is wrong with it.

    Parameters
    ----------
    raw : bytes
        UTF-8, comma-separated.

    Returns
    -------
    header : list of str
    rows : list of (int, dict)
        Number of the row, counted from the header's 1, and column to text; blank rows are left out.
    problems : list of str
    """
    problems = []
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.append(f"line {line} is not UTF-8 (save the table as 'CSV UTF-8')")
        text = raw.decode("utf-8-sig", errors="replace")
    lines = []
    try:
        lines.extend(csv.reader(io.StringIO(text.replace("\0", ""), newline="")))
    except csv.Error as error:
        problems.append(f"row {len(lines) + 1} cannot be parsed ({error}; is a quote left open?)")
    header = [name.strip() for name in lines[0]] if lines else []
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        if not cells:
            continue
        if len(cells) != len(header):
            problems.append(f"row {number} has {len(cells)} cells, not {len(header)}")
        rows.append((number, dict(zip(header, (cell.strip() for cell in cells), strict=False))))
    return header, rows, problems


def refuse(path, problems):
    """Raise one SimlibError that lists all problems of a table, if there are any."""
    if problems:
        shown = problems[:50] + ([f"and {len(problems) - 50} more"] if len(problems) > 50 else [])
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}: "
        raise SimlibError(path, count + "; ".join(shown), "mend these rows and run again")


def _header_problems(header):
    problems = []
    if "path" not in header:
        problems.append("there is no column 'path'")
    for position, name in enumerate(header, start=1):
        if not name or re.fullmatch(r"Unnamed: \d+", name):
            problems.append(f"column {position} has no name")
        elif name in RESERVED:
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


def _numbers_where_all_are(column):
    """Return float64 if every filled cell is a finite number, the text itself otherwise."""
    numbers = pd.to_numeric(column.where(column != ""), errors="coerce").astype("float64")
    filled = column != ""
    if filled.any() and np.isfinite(numbers[filled]).all():
        return numbers
    return column


def tell_apart(rows):
    """Give rows whose track id is taken already (`a.mp3` beside `a.flac`) their path as id."""
    taken = set()
    for row in rows:
        if row["track_id"] in taken:
            row["track_id"] = row["path"]
        taken.add(row["track_id"])


def default_track_id(path):
    """Return a path without its suffix and without the leading `audio/` that all share."""
    path = PurePosixPath(path)
    return (path.with_suffix("") if path.name else path).as_posix().removeprefix("audio/")


def infer(data, path):
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


def artist_keys(tracks):
    """Return the artists as they are compared: stripped, case-folded, a missing one unique.

    Parameters
    ----------
    tracks : pandas.DataFrame
        With `artist` and `track_id`.

    Returns
    -------
    numpy.ndarray of object, shape (n_tracks,)
    """
    artists = tracks["artist"].to_numpy(dtype=object)
    ids = tracks["track_id"].to_numpy(dtype=object)
    names = [unicodedata.normalize("NFKC", str(a)).strip().casefold() for a in artists]
    keys = [f"a:{n}" if n else f"t:{i}" for n, i in zip(names, ids, strict=True)]
    return np.array(keys, dtype=object)


def tag_sets(column):
    """Split a text column at `;` into one frozenset of case-folded tags a track.

    Parameters
    ----------
    column : pandas.Series
        Text, several values separated by `;`.

    Returns
    -------
    list of frozenset of str
    """
    return [
        frozenset(v.strip().casefold() for v in str(cell).split(";") if v.strip())
        for cell in column.to_numpy(dtype=object)
    ]


def tag_columns(tracks):
    """Name the tag columns: text columns with a value that two artists share.

    Parameters
    ----------
    tracks : pandas.DataFrame

    Returns
    -------
    list of str
        In the table's order.
    """
    artists = artist_keys(tracks)
    columns = []
    for name in tracks.columns:
        if name in (*KNOWN, *RESERVED) or pd.api.types.is_numeric_dtype(tracks[name]):
            continue
        owner = {}
        for artist, tags in zip(artists, tag_sets(tracks[name]), strict=True):
            if any(owner.setdefault(tag, artist) != artist for tag in tags):
                columns.append(name)
                break
    return columns


def split(tracks, settings):
    """Assign every track to `train`, `validation` or `test` by a hash of its artist.

    An artist's side depends on nothing but its name and the seed: it stays when others arrive.

    Parameters
    ----------
    tracks : pandas.DataFrame
    settings : simlib.settings.SplitSettings

    Returns
    -------
    numpy.ndarray of object, shape (n_tracks,)
    """
    sides = []
    for key in artist_keys(tracks):
        digest = hashlib.sha256(f"{settings.seed}:{key}".encode()).digest()
        draw = int.from_bytes(digest[:8], "big") / 2**64
        if draw < settings.test:
            sides.append("test")
        elif draw < settings.test + settings.validation:
            sides.append("validation")
        else:
            sides.append("train")
    return np.array(sides, dtype=object)
