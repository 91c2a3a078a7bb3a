"""What training needs of the feature store, read once at its start."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simlib.features import FeatureStore, FrontEnd
from simlib.relevance import tag_columns

# A contrastive loss compares two recordings at least.
FEWEST_RECORDINGS = 2


@dataclass(frozen=True, eq=False)
class Recordings:
    """The recordings of one split.

    Attributes
    ----------
    tracks : pandas.DataFrame
        Numbered from 0; all arrays have its order.
    log_mels : list of numpy.ndarray of float16, shape (n_frames, n_mels)
        In dB; mapped from disk, so that they need no memory.
    descriptors, degraded : numpy.ndarray of float32, shape (n_tracks, 102)
        Hand-crafted features of the recordings, and of degraded copies of them.
    activations : numpy.ndarray of float32, shape (n_tracks, n_activations)
        Of the backbones, averaged over each recording.
    """

    tracks: pd.DataFrame
    log_mels: list[np.ndarray]
    descriptors: np.ndarray
    degraded: np.ndarray
    activations: np.ndarray

    @classmethod
    def read(
        cls, store: FeatureStore, tracks: pd.DataFrame, backbones: Sequence[str]
    ) -> "Recordings":
        """Read the features of some rows of the store's table."""
        tracks = tracks.reset_index(drop=True)
        features = [store.features(track) for _, track in tracks.iterrows()]
        degraded = [store.descriptors([key], "degraded")[0] for key in tracks["degraded"]]
        return cls(
            tracks,
            [one.log_mel for one in features],
            np.array([one.descriptor.mean(axis=0) for one in features], dtype=np.float32),
            np.array(degraded, dtype=np.float32),
            np.array([one.activations(backbones) for one in features], dtype=np.float32),
        )


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The data of a training and of its validation.

    Attributes
    ----------
    train, validation : Recordings
        Recordings of test artists are not among them.
    columns : list of str
        The tag columns of the whole catalogue.
    front_end : simlib.features.FrontEnd
        The settings of the log-mel spectrograms.
    """

    train: Recordings
    validation: Recordings
    columns: list[str]
    front_end: FrontEnd

    @classmethod
    def read(
        cls,
        store: FeatureStore,
        tracks: pd.DataFrame,
        splits: np.ndarray,
        backbones: Sequence[str] = (),
    ) -> "TrainingData":
        """Read the training and validation recordings.

        Parameters
        ----------
        store : simlib.features.FeatureStore
        tracks : pandas.DataFrame
            From `store.tracks()`.
        splits : numpy.ndarray of object, shape (n_tracks,)
            From `simlib.relevance.split_artists`; nothing of `test` is read.
        backbones : sequence of str
            Those of the settings of the training.

        Returns
        -------
        TrainingData

        Raises
        ------
        SimlibError
            If features are missing.
        """
        return cls(
            Recordings.read(store, tracks[splits == "train"], backbones),
            Recordings.read(store, tracks[splits == "validation"], backbones),
            tag_columns(tracks),
            FrontEnd.of(store.front_end()),
        )
