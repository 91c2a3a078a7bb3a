"""Digests of audio files, kept so that a large catalogue is not read again every day.

A file counts as unchanged while its size, its time of change and its inode stay the same, as in git
and DVC.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from simlib.core import written_aside

# In the folder of the features.
DIGESTS_FILE = "audio_digests.parquet"
_TYPES = {"size": "int64", "mtime_ns": "int64", "inode": "uint64"}


class FileStamp(NamedTuple):
    """What the file system tells about a file without reading it."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: str | os.PathLike) -> "FileStamp":
        """Take the stamp of a file.

        Raises
        ------
        OSError
            If there is no such file.
        """
        status = os.stat(path)
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


class AudioDigests:
    """The digests that an earlier run kept.

    Parameters
    ----------
    path : path-like
        A Parquet file with the columns `path, size, mtime_ns, inode, digest`. If it is absent or
        damaged, no digest is known.
    """

    def __init__(self, path: str | os.PathLike):
        self._path = Path(path)
        try:
            rows = pd.read_parquet(self._path, columns=["path", *FileStamp._fields, "digest"])
        except (OSError, ValueError):
            rows = pd.DataFrame(columns=["path", *FileStamp._fields, "digest"])
        stamps = map(FileStamp, *(rows[name].tolist() for name in FileStamp._fields))
        self._kept = dict(zip(rows["path"], zip(stamps, rows["digest"], strict=True), strict=True))

    def known(self, path: str, stamp: FileStamp) -> str | None:
        """Return the digest of an unchanged file.

        Parameters
        ----------
        path : str
            Inside the catalogue.
        stamp : FileStamp
            The one of now.

        Returns
        -------
        str or None
            None if the file must be read.
        """
        kept, digest = self._kept.get(path, (None, None))
        return digest if kept == stamp else None

    def replace(self, digests: Mapping[str, tuple[FileStamp, str]]) -> None:
        """Keep other digests in place of these.

        Parameters
        ----------
        digests : mapping of str to (FileStamp, str)
            By the file's path inside the catalogue. A stamp is taken before the file is read.
        """
        rows = [(path, *stamp, digest) for path, (stamp, digest) in sorted(digests.items())]
        table = pd.DataFrame(rows, columns=["path", *FileStamp._fields, "digest"]).astype(_TYPES)
        with written_aside(self._path) as aside:
            table.to_parquet(aside, index=False)
