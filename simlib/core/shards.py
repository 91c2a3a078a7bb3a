"""Records of arrays on disk, packed into few files and found by a key.

A file for each recording makes file systems and DVC slow. So records are packed into shards. A new
run adds shards and leaves the others as they are.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock
import numpy as np
from tqdm import tqdm

from simlib.core.errors import SimlibError
from simlib.core.files import read_json, write_json

Record = Mapping[str, np.ndarray]

# Records of a shard: what a killed run loses at most.
SHARD_RECORDS = 256
# Shards beyond twice the necessary number that are kept before all are packed anew.
SPARE_SHARDS = 50
_LIST, _PART = "shards.json", ".part"
_KEYS, _ENDS = "keys", "ends"


class ShardStore:
    """Records by their keys, in a folder with one writer at a time.

    A shard is a folder of `.npy` files: `keys`, the `ends` of each record's rows, and one file for
    each array of the records. `shards.json` lists the shards. A shard counts once it is listed, and
    never changes then; the next writer removes what a killed run left unlisted.

    A folder that cannot be written is read, and what it lacks is computed whenever it is needed.

    Parameters
    ----------
    folder : path-like
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)

    def complete(
        self, keys: Sequence[str], compute: Callable[[int], Record], progress: str
    ) -> list[Record]:
        """Return the record of each key; those that are absent are computed and stored.

        Parameters
        ----------
        keys : sequence of str
            Digests of all that makes a record's numbers, in ASCII.
        compute : callable
            Gets a position in `keys` and returns {name: array}. The arrays may differ in length
            only.
        progress : str
            What the progress bar says while records are computed.

        Returns
        -------
        list of mapping of str to numpy.ndarray
            In the order of `keys`. Arrays from the disk are mapped, and cannot be written.
        """
        with self._writer() as writable:
            found = _records(self._shards(tidy=writable))
            missing = {key: at for at, key in enumerate(keys) if key not in found}
            bar = tqdm(
                total=len(missing), desc=progress, unit="", mininterval=5, disable=not missing
            )
            with bar:
                for batch in _batches(missing.items()):
                    new = {}
                    for key, at in batch:
                        new[key] = compute(at)
                        bar.update()
                    try:
                        found |= self._append(new) if writable else new
                    except OSError:
                        # The disk is full, or taken away: this run needs the records all the same.
                        writable, found = False, found | new
            return [_record(found[key]) for key in keys]

    def drop_stale(self, keys: Collection[str]) -> None:
        """Pack the shards anew if most of their bytes are of other records, or if they are many.

        Parameters
        ----------
        keys : collection of str
            The records to keep.
        """
        with self._writer() as writable:
            shards = self._shards(tidy=writable)
            found = _records(shards)
            kept = {key: found[key] for key in dict.fromkeys(keys) if key in found}
            size = sum(shard.size for shard in shards)
            used = sum(_size(_record(place)) for place in kept.values())
            layouts: dict = {}
            for key, (shard, row) in kept.items():
                layouts.setdefault(shard.layout, {})[key] = shard, row
            needed = sum(-(-len(places) // SHARD_RECORDS) for places in layouts.values())
            if writable and (2 * used < size or len(shards) > 2 * needed + SPARE_SHARDS):
                # What a full disk cuts short is unlisted, and the next writer removes it.
                with suppress(OSError):
                    self._pack(layouts.values(), [shard.name for shard in shards])

    @contextmanager
    def _writer(self) -> Iterator[bool]:
        """Keep other writers out; yield whether this one can write."""
        # Beside the folder, because DVC digests what is inside.
        lock = filelock.FileLock(self.folder.with_name(f".{self.folder.name}.lock"))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                print(f"Waiting for another run that fills {self.folder} ...", file=sys.stderr)
                lock.acquire()
        except (OSError, NotImplementedError):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def _shards(self, tidy):
        """Open the shards that are listed and whole, in their order; remove all else to tidy."""
        shards = []
        for name in self._listed():
            try:
                shards.append(_Shard(self.folder / name))
            except (OSError, EOFError, ValueError, KeyError, IndexError):
                continue  # What it held is computed again.
        names = [shard.name for shard in shards]
        if tidy:
            with suppress(OSError):
                if names != self._listed():
                    self._list(names)
                for path in self.folder.iterdir():
                    if path.name not in (*names, _LIST):
                        _remove(path)
        return shards

    def _listed(self):
        try:
            names = list(read_json(self.folder / _LIST, ""))
        except (SimlibError, OSError, TypeError):
            return []
        return [str(name) for name in names if str(name).isdigit()]

    def _list(self, names):
        write_json(self.folder / _LIST, names)

    def _append(self, records):
        """Write a shard and list it; return where its records are."""
        listed = self._listed()
        shard = self._write(records, listed[-1] if listed else "0")
        self._list([*listed, shard.name])
        return _records([shard])

    def _pack(self, layouts, old):
        """Write other shards in place of the old ones."""
        new, last = [], old[-1]
        for places in layouts:
            for batch in _batches(places.items()):
                shard = self._write({key: _record(place) for key, place in batch}, last)
                new.append(last := shard.name)
        self._list(new)
        for name in old:
            _remove(self.folder / name)

    def _write(self, records, last):
        """Write a shard under the number after the last one's; it is whole or not there."""
        part, final = self.folder / _PART, self.folder / f"{int(last) + 1:08d}"
        _remove(part)
        part.mkdir()
        names = sorted(next(iter(records.values())))
        for name in names:
            _save(part, name, np.concatenate([record[name] for record in records.values()]))
        lengths = [[len(record[name]) for name in names] for record in records.values()]
        _save(part, _ENDS, np.cumsum(lengths, axis=0, dtype=np.int64))
        _save(part, _KEYS, np.array(list(records), dtype="S"))
        os.rename(part, final)
        return _Shard(final)


class _Shard:
    """A shard on disk, whose arrays are mapped."""

    def __init__(self, folder):
        paths = sorted(folder.glob("*.npy"))
        arrays = {path.stem: np.load(path, mmap_mode="r", allow_pickle=False) for path in paths}
        self.name = folder.name
        self.keys = [key.decode() for key in arrays.pop(_KEYS).tolist()]
        self._ends = np.array(arrays.pop(_ENDS))
        # Slices of plain views are made faster than those of numpy.memmap.
        self._arrays = {name: np.asarray(array) for name, array in arrays.items()}
        self.size = _size(self._arrays)
        rows = {name: len(array) for name, array in self._arrays.items()}
        if len(self.keys) != len(self._ends) or list(rows.values()) != self._ends[-1].tolist():
            raise ValueError("its arrays do not fit together")

    @property
    def layout(self):
        """What records must share to be packed into one shard."""
        return tuple((n, array.dtype.str, array.shape[1:]) for n, array in self._arrays.items())

    def record(self, row):
        begins = self._ends[row - 1] if row else itertools.repeat(0)
        bounds = zip(self._arrays.items(), begins, self._ends[row], strict=False)
        return {name: array[begin:end] for (name, array), begin, end in bounds}


def _records(shards):
    """Return {key: (shard, row)}."""
    return {key: (shard, row) for shard in shards for row, key in enumerate(shard.keys)}


def _record(place):
    """Return the record at a place, or the record itself if it is on no disk."""
    return place[0].record(place[1]) if isinstance(place, tuple) else place


def _size(record):
    return sum(array.nbytes for array in record.values())


def _batches(items: Iterable) -> Iterator[tuple]:
    items = iter(items)
    while batch := tuple(itertools.islice(items, SHARD_RECORDS)):
        yield batch


def _save(folder, name, array):
    np.save(folder / f"{name}.npy", array, allow_pickle=False)


def _remove(path):
    """Remove a file, or a folder with all that it holds, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
