"""Import of a folder of music: usable files are copied, the others are listed with their causes."""

import csv
import errno
import os
import shutil
from pathlib import Path

from simlib.catalogue.metadata import default_track_id, infer_metadata
from simlib.catalogue.scanning import scan_folder, shown_path
from simlib.catalogue.tracks import read_tracks_table, suffixed_ids
from simlib.catalogue.triplets import TRIPLETS_FILE, merge_triplets
from simlib.core import AUDIO_SUFFIXES, REJECTED_COLUMNS, SimlibError

_CONTENT = ("audio", "tracks.csv", "rejected.csv", TRIPLETS_FILE)


def import_folder(source: str | os.PathLike, data: str | os.PathLike) -> tuple[int, int]:
    """Copy a folder of music into a new catalogue that replaces the old one in one step.

    If `data` is a link or a mounted disk, it stays, and what the catalogue holds is replaced in it.

    The source is read once and never changed. Regular, readable audio files with a valid UTF-8
    name are copied, as reflinks if the file system can; everything else becomes a row of
    `rejected.csv`.

    Parameters
    ----------
    source : path-like
        Any folder. A `tracks.csv` at its top is checked and used, with paths relative to it, and so
        is a `triplets.csv`.
    data : path-like
        The catalogue to make: `audio/`, `tracks.csv`, `rejected.csv`. Judgements in an old
        `triplets.csv` stay, since they are the work of people.

    Returns
    -------
    copied, rejected : int
        Number of recordings and of rejected entries.

    Raises
    ------
    SimlibError
        If the source is no folder, overlaps with `data`, holds no audio, or a table has problems.
    """
    kept = os.path.islink(data) or os.path.ismount(data)
    source, data = Path(source).resolve(), Path(data).resolve()
    if not source.is_dir():
        raise SimlibError(source, "is not a folder", "give FROM=/path/to/music")
    if source == data or source in data.parents or data in source.parents:
        cause = f"overlaps with {data}, which would be replaced"
        raise SimlibError(source, cause, "give a folder elsewhere")
    entries = list(scan_folder(source))
    own = _own_table(source, entries)
    entries = [(p or ".", problem) for p, problem in entries if p not in (own, TRIPLETS_FILE)]
    files = [path for path, _ in entries]
    table = read_tracks_table(source / own, inside_audio=False, files=files) if own else None
    ids = _possible_ids(table, entries)
    judged = merge_triplets(data / TRIPLETS_FILE, source / TRIPLETS_FILE, ids)
    # On the same disk as what it replaces.
    fresh = (data if kept else data.parent) / f".{data.name}.{os.getpid()}.part"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        copied, rejected = _copy(source, fresh, entries)
        if not copied:
            cause = f"holds no audio file that can be used ({len(rejected)} other entries)"
            raise SimlibError(source, cause, f"simlib reads {', '.join(sorted(AUDIO_SUFFIXES))}")
        _write_tables(fresh, table, judged, copied, rejected)
        for name in _CONTENT if kept else [""]:
            _replace(data / name, fresh / name)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return len(copied), len(rejected)


def _inside(path):
    """Return the path that a file of the source has in the catalogue."""
    return "audio/" + path.removeprefix("audio/")


def _possible_ids(table, entries):
    """Return all track ids that the new catalogue may have, also those of rejected recordings."""
    paths = [_inside(entry) for entry, _ in entries]
    listed = [row["track_id"] for row in table[1]] if table else []
    # The id is the path if two recordings would share an id: see `suffixed_ids`.
    ids = {*listed, *paths, *map(default_track_id, paths)}
    return {track_id.strip() for track_id in ids}


def _copy(source, fresh, entries):
    """Copy what can be used; return {path in the catalogue: path in the source} and rejections."""
    copied, rejected = {}, []
    for entry, problem in entries:
        target = _inside(entry)
        if not problem and target in copied:
            cause = f"has the same name inside the catalogue as '{copied[target]}'"
            problem = cause, "rename one of the two"
        problem = problem or _copied(source, fresh, entry)
        if problem:
            rejected.append((shown_path(entry), *problem))
        else:
            copied[target] = entry
    return copied, rejected


def _copied(source, fresh, entry):
    """Copy a file; return None, or (cause, hint) if it cannot be read."""
    target = fresh / _inside(entry)
    try:
        _copy_file(source / entry, target)
    except OSError as error:
        target.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SimlibError(fresh.parent, error.strerror, "make room and run again") from None
        return f"cannot be read ({error.strerror})", "check it and the disk"
    return None


def _own_table(source, entries):
    """Return the name of the table at the top of a folder, in capitals or not, or None."""
    names = [path for path, _ in entries if path.casefold() == "tracks.csv"]
    names = [name for name in names if (source / name).is_file()]
    return "tracks.csv" if "tracks.csv" in names else next(iter(names), None)


def _copy_file(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(source, "rb") as reader, open(target, "wb") as writer:
        try:
            # The kernel shares the blocks if the file system can.
            while os.copy_file_range(reader.fileno(), writer.fileno(), 1 << 30):
                pass
        except (AttributeError, OSError):
            reader.seek(0)
            writer.seek(0)
            writer.truncate()
            shutil.copyfileobj(reader, writer, 1 << 20)


def _write_tables(fresh, table, judged, copied, rejected):
    if table:
        header, rows = table
        # Two rows may become one: `a.wav` beside `audio/a.wav`. The file that was copied counts.
        rows = sorted(rows, key=lambda row: copied.get(_inside(row["path"])) != row["path"])
        unique = {_inside(row["path"]): row | {"path": _inside(row["path"])} for row in rows[::-1]}
        rows = [unique[path] for path in dict.fromkeys(_inside(row["path"]) for row in table[1])]
    else:
        header = ["track_id", "path", "title", "artist", "album", "genre"]
        rows = [infer_metadata(fresh, path) for path in sorted(copied)]
        suffixed_ids(rows)
    _write_csv(fresh / "tracks.csv", header, ([row[name] for name in header] for row in rows))
    _write_csv(fresh / "rejected.csv", REJECTED_COLUMNS, sorted(rejected))
    header, rows = judged
    if rows:
        cells = ([row.get(name, "") for name in header] for row in rows)
        _write_csv(fresh / TRIPLETS_FILE, header, cells)


def _write_csv(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _replace(data, fresh):
    """Put a file or folder, which may be absent, in the place of another one."""
    old = data.with_name(f".{data.name}.{os.getpid()}.old")
    if data.exists():
        os.rename(data, old)
    try:
        if fresh.exists():
            os.rename(fresh, data)
    except OSError:
        if old.exists():
            os.rename(old, data)
        raise
    shutil.rmtree(old, ignore_errors=True)
    # It may be a file.
    old.unlink(missing_ok=True)
