"""The feature store: arrays found by a digest of all that makes their numbers."""

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from simlib.core import (
    BACKBONE_PREFIX,
    RESERVED_COLUMNS,
    SimlibError,
    read_json,
    write_json,
    written_aside,
)
from simlib.features.recording import RecordingFeatures

FEATURE_KINDS = ("log_mel", "descriptor", "degraded")
EXTRACT_HINT = "run 'dvc repro extract'"


class FeatureStore:
    """The features on disk: `<kind>/<key>.npy`, and `tracks.parquet`.

    The kinds are `FEATURE_KINDS`, and `backbone.<name>` for each backbone. The folder of a backbone
    is its name.

    A key is a digest of all that makes the numbers: the file's bytes, the settings, the code and
    the libraries. So nothing is computed twice, and nothing stale is taken for new.

    Parameters
    ----------
    folder : path-like
    """

    def __init__(self, folder: str | PathLike):
        self.folder = Path(folder)
        self._table, self._settings = self.folder / "tracks.parquet", self.folder / "front_end.json"
        self._backbones = self.folder / "backbones.json"

    def path(self, kind: str, key: str) -> Path:
        """Return the file of a feature."""
        return self.folder / kind.removeprefix(BACKBONE_PREFIX) / f"{key}.npy"

    def save(self, kind: str, key: str, rows: np.ndarray) -> None:
        """Write a feature; a file appears whole or not at all."""
        with written_aside(self.path(kind, key)) as aside:
            np.save(aside, rows, allow_pickle=False)

    def finish(self, tracks: pd.DataFrame, front_end: dict, backbones: Mapping[str, str]) -> None:
        """Write the table and the settings, and remove all features that no track needs.

        Parameters
        ----------
        tracks : pandas.DataFrame
            See `tracks`.
        front_end : dict
            See `front_end`.
        backbones : mapping of str to str
            See `backbones`.
        """
        needed = {self._table, self._settings, self._backbones}
        for kind in (*FEATURE_KINDS, *(BACKBONE_PREFIX + name for name in backbones)):
            needed |= {self.path(kind, key) for key in tracks[kind]}
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in needed:
                path.unlink()
        with written_aside(self._table) as aside:
            tracks.to_parquet(aside, index=False)
        write_json(self._settings, front_end)
        write_json(self._backbones, dict(backbones))

    def tracks(self) -> pd.DataFrame:
        """Return the table of what is stored.

        Returns
        -------
        pandas.DataFrame
            The catalogue's columns, `seconds`, `digest`, and a column of keys for each kind of
            features.

        Raises
        ------
        SimlibError
            If there is none yet, or another version of simlib made it.
        """
        if not self._table.is_file():
            raise SimlibError(self._table, "is not there", EXTRACT_HINT)
        table = pd.read_parquet(self._table)
        missing = [name for name in RESERVED_COLUMNS if name not in table]
        if missing:
            cause = f"has no column '{missing[0]}': another version of simlib made it"
            raise SimlibError(self._table, cause, EXTRACT_HINT)
        return table

    def front_end(self) -> dict:
        """Return the settings that the log-mel spectrograms were made with."""
        return read_json(self._settings, EXTRACT_HINT)

    def features(self, track: pd.Series) -> RecordingFeatures:
        """Map all features of a row of `tracks`."""
        log_mel, descriptor = self.log_mel(track["log_mel"]), self.descriptor(track["descriptor"])
        names = (name for name in track.index if name.startswith(BACKBONE_PREFIX))
        backbones = {
            name.removeprefix(BACKBONE_PREFIX): self._load(name, track[name]) for name in names
        }
        return RecordingFeatures(log_mel, descriptor, backbones)

    def backbones(self) -> dict[str, str]:
        """Return the variant of each backbone, which a query must use; see `load_backbone`."""
        return read_json(self._backbones, EXTRACT_HINT)

    def log_mel(self, key: str) -> np.ndarray:
        """Map a log-mel spectrogram: float16, shape (n_frames, n_mels)."""
        return self._load("log_mel", key)

    def descriptor(self, key: str) -> np.ndarray:
        """Map a recording's descriptor: float32, shape (n_blocks, 102)."""
        return self._load("descriptor", key)

    def backbone(self, name: str, key: str) -> np.ndarray:
        """Map a recording's activations: float16, shape (n_patches, size)."""
        return self._load(BACKBONE_PREFIX + name, key)

    def descriptors(self, keys: Iterable[str], kind: str = "descriptor") -> np.ndarray:
        """Stack the recordings' descriptors.

        Parameters
        ----------
        keys : iterable of str
        kind : str
            Or `degraded`, for those of degraded copies.

        Returns
        -------
        numpy.ndarray of float32, shape (n_tracks, 102)
            The mean over each recording's rows.
        """
        return np.stack([self._load(kind, key).mean(axis=0) for key in keys])

    def _load(self, kind, key):
        path = self.path(kind, key)
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise SimlibError(path, f"cannot be read ({error})", EXTRACT_HINT) from None
