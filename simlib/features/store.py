"""Log-mel spectrograms, the hand-picked baseline descriptor, and the store that keeps both.

Everything is computed over a stream of blocks, so that memory does not grow with a recording's
length; the log-mel frames are those of the whole signal all the same.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from simlib.core import SimlibError, read_json

# What is stored of a recording.
FEATURE_KINDS = ("log_mel", "descriptor", "degraded")
EXTRACT_HINT = "run 'dvc repro extract'"


class FeatureStore:
    """The features on disk: `<kind>/<key>.npy` for each of `FEATURE_KINDS`, and `tracks.parquet`.

    A key is a digest of all that makes the numbers: the file's bytes, the settings, the code and
    the libraries. What was computed once is never computed, nor taken for something else, again.

    Parameters
    ----------
    folder : path-like
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def path(self, kind, key):
        """Return the file of a feature; `kind` is one of `FEATURE_KINDS`."""
        return self.folder / kind / f"{key}.npy"

    def tracks(self):
        """Return the table of what is stored.

        Returns
        -------
        pandas.DataFrame
            The catalogue's columns, `seconds`, `digest`, and a column of keys for each of
            `FEATURE_KINDS`.

        Raises
        ------
        SimlibError
            If there is none yet.
        """
        path = self.folder / "tracks.parquet"
        if not path.is_file():
            raise SimlibError(path, "is not there", EXTRACT_HINT)
        return pd.read_parquet(path)

    def front_end(self):
        """Return the settings, as a dict, that the log-mel spectrograms were made with."""
        return read_json(self.folder / "front_end.json", EXTRACT_HINT)

    def log_mel(self, key):
        """Map a log-mel spectrogram: float16, shape (n_frames, n_mels)."""
        return self._load("log_mel", key)

    def descriptors(self, keys, kind="descriptor"):
        """Stack the recordings' descriptors.

        Parameters
        ----------
        keys : iterable of str
        kind : str
            Or `worn`, for those of degraded copies.

        Returns
        -------
        numpy.ndarray of float32, shape (n_tracks, 102)
            The mean over each recording's rows.
        """
        return np.stack([self._load(kind, key).mean(axis=0) for key in keys])

    def descriptor(self, key):
        """Map a recording's descriptor: float32, shape (n_blocks, 102)."""
        return self._load("descriptor", key)

    def _load(self, kind, key):
        try:
            return np.load(self.path(kind, key), mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise SimlibError(
                self.path(kind, key), f"cannot be read ({error})", EXTRACT_HINT
            ) from None
