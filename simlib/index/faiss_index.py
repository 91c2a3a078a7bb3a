"""FAISS indexes of the catalogue: one of whole tracks, one of segments."""

from functools import cached_property, lru_cache
from pathlib import Path

import faiss
import numpy as np
import pandas as pd
from tqdm import tqdm

from simlib.core import SimlibError, evenly_spread, read_json, write_json, written_aside
from simlib.index.calibration import ReferenceSample
from simlib.index.fingerprints import Fingerprints, fingerprint, fingerprint_rate
from simlib.index.hubness import REFERENCE_SAMPLE, hub_penalties, penalise_hubs
from simlib.model import SOUND, Aspects
from simlib.relevance import artist_keys, tag_columns, tag_matrix

# How many nearest by cosine are ranked again, hubs set back.
CANDIDATES = 2_000
_MEND = "run 'dvc repro index'"


class Index:
    """A searchable catalogue.

    Both indexes are exact (inner product of unit vectors, that is, cosine similarity): a million
    segments still answer in tens of milliseconds, and exact lists need no tuning.

    Parameters
    ----------
    tracks : pandas.DataFrame
        The catalogue's table; row i is vector i of `by_track`.
    segments : pandas.DataFrame
        Columns `track` (row of `tracks`) and `start` (seconds); row i is vector i of `by_segment`.
    by_track, by_segment : faiss.IndexFlatIP
    model_digest : str
        Of the weights that embedded the catalogue.
    hop_seconds : float
        Step between two segments, for queries as for the catalogue.
    aspects : simlib.model.Aspects
        How the vectors of tracks are made up.
    weights : dict of str to float
        Every part's, for searches that ask for nothing else.
    prints : simlib.index.Fingerprints
        Of the tracks.
    """

    def __init__(
        self, tracks, segments, by_track, by_segment, model_digest, hop_seconds, aspects, weights,
        fingerprints,
    ):  # fmt: skip
        self.tracks, self.segments = tracks, segments
        self.by_track, self.by_segment = by_track, by_segment
        self.model_digest, self.hop_seconds = model_digest, hop_seconds
        self.aspects, self.weights, self.fingerprints = aspects, weights, fingerprints
        self._weighted_penalties = lru_cache(maxsize=8)(self._hub_penalties)

    @classmethod
    def build(cls, model, store, settings):
        """Embed every recording of a store.

        Parameters
        ----------
        model : simlib.model.Embedder
        store : simlib.features.FeatureStore
        settings : simlib.index.IndexSettings

        Returns
        -------
        Index

        Raises
        ------
        SimlibError
            If the store was made with another front-end than the model's, or a weight is for no
            part of it.
        """
        aspects = model.aspects
        weights = aspects.weights(settings.weights)
        if store.front_end() != model.front_end.as_dict():
            raise SimlibError(
                store.folder,
                "was extracted with other settings than the encoder was trained on",
                "run 'dvc repro train'",
            )
        tracks = store.tracks()
        vectors, rows, subspaces, fingerprints = [], [], [], []
        rows_of_keys = zip(tracks["log_mel"], tracks["descriptor"], strict=True)
        bar = tqdm(rows_of_keys, total=len(tracks), desc="embedding", unit="", mininterval=5)
        for row, (log_mel, descriptor) in enumerate(bar):
            frames = store.log_mel(log_mel)
            vector, embedded, starts = model.track(
                frames, store.descriptor(descriptor), settings.hop_seconds
            )
            fingerprints.append(fingerprint(frames, model.front_end))
            vectors.append(vector)
            subspaces.append(embedded)
            rows.append(pd.DataFrame({"track": row, "start": starts}))
        return cls(
            tracks,
            pd.concat(rows, ignore_index=True),
            _flat(np.stack(vectors)),
            _flat(np.concatenate(subspaces)),
            model.digest,
            settings.hop_seconds,
            aspects,
            weights,
            Fingerprints.of_all(fingerprints, fingerprint_rate(model.front_end)),
        )

    def search(self, vector, k, row=None, weights=None):
        """Return the k nearest tracks, hubs set back; see `simlib.index.hubness`.

        Parameters
        ----------
        vector : numpy.ndarray of float32, shape (dimensions,)
            Of unit length.
        k : int
        row : int, optional
            The query's row, if it is a track of the catalogue; it is left out.
        weights : dict of str to float, optional
            From `Aspects.weights`; the index's own by default. Hubs are corrected under them too.

        Returns
        -------
        rows : numpy.ndarray of int64, shape (n_found,)
            Rows of `tracks`, nearest first; k, or as many as there are.
        proximities : numpy.ndarray of float64, shape (n_found,)
            At most 1, falling.
        """
        weights = weights or self.weights
        depth = min(max(CANDIDATES, 10 * k), self.by_track.ntotal)
        query = vector * self.aspects.scale(weights)
        rows = np.asarray(self.by_track.search(query[None], depth)[1])[0]
        rows = rows[rows != row]
        similarities = self.similarities(vector, rows, weights)
        order = np.argsort(-similarities, kind="stable")[:k]
        return rows[order], similarities[order]

    def similarities(self, vector, rows, weights=None):
        """Return how near tracks are to a query: float64, shape (n_rows,).

        Their weighted cosine, hubs set back.

        Parameters
        ----------
        vector : numpy.ndarray of float32, shape (dimensions,)
        rows : numpy.ndarray of int, shape (n_rows,)
        weights : dict of str to float, optional
            See `search`.
        """
        weights = weights or self.weights
        cosines = self.vectors_of(rows) @ (vector * self.aspects.scale(weights))
        return penalise_hubs(cosines, self.hub_penalties(rows, weights))

    def similarities_by_subspace(self, vector, rows):
        """Return how near tracks are to a query in each part: float64, shape (n_parts, n_rows).

        Cosines, of which the weighted sum is that of the whole.

        Parameters
        ----------
        vector : numpy.ndarray of float32, shape (dimensions,)
        rows : numpy.ndarray of int, shape (n_rows,)
        """
        asked, there = self.aspects.subspaces(vector), self.aspects.subspaces(self.vectors_of(rows))
        return np.array([there[name] @ asked[name] for name in asked], dtype=np.float64)

    def hub_penalties(self, rows, weights=None):
        """Return tracks' handicaps under some weights: float64, shape (n_rows,)."""
        return self._weighted_penalties(tuple((weights or self.weights).items()))[rows]

    def segments_of(self, row):
        """Return a track's segments: embeddings, float32, and their starts in seconds."""
        first, last = np.searchsorted(self._segment_tracks, [row, row + 1])
        embedded = np.empty((last - first, self.by_segment.d), dtype=np.float32)
        self.by_segment.reconstruct_n(int(first), int(last - first), embedded)
        return embedded, self.segments["start"].to_numpy()[first:last]

    @cached_property
    def _segment_tracks(self):
        return self.segments["track"].to_numpy()

    @cached_property
    def tag_columns(self):
        """The tag columns' names: list of str; see `tag_columns`."""
        return tag_columns(self.tracks)

    @cached_property
    def artists(self):
        """The tracks' artists as numbers: int64, shape (n_tracks,)."""
        return np.unique(artist_keys(self.tracks).astype(str), return_inverse=True)[1]

    def artist(self, row):
        """Return the number of a track's artist; None for a row that is None."""
        return None if row is None else self.artists[row]

    @cached_property
    def reference_rows(self):
        """An even sample of the tracks: int64, shape (n_references,)."""
        return evenly_spread(self.by_track.ntotal, REFERENCE_SAMPLE)

    def _hub_penalties(self, weights):
        return hub_penalties(self.aspects.weighted(self.vectors(), dict(weights)), self.artists)

    @cached_property
    def reference_sample(self):
        """The same tracks by their sound as a whole."""
        return ReferenceSample(self.aspects.subspaces(self.vectors_of(self.reference_rows))[SOUND])

    @cached_property
    def reference_tags(self):
        """The tags of the same tracks; see `tags_of`."""
        return self.tags_of(self.reference_rows)

    def tags_of(self, rows):
        """Tell which tags of all columns tracks carry: float32, shape (n_rows, n_tags), 0 or 1."""
        columns = [tag_matrix(self.tracks[name])[rows] for name in self.tag_columns]
        return np.hstack([np.empty((len(rows), 0), dtype=np.float32), *columns])

    def vectors_of(self, rows):
        """Return some tracks' embeddings: float32, shape (n_rows, dimensions)."""
        return np.asarray(self.by_track.reconstruct_batch(rows))

    def vectors(self):
        """Return the tracks' embeddings: float32, shape (n_tracks, dimensions), of unit length."""
        # Into an array of ours: once pytorch-metric-learning is loaded, FAISS hands out tensors.
        vectors = np.empty((self.by_track.ntotal, self.by_track.d), dtype=np.float32)
        return self.by_track.reconstruct_n(0, len(vectors), vectors)

    def weighted(self):
        """Return them under the index's own weights: what `hub_corrected` ranks by as search."""
        return self.aspects.weighted(self.vectors(), self.weights)

    def save(self, folder):
        """Write the indexes, the prints, the two tables and `made_with.json` into a folder."""
        folder = Path(folder)
        for name, index in (("tracks", self.by_track), ("segments", self.by_segment)):
            with written_aside(folder / f"{name}.faiss") as aside:
                faiss.write_index(index, str(aside))
        for name in ("tracks", "segments"):
            with written_aside(folder / f"{name}.parquet") as aside:
                getattr(self, name).to_parquet(aside, index=False)
        self.fingerprints.save(folder)
        made_with = {
            "model": self.model_digest,
            "hop_seconds": self.hop_seconds,
            # In their order, which the keys of JSON would lose.
            "subspaces": list(self.aspects.sizes),
            "sizes": self.aspects.sizes,
            "default": self.aspects.default,
            "weights": self.weights,
        }
        write_json(folder / "made_with.json", made_with)

    @classmethod
    def load(cls, folder, model_digest):
        """Read what `save` wrote.

        Parameters
        ----------
        folder : path-like
        model_digest : str
            Of the weights that queries will be embedded with.

        Raises
        ------
        SimlibError
            If there is none, or other weights made it.
        """
        folder = Path(folder)
        made_with = read_json(folder / "made_with.json", _MEND)
        if made_with["model"] != model_digest:
            raise SimlibError(folder, "was made with other weights than models/", _MEND)
        try:
            sizes, default, weights = (
                {name: made_with[key][name] for name in made_with["subspaces"]}
                for key in ("sizes", "default", "weights")
            )
            return cls(
                pd.read_parquet(folder / "tracks.parquet"),
                pd.read_parquet(folder / "segments.parquet"),
                faiss.read_index(str(folder / "tracks.faiss")),
                faiss.read_index(str(folder / "segments.faiss")),
                model_digest,
                made_with["hop_seconds"],
                Aspects(sizes, default),
                weights,
                Fingerprints.load(folder),
            )
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise SimlibError(folder, f"cannot be read ({reason})", _MEND) from None


def _flat(vectors):
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    return index
