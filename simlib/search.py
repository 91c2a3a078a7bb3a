"""A reference in, a ranked table out."""

import os
import threading
from pathlib import Path

import numpy as np
import pandas as pd

from simlib import audio, features, hubs, pretrained
from simlib.artefacts import SimlibError, printable, project_root
from simlib.calibration import Calibration
from simlib.catalogue import SUFFIXES
from simlib.index import Index
from simlib.model import Model

# Above this, embed leaves the similarity matrix out: it grows with the square.
SIMILARITY_LIMIT = 5_000


class Searcher:
    """An encoder and an index, loaded once for many queries.

    Parameters
    ----------
    root : path-like, optional
        The project; found upwards from the working directory by default.

    Examples
    --------
    >>> from simlib import Searcher
    >>> Searcher().query("song.mp3", k=5)  # doctest: +SKIP
    """

    def __init__(self, root=None):
        self.root = Path(root) if root else project_root()
        self.model = Model.load(self.root / "models" / "encoder.safetensors")
        self.index = Index.load(self.root / "index", self.model.digest)
        self.calibration = Calibration.load(self.root / "index")

    @property
    def tracks(self):
        """The catalogue's table."""
        return self.index.tracks

    def query(self, reference, k=10, weights=None):
        """Rank the catalogue by similarity to a reference.

        Parameters
        ----------
        reference : str or path-like
            A track id of the catalogue, or any audio file.
        k : int
            Length of the list.
        weights : dict of str to float, optional
            How much each part of the embedding counts, `{"tempo": 0.5}` for instance; see
            `simlib.aspects.Aspects.weights`.

        Returns
        -------
        pandas.DataFrame
            Columns `rank` (from 1), `track_id`, `title`, `artist`, `similarity` (weighted cosine,
            hubs set back) and `closer_than`, the percentage of unrelated pairs
            that are less near. A track of the catalogue is not listed as its own match.
            `attrs["nothing_close"]` is true where the catalogue has nothing like the reference: the
            list is then the best of a bad lot.

        Raises
        ------
        SimlibError
            If the reference is neither, or cannot be decoded, or a weight is for no part.
        """
        if k < 1:
            raise SimlibError(f"k = {k}", "is no length of a list", "ask for at least 1")
        row = self._row(reference)
        vector = self.index.vectors()[row] if row is not None else self.embed(reference)
        chosen = None
        if weights:
            chosen = self.index.aspects.weights(self.index.weights | weights)
        rows, proximities = self.index.search(vector, k, row, chosen)
        found = self.tracks.iloc[rows]
        table = pd.DataFrame(
            {
                "rank": np.arange(1, len(found) + 1),
                **{name: found[name].to_numpy() for name in ("track_id", "title", "artist")},
                "similarity": proximities.round(4),
                "closer_than": (100 * self.calibration.closer_than(proximities)).round(1),
            }
        )
        artist = None if row is None else self.index.artists[row]
        table.attrs["nothing_close"] = self.calibration.is_alone(self.index, vector, artist)
        return table

    def _row(self, reference):
        """Return the row of a track id, None for a file."""
        rows = np.flatnonzero(self.tracks["track_id"].to_numpy(dtype=object) == str(reference))
        if len(rows):
            return int(rows[0])
        # Unlike Path.exists, this takes any text: a name too long is no file either.
        if not os.path.exists(reference):
            raise SimlibError(
                reference,
                "is neither a track id of the catalogue nor a file",
                f"ids look like '{printable(self.tracks['track_id'].iloc[0])}'",
            )
        return None

    def embed(self, path):
        """Embed an audio file.

        Returns
        -------
        numpy.ndarray of float32, shape (embedding,)
            Of unit length.
        """
        return embed_file(self.model, path, self.index.hop_seconds)


_shared = threading.local()


def query(reference, k=10, weights=None):
    """Rank the catalogue of the project around the working directory; see `Searcher.query`.

    The encoder and the index stay loaded for the next call, until the project's change.
    """
    root = project_root()
    made = [root / "index" / "made_with.json", root / "models" / "encoder.safetensors"]
    state = (root, *(path.stat().st_mtime_ns for path in made if path.exists()))
    if getattr(_shared, "state", None) != state:
        _shared.searcher, _shared.state = Searcher(root), state
    return _shared.searcher.query(reference, k, weights)


def embed_file(model, path, hop_seconds):
    """Embed an audio file as a whole.

    Parameters
    ----------
    model : simlib.model.Model
    path : path-like
    hop_seconds : float
        Step between two segments.

    Returns
    -------
    numpy.ndarray of float32, shape (embedding,)
        Of unit length.
    """
    blocks = audio.blocks(path, model.front_end.sample_rate)
    log_mel = np.concatenate(list(features.log_mel(blocks, model.front_end)))
    seconds = len(log_mel) / model.front_end.frame_rate
    if seconds < model.front_end.min_seconds:
        cause = f"is {seconds:.2f} s long, shorter than {model.front_end.min_seconds:g} s"
        raise SimlibError(path, cause, "use a longer excerpt")
    descriptor = features.descriptor(audio.blocks(path, features.DESCRIPTOR_RATE))
    return model.track(log_mel, descriptor, hop_seconds)[0]


def embed(paths, weights=None):
    """Embed audio files, with no catalogue around them.

    Parameters
    ----------
    paths : iterable of path-like
        Files, and folders to look for audio files in.
    weights : path-like, optional
        Of the encoder; by default the project's `models/`, else what it ships in `pretrained/`.

    Returns
    -------
    arrays : dict of str to numpy.ndarray
        `ids` (n,): file stems; `emb` (n, embedding) float32: unit vectors; and, up to 5,000 files,
        `sim` (n, n) float32: the scores that search would give if these were the catalogue, each
        by an artist of its own.
    failed : list of SimlibError
        One for each file that could not be embedded.

    Raises
    ------
    SimlibError
        If there are no weights, no file, or two files with one stem.
    """
    model = Model.load(weights or _default_weights())
    files = _files(paths)
    vectors, ids, failed = [], [], []
    for path in files:
        try:
            vectors.append(embed_file(model, path, model.segment_seconds / 2))
            ids.append(path.stem)
        except SimlibError as error:
            failed.append(error)
    arrays = {"ids": np.array(ids, dtype=str), "emb": np.array(vectors, dtype=np.float32)}
    if 0 < len(ids) <= SIMILARITY_LIMIT:
        artists, most = np.arange(len(ids)), hubs.UNFILTERED_SHARE
        arrays["sim"] = hubs.corrected(arrays["emb"], artists, most).astype(np.float32)
    return arrays, failed


def _default_weights():
    root = project_root()
    trained = root / "models" / "encoder.safetensors"
    shipped = root / pretrained.PATH
    return shipped if shipped.exists() and not trained.exists() else trained


def _files(paths):
    files = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = (p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            files += sorted(inside)
        else:
            files.append(path)
    seen = {}
    for path in files:
        if path.stem in seen:
            raise SimlibError(
                path, f"has the same name as {seen[path.stem]}", "ids are file names: rename one"
            )
        seen[path.stem] = path
    if not files:
        raise SimlibError(
            ", ".join(map(str, paths)), "holds no audio file", "name files or folders"
        )
    return files
