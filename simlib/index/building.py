"""The index of a feature store: every recording embedded, whole and in segments."""

import faiss
import numpy as np
import pandas as pd

from simlib.core import AUTO_TAGS, SimlibError
from simlib.features import SHIPPED, FeatureStore
from simlib.index.auto_tags import joined_tags
from simlib.index.embeddings import EmbeddingStore
from simlib.index.faiss_index import Index
from simlib.index.fingerprints import Fingerprints, fingerprint_rate
from simlib.index.neighbour_table import NeighbourTable
from simlib.index.settings import IndexSettings
from simlib.index.storage import IndexOrigin
from simlib.model import Embedder


def build_index(
    model: Embedder,
    store: FeatureStore,
    settings: IndexSettings,
    before: NeighbourTable | None = None,
    embeddings: EmbeddingStore | None = None,
) -> Index:
    """Embed every recording of a feature store.

    Parameters
    ----------
    model : simlib.model.Embedder
    store : simlib.features.FeatureStore
    settings : simlib.index.IndexSettings
    before : NeighbourTable, optional
        Of an earlier index, which may hold many of the same tracks.
    embeddings : EmbeddingStore, optional
        What earlier runs computed; by default everything is computed.

    Returns
    -------
    Index

    Raises
    ------
    SimlibError
        If the store was made with another front end than the model's, or with another network of
        a backbone; or if a weight is for no aspect of the model.
    """
    # A weight for no aspect is refused before hours of work.
    model.aspects.weights(settings.set_weights)
    if store.front_end() != model.front_end.as_dict():
        raise SimlibError(
            store.folder,
            "was extracted with other settings than the encoder was trained on",
            "run 'dvc repro train'",
        )
    _require_networks(model, store)
    tracks, kept = store.tracks(), embeddings or EmbeddingStore()
    vectors, segments, starts = zip(
        *kept.embed(model, store, tracks, settings.hop_seconds), strict=True
    )
    fingerprints = kept.fingerprints(store, tracks, model.front_end)
    scores = kept.tag_scores(store, tracks)
    rows = np.repeat(np.arange(len(tracks)), [len(one) for one in starts])
    if scores[0]:
        tracks[AUTO_TAGS] = pd.array([joined_tags(one) for one in scores], dtype="str")
    index = Index(
        tracks,
        pd.DataFrame({"track": rows, "start": np.concatenate(starts)}),
        _flat(np.stack(vectors)),
        _flat(np.concatenate(segments)),
        Fingerprints.of_all(fingerprints, fingerprint_rate(model.front_end), settings.fingerprints),
        IndexOrigin(model.digest, model.aspects, settings),
        pd.DataFrame(scores, dtype=np.float32),
    )
    index.neighbours = index.find_neighbours(before)
    return index


def _require_networks(model, store):
    """Raise SimlibError if a card or its network changed since the model was trained."""
    trained, extracted = model.provenance.get("backbones", {}), store.backbones()
    for name in model.backbones:
        # Those that are shipped differ in their dtype at most.
        if name not in SHIPPED and trained.get(name) != extracted.get(name):
            cause = f"was extracted with another '{name}' than the encoder was trained on"
            raise SimlibError(store.folder, cause, "run 'dvc repro train'")


def _flat(vectors):
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    return index
