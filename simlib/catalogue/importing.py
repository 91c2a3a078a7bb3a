"""Take a folder of music into the project: what can be used is copied, the rest is written down."""

import csv
import errno
import os
import shutil
import stat
from collections import Counter
from pathlib import Path, PurePosixPath

from simlib.catalogue.metadata import default_track_id, infer_metadata
from simlib.catalogue.tracks import read_tracks_table, suffixed_ids
from simlib.catalogue.triplets import TRIPLET_COLUMNS, TRIPLETS_FILE, read_triplets_table
from simlib.core import AUDIO_SUFFIXES, REJECTED_COLUMNS, SimlibError, printable


def import_folder(source, data):
    """Copy a folder of music into a new catalogue that replaces the old one in one step.

    The source is read once and never changed. Regular, readable audio files with a valid UTF-8
    name are copied, as reflinks where the file system can; everything else becomes a row of
    `rejected.csv`.

    Parameters
    ----------
    source : path-like
        Any folder; a `tracks.csv` at its top is checked and used, with paths relative to it, and so
        is a `triplets.csv`.
    data : path-like
        The catalogue to make: `audio/`, `tracks.csv`, `rejected.csv`. Judgements are people's work:
        those in an old `triplets.csv` that the source lacks stay, whatever they name.

    Returns
    -------
    taken, rejected : int
        Number of recordings and of rejected entries.

    Raises
    ------
    SimlibError
        If the source is no folder, overlaps with `data`, holds no audio, or a table has problems.
    """
    source, data = Path(source).resolve(), Path(data).resolve()
    if not source.is_dir():
        raise SimlibError(source, "is not a folder", "give FROM=/path/to/music")
    if source == data or source in data.parents or data in source.parents:
        raise SimlibError(
            source, f"overlaps with {data}, which would be replaced", "give a folder elsewhere"
        )
    theirs = source / "tracks.csv"
    table = read_tracks_table(theirs, inside_audio=False) if theirs.is_file() else None
    entries = list(_scan(source))
    judged = _judgements(source, data, _ids(table, entries))
    fresh = data.with_name(f".{data.name}.{os.getpid()}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        taken, rejected = _copy(source, fresh, entries)
        if not taken:
            raise SimlibError(
                source,
                f"holds no audio file that can be used ({len(rejected)} other entries)",
                f"simlib reads {', '.join(sorted(AUDIO_SUFFIXES))}",
            )
        _write_tables(fresh, table, judged, taken, rejected)
        _replace(data, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return len(taken), len(rejected)


def _ids(table, entries):
    """All track ids that a new catalogue may have, be it for a recording that is left out."""
    paths = ["audio/" + entry.removeprefix("audio/") for entry, _ in entries]
    listed = [row["track_id"] for row in table[1]] if table else []
    # A path is the id where two recordings would share one: see `suffixed_ids`.
    ids = {*listed, *paths, *map(default_track_id, paths)}
    return {track_id.strip() for track_id in ids}


def _judgements(source, data, ids):
    """Return the header and the rows of theirs, then of those that only the old catalogue has."""

    def triplet(row):
        return tuple(row[name] for name in TRIPLET_COLUMNS)

    old_header, old = read_triplets_table(data / TRIPLETS_FILE)
    # An id that was judged before is that of a recording that is gone: no mistake.
    known = ids.union(*(triplet(row) for _, row in old))
    header, theirs = read_triplets_table(source / TRIPLETS_FILE, known)
    rows = [row for _, row in theirs]
    # The same judgement twice is two: counted, not compared.
    left = Counter(map(triplet, rows))
    for _, row in old:
        if left[triplet(row)]:
            left[triplet(row)] -= 1
        else:
            rows.append(row)
    return list(dict.fromkeys([*header, *old_header])), rows


def _copy(source, fresh, entries):
    """Copy what can be used; return {path in the catalogue: path in the source} and rejections."""
    taken, rejected = {}, []
    for entry, problem in entries:
        shown = printable(os.fsencode(entry).decode("utf-8", errors="backslashreplace"))
        if problem:
            rejected.append((shown, *problem))
            continue
        target = "audio/" + entry.removeprefix("audio/")
        if target in taken:
            cause = f"has the same name inside the catalogue as '{taken[target]}'"
            rejected.append((shown, cause, "rename one of the two"))
            continue
        try:
            _copy_file(source / entry, fresh / target)
        except OSError as error:
            (fresh / target).unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                hint = "make room and run again"
                raise SimlibError(fresh.parent, error.strerror, hint) from None
            rejected.append((shown, f"cannot be read ({error.strerror})", "check it and the disk"))
        else:
            taken[target] = entry
    return taken, rejected


def _scan(source):
    """Yield (path relative to the source, None or (cause, mend)) for everything but folders."""

    def walk(folder):
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            name = os.path.relpath(folder, source)
            yield name, (f"folder cannot be read ({error.strerror})", "check its permissions")
            return
        for entry in entries:
            name = os.path.relpath(entry.path, source)
            if entry.is_dir(follow_symlinks=False):
                if _is_audio_name(name):
                    yield name, ("is a folder with an audio file's name", "rename the folder")
                yield from walk(entry.path)
            elif name not in ("tracks.csv", TRIPLETS_FILE):
                yield name, _problem(entry, name)

    yield from walk(source)


def _is_audio_name(name):
    return PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES


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
        return cause, "mend or remove the link"
    if stat.S_ISDIR(mode):
        return "is a link to a folder, which is not followed", "give that folder itself"
    if not stat.S_ISREG(mode):
        return "is no regular file (a pipe, socket or device)", "replace it with a file"
    if name.rpartition("/")[2].startswith("."):
        return "is a hidden file", "rename it if it is music"
    if not _is_audio_name(name):
        return "is not an audio file by its name", "nothing, or convert it to flac or mp3"
    if not os.access(entry.path, os.R_OK):
        return "may not be read", "change its permissions"
    return None


def _copy_file(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(source, "rb") as reader, open(target, "wb") as writer:
        try:
            # The kernel shares the blocks where the file system can.
            while os.copy_file_range(reader.fileno(), writer.fileno(), 1 << 30):
                pass
        except (AttributeError, OSError):
            reader.seek(0)
            writer.seek(0)
            writer.truncate()
            shutil.copyfileobj(reader, writer, 1 << 20)


def _write_tables(fresh, table, judged, taken, rejected):
    if table:
        header, rows = table
        for row in rows:
            row["path"] = "audio/" + row["path"].removeprefix("audio/")
    else:
        header = ["track_id", "path", "title", "artist", "album", "genre"]
        rows = [infer_metadata(fresh, path) for path in sorted(taken)]
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
    old = data.with_name(f".{data.name}.{os.getpid()}.old")
    if data.exists():
        os.rename(data, old)
    try:
        os.rename(fresh, data)
    except OSError:
        if old.exists():
            os.rename(old, data)
        raise
    shutil.rmtree(old, ignore_errors=True)
