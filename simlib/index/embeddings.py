"""What is computed of each recording once: embeddings, fingerprints, scores of automatic tags.

A catalogue grows every day, and most of it is what it was. A record is found by a digest of all
that makes its numbers: the recording's features, the weights, the settings, the code and the
libraries. So new recordings cost what they are, and a record is what computing it anew would give.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from simlib.core import BACKBONE_PREFIX, ShardStore, digest_of, digest_of_code, digest_of_file
from simlib.features import (
    SHIPPED,
    FeatureStore,
    FrontEnd,
    RecordingFeatures,
    compute_tempogram,
    load_card,
)
from simlib.index.auto_tags import known_auto_tags, tag_scores
from simlib.index.backbone_vectors import backbone_embedding
from simlib.index.fingerprints import fingerprint
from simlib.model import Embedder, weights_digest

_LIBRARIES = ("torch", "numpy", "scipy")
_AUTO_TAGS_FILE = Path(__file__).with_name("auto_tags.yaml")

Cut = Callable[[RecordingFeatures, FrontEnd], Sequence[RecordingFeatures] | None]
Track = tuple[np.ndarray, np.ndarray, np.ndarray]


class EmbeddingStore:
    """The records of a feature store's recordings.

    Parameters
    ----------
    folder : path-like, optional
        Where they are kept; see `simlib.core.ShardStore`. By default nothing is kept.

    Notes
    -----
    All methods take a feature store, and rows of its table as `tracks`, and return what belongs to
    each row.
    """

    def __init__(self, folder: str | PathLike | None = None):
        self._shards = None if folder is None else ShardStore(folder)
        self._used: set[str] = set()

    def embed(
        self, model: Embedder, store: FeatureStore, tracks: pd.DataFrame, hop_seconds: float
    ) -> list[Track]:
        """Embed recordings as a whole and in segments.

        Parameters
        ----------
        model : simlib.model.Embedder
        store : simlib.features.FeatureStore
        tracks : pandas.DataFrame
        hop_seconds : float
            Between two segments.

        Returns
        -------
        list of (vector, embeddings, starts)
            See `Embedder.track`.
        """

        def compute(row):
            found = model.track(store.features(tracks.iloc[row]), hop_seconds)
            return dict(zip(("vector", "embeddings", "starts"), found, strict=True))

        records = self._complete("embedding", _keys(model, tracks, hop_seconds), compute)
        return [(one["vector"], one["embeddings"], one["starts"]) for one in records]

    def vectors(
        self, model: Embedder, store: FeatureStore, tracks: pd.DataFrame, hop_seconds: float
    ) -> np.ndarray:
        """Embed recordings as a whole only, which takes less of the disk.

        Parameters
        ----------
        model, store, tracks, hop_seconds
            See `embed`.

        Returns
        -------
        numpy.ndarray of float32, shape (n_tracks, dimensions)
        """

        def compute(row):
            return {"vector": model.track(store.features(tracks.iloc[row]), hop_seconds)[0]}

        records = self._complete("vector", _keys(model, tracks, hop_seconds), compute)
        return np.stack([one["vector"] for one in records])

    def parts(
        self,
        model: Embedder,
        store: FeatureStore,
        tracks: pd.DataFrame,
        hop_seconds: float,
        cut: Cut,
    ) -> list[np.ndarray | None]:
        """Embed parts of recordings.

        Parameters
        ----------
        model, store, tracks, hop_seconds
            See `embed`.
        cut : callable
            Gets the features of a recording and their front end, and returns the features of its
            parts; None if it cannot be cut. The code of its module is part of what a record is
            found by.

        Returns
        -------
        list of numpy.ndarray of float32, shape (n_parts, dimensions), or None
        """

        def compute(row):
            parts = cut(store.features(tracks.iloc[row]), model.front_end) or ()
            vectors = [model.track(part, hop_seconds)[0] for part in parts]
            return {"vectors": np.concatenate([np.zeros(0, dtype=np.float32), *vectors])}

        made_by = [cut.__qualname__, digest_of_code(cut.__module__)]
        keys = [digest_of([made_by, key]) for key in _keys(model, tracks, hop_seconds)]
        size = sum(model.aspects.sizes.values())
        records = self._complete("parts", keys, compute)
        found = [one["vectors"].reshape(-1, size) for one in records]
        return [vectors if len(vectors) else None for vectors in found]

    def fingerprints(
        self, store: FeatureStore, tracks: pd.DataFrame, front_end: FrontEnd
    ) -> list[np.ndarray]:
        """Compute the fingerprints of recordings.

        Parameters
        ----------
        store : simlib.features.FeatureStore
        tracks : pandas.DataFrame
        front_end : simlib.features.FrontEnd
            Of the log-mel spectrograms.

        Returns
        -------
        list of numpy.ndarray of int8, shape (n_frames, n_bands)
            See `simlib.index.fingerprint`.
        """

        def compute(row):
            return {"frames": fingerprint(store.log_mel(tracks["log_mel"].iloc[row]), front_end)}

        made_by = [front_end.as_dict(), digest_of_code("simlib.index.fingerprints")]
        records = self._complete("fingerprint", _joined(made_by, tracks, ["log_mel"]), compute)
        return [one["frames"] for one in records]

    def tag_scores(self, store: FeatureStore, tracks: pd.DataFrame) -> list[dict[str, float]]:
        """Compute the scores of the automatic tags.

        Parameters
        ----------
        store : simlib.features.FeatureStore
        tracks : pandas.DataFrame

        Returns
        -------
        list of dict of str to float
            See `simlib.index.tag_scores`.
        """

        def compute(row):
            scores = tag_scores(store.features(tracks.iloc[row]))
            return {"scores": np.array(list(scores.values()), dtype=np.float64)}

        backbones = [name for name in tracks if name.startswith(BACKBONE_PREFIX)]
        named = [load_card(name).tags for name in SHIPPED]
        code = digest_of_code("simlib.index.auto_tags")
        made_by = [named, digest_of_file(_AUTO_TAGS_FILE), code]
        records = self._complete("tags", _joined(made_by, tracks, backbones), compute)
        names = known_auto_tags()
        return [dict(zip(names, one["scores"].tolist(), strict=False)) for one in records]

    def tempograms(
        self, store: FeatureStore, tracks: pd.DataFrame, front_end: FrontEnd
    ) -> list[np.ndarray]:
        """Compute the tempograms of recordings.

        Parameters
        ----------
        store, tracks, front_end
            See `fingerprints`.

        Returns
        -------
        list of numpy.ndarray of float64, shape (n_lags,)
            See `simlib.features.compute_tempogram`.
        """

        def compute(row):
            log_mel = store.log_mel(tracks["log_mel"].iloc[row])
            return {"tempogram": compute_tempogram(log_mel, front_end)}

        made_by = [front_end.as_dict(), digest_of_code("simlib.features.tempogram")]
        records = self._complete("tempogram", _joined(made_by, tracks, ["log_mel"]), compute)
        return [one["tempogram"] for one in records]

    def backbone(self, name: str, store: FeatureStore, tracks: pd.DataFrame) -> np.ndarray:
        """Embed recordings by a backbone alone.

        Parameters
        ----------
        name : str
        store : simlib.features.FeatureStore
        tracks : pandas.DataFrame

        Returns
        -------
        numpy.ndarray of float32, shape (n_tracks, size)
            See `simlib.index.backbone_embedding`.
        """

        def compute(row):
            return {"vector": backbone_embedding(store.features(tracks.iloc[row]), name)}

        made_by = [load_card(name).embedding, digest_of_code("simlib.index.backbone_vectors")]
        keys = _joined(made_by, tracks, [BACKBONE_PREFIX + name])
        return np.stack([one["vector"] for one in self._complete(name, keys, compute)])

    def drop_stale(self) -> None:
        """Remove the records that were not asked for, if they take more than half of the bytes."""
        if self._shards is not None:
            self._shards.drop_stale(self._used)

    def _complete(
        self, kind: str, keys: Sequence[str], compute: Callable[[int], Mapping[str, np.ndarray]]
    ) -> list[Mapping[str, np.ndarray]]:
        if self._shards is None:
            return [compute(row) for row in range(len(keys))]
        keys = [digest_of([kind, key])[:32] for key in keys]
        self._used.update(keys)
        return self._shards.complete(keys, compute, kind)


def _keys(model, tracks, hop_seconds):
    """Return what the embeddings of recordings follow from, as digests."""
    code = digest_of_code("simlib.model.embedder")
    made_by = [weights_digest(model), str(model.device), hop_seconds, code]
    backbones = [BACKBONE_PREFIX + name for name in model.backbones]
    return _joined(made_by, tracks, ["log_mel", "descriptor", *backbones])


def _joined(made_by, tracks, kinds):
    """Return a digest for each recording: of its features of some kinds, and what reads them."""
    made_by = digest_of([made_by, [version(name) for name in _LIBRARIES]])
    features = zip(*(tracks[kind] for kind in kinds), strict=True) if kinds else [()] * len(tracks)
    return [digest_of([made_by, kinds, *own]) for own in features]
