"""A reference in, a ranked table out."""

import dataclasses
import math
import os
import threading
from numbers import Real
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from simlib.core import Project, SimlibError, at_least_one, printable
from simlib.features import FeatureStore
from simlib.index import CANDIDATES, Calibration, Index, penalise_hubs
from simlib.model import Embedder
from simlib.search.excerpts import EXCERPT_SECONDS, representative_excerpt
from simlib.search.filters import filter_mask, listed_conditions
from simlib.search.playlists import path_between, radio
from simlib.search.queries import Query, Recording, load_recording, make_query
from simlib.search.rerank import agreement, by_any_subspace, diverse, in_turn
from simlib.search.results import matched_duration, near_duplicate, result_table
from simlib.search.sources import as_file, check_seconds

# Copies of a track must be near it: so many are looked at.
NEAR = 30
# A various list is chosen from so many times its length.
POOL = 5


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
        self.project = Project(Path(root)) if root else Project.find()
        self.model = Embedder.load(self.project.weights)
        self.index = Index.load(self.project.index, self.model.digest)
        self.calibration = Calibration.load(self.project.index)

    @property
    def tracks(self):
        """The catalogue's table."""
        return self.index.tracks

    def load_query(self, source, start=None, end=None):
        """Make something to search with.

        Parameters
        ----------
        source : str, path-like, bytes, (numpy.ndarray, int), Reference or Recording
            A track id of the catalogue; any audio file, or its bytes; samples and their rate in
            Hz; or what `hear` returned.
        start, end : float, optional
            Seconds of it; all of it by default.

        Returns
        -------
        Reference

        Raises
        ------
        SimlibError
            If it is none of these, or cannot be decoded, or has no such seconds.
        """
        all_of_it = start is None and end is None
        if isinstance(source, Query):
            if not all_of_it:
                hint = "give the recording itself, or what Searcher.load made of it"
                raise SimlibError(source.name, "is a reference already, with its seconds", hint)
            return source
        check_seconds(start, end)
        if all_of_it:
            row = None
            if isinstance(source, Recording):
                row = source.row
            elif isinstance(source, (str, os.PathLike)):
                row = self._row_or_file(source)
            if row is not None:
                return self._whole(row)
        heard = self.load(source, start, end)
        return make_query(self.model, heard, self.index.hop_seconds, start, end)

    def load(self, source, start=None, end=None):
        """Decode something to search with, once for many passages of it.

        Parameters
        ----------
        source, start, end
            See `reference`, which takes what is returned as its source.

        Returns
        -------
        simlib.search.Recording
            With the seconds that are asked for, or more.

        Raises
        ------
        SimlibError
            See `reference`.
        """
        if isinstance(source, Recording):
            return source
        if isinstance(source, (bytearray, memoryview)):
            source = bytes(source)
        if isinstance(source, (bytes, tuple)):
            name = "upload" if isinstance(source, bytes) else "samples"
            with as_file(source) as path:
                heard = load_recording(self.model, path, start or 0.0, end)
            return dataclasses.replace(heard, name=name)
        row = self._row_or_file(source)
        if row is None:
            return load_recording(self.model, source, start or 0.0, end)
        track, store = self.tracks.iloc[row], FeatureStore(self.project.features)
        log_mel, descriptor = store.log_mel(track["log_mel"]), store.descriptor(track["descriptor"])
        return Recording(self._name(row), row, log_mel, descriptor)

    def _whole(self, row):
        """Make a reference of all of a track of the catalogue, as the index has it."""
        index, seconds = self.index, float(self.tracks["seconds"].iloc[row])
        return Query(
            self._name(row), row, 0.0, seconds, index.vectors_of([row])[0],
            *index.segments_of(row), index.fingerprints.of(row),
        )  # fmt: skip

    def _name(self, row):
        track = self.tracks.iloc[row]
        return track["title"] or track["track_id"]

    def representative(self, reference, seconds=EXCERPT_SECONDS):
        """Find the seconds that say most of a reference.

        Parameters
        ----------
        reference : Reference
        seconds : float

        Returns
        -------
        start, end : float
            Seconds, to be given to `reference` or `query`.
        """
        return representative_excerpt(
            reference.segments,
            reference.starts,
            self.model.segment_seconds,
            reference.end,
            seconds,
        )

    def query(
        self, like, k=10, weights=None, *, start=None, end=None, unlike=None, where=(),
        per_artist=1, own_artist=False, diversity=0.0, farthest=False,
    ):  # fmt: skip
        """Rank the catalogue by similarity to a reference, or to several at once.

        Parameters
        ----------
        like : see `reference`, or a list of them
            Of several, what is near to all of them comes first.
        k : int
            Length of the list.
        weights : dict of str to float, optional
            How much each part of the embedding counts, `{"tempo": 0.5}` for instance; see
            `simlib.model.Aspects.weights`.
        start, end : float, optional
            Seconds of the reference; of several, each needs its own, see `reference`.
        unlike : see `like`, optional
            References that results are not to be like.
        where : str or iterable of str, optional
            Conditions on columns; see `simlib.search.filter_mask`.
        per_artist : int or None
            At most so many results by one artist, not counting near-duplicates; None for any.
        own_artist : bool
            Whether the references' own artists may be listed; those of a file are known by its
            near-duplicates.
        diversity : float
            From 0, the nearest, to 1, the most various; see `simlib.search.diverse`.
        farthest : bool
            List what is least alike in place of what is most.

        Returns
        -------
        pandas.DataFrame
            `rank` (from 1), `track_id`, `title`, `artist`, `tags`; `similarity`, the weighted
            cosine, hubs set back (of several references that of the least like one), and
            `closer_than`, the percentage of unrelated pairs that are less near. `reference` is the
            one that is matched best, at its seconds `query_start` to `query_end`, by
            seconds `start` to `end` of the result. `same_seconds` tells how much of the recording
            itself is in a reference, and `near_duplicate` whether that is most of it: such results
            come first, whoever their artist is. `why` is each part's share of the similarity.
            A reference is not listed as its own match. `attrs["weights"]` are those of the parts;
            `attrs["nothing_close"]` is true where the catalogue has nothing like the reference: the
            list is then the best of a bad lot.

        Raises
        ------
        SimlibError
            If a reference cannot be used, or a weight, a condition or a number is none.
        """
        k = at_least_one("k", k)
        if per_artist is not None:
            per_artist = at_least_one("per_artist", per_artist)
        if not (isinstance(diversity, Real) and 0 <= diversity <= 1):
            raise SimlibError(f"diversity = {diversity}", "is out of range", "give 0 to 1")
        like, unlike = _listed(like), [] if unlike is None else _listed(unlike)
        if not like:
            raise SimlibError("references", "are none", "give one that results are to be like")
        if len(like) > 1 and not (start is None and end is None):
            hint = "give each its own: Searcher.load_query(source, start, end)"
            raise SimlibError("start and end", "are of one reference", hint)
        likes = [self.load_query(one, start, end) for one in like]
        unlikes = [self.load_query(one) for one in unlike]
        chosen = self._weights(weights)
        met = filter_mask(self.tracks, listed_conditions(where))
        met[[one.row for one in [*likes, *unlikes] if one.row is not None]] = False
        matches = {} if farthest else self._matches(likes, met)
        first = sorted(matches, key=lambda row: -matched_duration(matches[row]))[:k]
        met[first] = False
        if not own_artist:
            own = [one.row for one in likes if one.row is not None]
            own += [r for r in first if near_duplicate(self.index, likes, r, matches)]
            met &= ~np.isin(self.index.artists, self.index.artists[own])

        def choose(rows, scores):
            rows, scores = rows[met[rows]], scores[met[rows]]
            artists = self.index.artists[rows]
            wanted = k - len(first)
            # Variety among what is near: the farthest would be the most various.
            pool = in_turn(artists, POOL * wanted if diversity else wanted, per_artist)
            if diversity:
                vectors = self.index.aspects.weighted(self.index.vectors_of(rows[pool]), chosen)
                pool = np.array(pool, dtype=np.int64)[
                    diverse(scores[pool], vectors, artists[pool], wanted, diversity, per_artist)
                ]
            return rows[pool]

        rows = choose(*self._ranked(likes, unlikes, met, chosen, farthest, CANDIDATES))
        if len(first) + len(rows) < k:
            every = len(self.tracks)
            rows = choose(*self._ranked(likes, unlikes, met, chosen, farthest, every))
        table = result_table(
            self.index, self.calibration, likes, np.array([*first, *rows], dtype=np.int64), chosen,
            matches, self.model.segment_seconds,
        )  # fmt: skip
        alone = [
            self.calibration.has_no_close_match(self.index, one.vector, self.index.artist(one.row))
            for one in likes
        ]
        table.attrs["weights"] = chosen
        table.attrs["nothing_close"] = all(alone) and not matches and not farthest
        return table

    def _matches(self, likes, met):
        """Return {row: [(number of a reference, simlib.index.Match), ...]}."""
        found = {}
        for number, one in enumerate(likes):
            rows = np.flatnonzero(met)
            if one.row is not None:
                rows = self.index.search(one.vector, NEAR, one.row)[0]
                rows = rows[met[rows]]
            for row, copy in self.index.fingerprints.matches(one.fingerprint, rows).items():
                found.setdefault(row, []).append((number, copy))
        return found

    def _ranked(self, likes, unlikes, met, weights, farthest, depth):
        """Return rows, best first, and their scores: of one reference the `depth` nearest."""
        index = self.index
        if len(likes) == 1 and not unlikes and not farthest:
            return index.search(likes[0].vector, depth, None, weights)
        rows = np.flatnonzero(met)
        if len(likes) == 1 and not unlikes:
            scores = -index.similarities(likes[0].vector, rows, weights)
        else:
            scores = agreement(self._agreed_similarities(likes, rows, weights))
            if unlikes:
                scores -= np.maximum(
                    self._agreed_similarities(unlikes, rows, weights).max(axis=0), 0.0
                )
            scores = -scores if farthest else scores
        order = np.argsort(-scores, kind="stable")
        return rows[order], scores[order]

    def _agreed_similarities(self, several, rows, weights):
        index = self.index
        penalties = index.hub_penalties(rows, weights)
        subspaces = [
            penalise_hubs(index.similarities_by_subspace(one.vector, rows), penalties)
            for one in several
        ]
        return np.array([by_any_subspace(one, list(weights.values())) for one in subspaces])

    def timeline(self, source, seconds=EXCERPT_SECONDS, weights=None, where=(), progress=tqdm):
        """Answer a long recording, a mix for instance, passage by passage.

        Parameters
        ----------
        source : see `reference`
        seconds : float
            Of a passage.
        weights, where
            See `query`.
        progress : callable
            What shows how far it is, called like tqdm.

        Returns
        -------
        pandas.DataFrame
            One row a passage: `excerpt_start` and `excerpt_end`, seconds of the source, then the
            columns of `query`, of the nearest track, and `nothing_close`, true where that is not
            near. Passages that follow each other and have the same answer are one.

        Raises
        ------
        SimlibError
            See `query`.
        """
        least = self.model.front_end.min_seconds
        if not (isinstance(seconds, Real) and least <= seconds < math.inf):
            hint = f"give {least:g} s or more"
            raise SimlibError(f"seconds = {seconds}", "is no length of a passage", hint)
        heard, where = self.load(source), listed_conditions(where)
        rate, length = self.model.front_end.frame_rate, len(heard.log_mel)
        frames, shortest = math.ceil(seconds * rate), math.ceil(least * rate)
        answers = []
        starts = range(0, max(length - max(frames // 2, shortest), 0) + 1, frames)
        for first in progress(starts, desc="passages", unit="", leave=False):
            # What is left at the end and too short for a passage joins the last one.
            last = first + frames if first != starts[-1] else length
            start, end = first / rate, last / rate
            excerpt = self.load_query(heard, start, end)
            answer = self.query(excerpt, 1, weights, where=where)
            answer.insert(0, "excerpt_start", round(start, 2))
            answer.insert(1, "excerpt_end", round(end, 2))
            answer["nothing_close"] = answer.attrs["nothing_close"]
            answers.append(answer)
        table = pd.concat(answers, ignore_index=True)
        # Passages in a row with one answer: the nearest of them speaks for all.
        answer = table[["track_id", "nothing_close"]]
        run = (answer != answer.shift()).any(axis=1).cumsum()
        best = table.loc[table.groupby(run)["similarity"].idxmax()].reset_index(drop=True)
        spans = table.groupby(run)
        return best.assign(
            excerpt_start=spans["excerpt_start"].min().to_numpy(),
            excerpt_end=spans["excerpt_end"].max().to_numpy(),
        )

    def path(self, first, last, steps=8, weights=None):
        """Make a playlist from one track to another; see `simlib.search.path_between`."""
        rows = self._known(first), self._known(last)
        return path_between(self.index, *rows, steps, self._weights(weights))

    def radio(self, seed, length=20, weights=None):
        """Make a playlist around a track of the catalogue; see `simlib.search.radio`."""
        return radio(self.index, self._known(seed), length, self._weights(weights))

    def _weights(self, wanted):
        """Complete the weights that a search asks for."""
        own = self.index.weights
        return self.index.aspects.weights(own | wanted) if wanted else own

    def _row(self, track_id):
        """Return the row of a track id; None, if the catalogue has none of that name."""
        rows = np.flatnonzero(self.tracks["track_id"].to_numpy(dtype=object) == str(track_id))
        return int(rows[0]) if len(rows) else None

    def _row_or_file(self, reference):
        """Return the row of a track id, None for a file."""
        if not isinstance(reference, (str, os.PathLike)):
            kinds = "a track id, a path, bytes of an audio file, or (samples, rate)"
            cause = f"a {type(reference).__name__} is no recording"
            raise SimlibError("reference", cause, f"give {kinds}")
        row = self._row(reference)
        # Unlike Path.exists, this takes any text: a name too long is no file either.
        if row is None and not os.path.exists(reference):
            raise self._stranger(reference, "is neither a track id of the catalogue nor a file")
        return row

    def _known(self, track_id):
        """Return the row of a track id, which it has to be."""
        row = self._row(track_id)
        if row is None:
            raise self._stranger(track_id, "is no track of the catalogue")
        return row

    def _stranger(self, reference, cause):
        example = printable(self.tracks["track_id"].iloc[0])
        return SimlibError(reference, cause, f"ids look like '{example}'")


def _listed(references):
    return references if isinstance(references, list) else [references]


_shared = threading.local()


def query(like, k=10, weights=None, **options):
    """Rank the catalogue of the project around the working directory; see `Searcher.query`.

    The encoder and the index stay loaded for the next call, until the project's change.
    """
    project = Project.find()
    made = [project.index / "made_with.json", project.weights]
    state = (project.root, *(path.stat().st_mtime_ns for path in made if path.exists()))
    if getattr(_shared, "state", None) != state:
        _shared.searcher, _shared.state = Searcher(project.root), state
    return _shared.searcher.query(like, k, weights, **options)
