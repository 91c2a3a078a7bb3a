"""A query in, a ranked table out."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from simlib.core import Project, digest_of_file
from simlib.index import Calibration, Index
from simlib.model import read_metadata
from simlib.search.excerpts import excerpt_spans, joined_answers, representative_excerpt
from simlib.search.filters import filter_mask
from simlib.search.playlist_files import write_m3u
from simlib.search.playlists import path_between, radio
from simlib.search.queries import Query, Recording, Sources
from simlib.search.request import Search, SearchRequest, Weights
from simlib.search.rerank import choose, ranked
from simlib.search.results import find_matches, result_table
from simlib.search.settings import SearchSettings

if TYPE_CHECKING:
    from simlib.model import Embedder


class Searcher:
    """An index and its encoder, loaded once for many queries.

    The encoder is loaded with the first query that needs it: not for a whole track of the
    catalogue.

    Parameters
    ----------
    root : path-like, optional
        The project; found upwards from the working directory by default.

    Raises
    ------
    SimlibError
        If the weights or the index are not there, or do not belong together, or if the section
        `search` of `params.yaml` is missing or wrong.

    Examples
    --------
    >>> from simlib import Searcher
    >>> Searcher().query("song.mp3", k=5)  # doctest: +SKIP
    """

    def __init__(self, root: str | os.PathLike | None = None):
        self.project = Project(Path(root)) if root else Project.find()
        self.settings = SearchSettings.of(self.project.params().get("search"))
        self.segment_seconds: float = read_metadata(self.project.weights)["segment_seconds"]
        self.index = Index.load(self.project.index, digest_of_file(self.project.weights))
        self.calibration = Calibration.load(self.project.index)
        self.sources = Sources(self.project, self.index)

    @property
    def model(self) -> Embedder:
        """The encoder; see `Sources.model`."""
        return self.sources.model

    @property
    def tracks(self) -> pd.DataFrame:
        """The catalogue's table."""
        return self.index.tracks

    def load_query(
        self, source: Any, start: float | None = None, end: float | None = None
    ) -> Query:
        """Make something to search with.

        Parameters
        ----------
        source : str, path-like, bytes, (numpy.ndarray, int), Query or Recording
            A track id of the catalogue; any audio file, or its bytes; samples and their rate in
            Hz; or what `load` returned.
        start, end : float, optional
            Seconds of it; all of it by default.

        Returns
        -------
        simlib.search.queries.Query

        Raises
        ------
        SimlibError
            If it is none of these, cannot be decoded, or has no such seconds.
        """
        return self.sources.query(source, start, end)

    def load(self, source: Any, start: float | None = None, end: float | None = None) -> Recording:
        """Decode something to search with, once for many queries; see `load_query`."""
        return self.sources.recording(source, start, end)

    def representative(self, query: Query, seconds: float | None = None) -> tuple[float, float]:
        """Find the start and end, in seconds, of the excerpt most similar to the whole query."""
        seconds = self.settings.excerpt_seconds if seconds is None else seconds
        length = self.segment_seconds
        return representative_excerpt(query.segments, query.starts, length, query.end, seconds)

    def query(
        self, query: Any, k: int = 10, weights: Weights = None, **options: Any
    ) -> pd.DataFrame:
        """Rank the catalogue by similarity to a query, or to several at once.

        Parameters
        ----------
        query : see `load_query`, or a list of these
            Of several, a result must be similar to all.
        k : int
            Length of the list.
        weights : dict of str to float, optional
            How much each aspect counts, `{"tempo": 0.5}` for instance.
        **options
            `start`, `end`, `unlike`, `where`, `per_artist`, `own_artist`, `diversity` and
            `farthest`; see `simlib.search.SearchRequest`.

        Returns
        -------
        pandas.DataFrame
            See `answer`.

        Raises
        ------
        SimlibError
            If a query cannot be used, or an aspect, a condition or a number is wrong.
        """
        return self.answer(SearchRequest.of(query, k=k, weights=weights, **options))

    def answer(self, request: SearchRequest) -> pd.DataFrame:
        """Rank the catalogue for a request.

        Parameters
        ----------
        request : simlib.search.SearchRequest

        Returns
        -------
        pandas.DataFrame
            `rank` (from 1), `track_id`, `title`, `artist`, `tags`, and `auto_tags`, which are
            computed and not read from the catalogue; `similarity`, the hub-corrected weighted
            cosine, of several queries that of the least similar; `closer_than`, the percentage of
            unrelated pairs that are less similar. `query` is the one that matches best, at its
            seconds `query_start` to `query_end`, by seconds `start` to `end` of the result.
            `same_seconds` is how much of the recording itself is in a query, and `near_duplicate`
            whether that is most of it: such results come first, whoever their artist is. `why` is
            each aspect's share of the similarity. A query is not listed as its own match.
            `attrs["weights"]` are those of the aspects. `attrs["no_close_match"]` is true if
            nothing in the catalogue is similar to the query.

        Raises
        ------
        SimlibError
            See `query`.
        """
        index = self.index
        queries = [self.load_query(one, request.start, request.end) for one in request.queries]
        unlike = [self.load_query(one) for one in request.unlike]
        weights = self._weights(request.weights)
        search = Search(request, queries, unlike, weights, index, self.settings)
        candidates = filter_mask(self.tracks, request.where)
        candidates[_rows([*queries, *unlike])] = False
        matches = {} if request.farthest else find_matches(search, candidates)
        first = sorted(matches, key=lambda row: -matches[row].match.seconds)[: request.k]
        candidates[first] = False
        if not request.own_artist:
            own = _rows(queries) + [row for row in first if matches[row].near_duplicate]
            candidates &= ~np.isin(index.artists, index.artists[own])
        rest = request.k - len(first)
        for depth in (index.settings.candidates, len(self.tracks)):
            rows = choose(search, *ranked(search, candidates, depth), rest)
            if len(rows) == rest:
                break
        rows = np.array([*first, *rows], dtype=np.int64)
        table = result_table(search, rows, matches, self.calibration, self.segment_seconds)
        outliers = [
            self.calibration.has_no_close_match(index, one.vector, index.artist(one.row))
            for one in queries
        ]
        table.attrs["weights"] = weights
        table.attrs["no_close_match"] = all(outliers) and not matches and not request.farthest
        return table

    def query_words(
        self, words: str | Iterable[str], k: int = 10, where: str | Iterable[str] = (),
        per_artist: int | None = 1,
    ) -> pd.DataFrame:  # fmt: skip
        """Rank the catalogue by words in place of a recording; see `simlib.search.words`.

        Parameters
        ----------
        words : str or iterable of str
            Automatic tags, their synonyms and values of tag columns: a list, or one text with
            commas between them.
        k : int
            Length of the list.
        where : str or iterable of str
            Conditions on columns; see `simlib.search.filter_mask`.
        per_artist : int, optional
            The most results by one artist; None for any number.

        Returns
        -------
        pandas.DataFrame
            `rank` (from 1), `track_id`, `title`, `artist`, `tags`, `auto_tags`; `score`, the mean
            standardised score of the words; `start` and `end`, the seconds of the most
            representative excerpt; `why`, the percentage of the catalogue that fits each word less.
            Tracks that fit less than the average track are left out.

        Raises
        ------
        SimlibError
            If a word is not known, or a condition or a number is wrong.
        """
        # What only words need takes longer to import than another search.
        from simlib.search.words import rank_by_words

        where = (where,) if isinstance(where, str) else where
        found = rank_by_words(self.index, words, k, where, per_artist)
        length, seconds = self.segment_seconds, self.settings.excerpt_seconds
        spans = [
            representative_excerpt(*self.index.segments_of(row), length, end, seconds)
            for row, end in zip(found.index, self.tracks["seconds"].iloc[found.index], strict=True)
        ]
        starts, ends = np.array(spans, dtype=np.float64).reshape(-1, 2).T.round(2)
        return found.assign(start=starts, end=ends).reset_index(drop=True)

    def timeline(
        self, source: Any, seconds: float | None = None, weights: Weights = None,
        where: str | Iterable[str] = (), progress: Callable = tqdm,
    ) -> pd.DataFrame:  # fmt: skip
        """Answer a long recording, a mix for instance, excerpt by excerpt.

        Parameters
        ----------
        source : see `load_query`
        seconds : float, optional
            Length of an excerpt; by default that of `params.yaml`.
        weights, where
            See `query`.
        progress : callable
            What shows the progress, called like tqdm.

        Returns
        -------
        pandas.DataFrame
            One row an excerpt: `excerpt_start` and `excerpt_end`, seconds of the source; the
            columns of `answer`, of the most similar track; and `no_close_match`. Excerpts that
            follow each other and have the same answer are one row.

        Raises
        ------
        SimlibError
            See `query`.
        """
        recording = self.load(source)
        seconds = self.settings.excerpt_seconds if seconds is None else seconds
        spans = excerpt_spans(recording, seconds, self.model.front_end)
        request = SearchRequest.of(recording, k=1, weights=weights, where=where)
        answers = []
        for start, end in progress(spans, desc="excerpts", unit="", leave=False):
            query = self.load_query(recording, start, end)
            found = self.answer(dataclasses.replace(request, queries=(query,)))
            found.insert(0, "excerpt_start", round(start, 2))
            found.insert(1, "excerpt_end", round(end, 2))
            found["no_close_match"] = found.attrs["no_close_match"]
            answers.append(found)
        return joined_answers(answers)

    def path(self, first: str, last: str, steps: int = 8, weights: Weights = None) -> pd.DataFrame:
        """Make a playlist from one track to another; see `simlib.search.path_between`."""
        rows = self.sources.row_of(first), self.sources.row_of(last)
        settings, weights = self.settings.playlists, self._weights(weights)
        return path_between(self.index, *rows, steps, settings, weights)

    def radio(self, seed: str, length: int = 20, weights: Weights = None) -> pd.DataFrame:
        """Make a playlist around a track of the catalogue; see `simlib.search.radio`."""
        settings, weights = self.settings.playlists, self._weights(weights)
        return radio(self.index, self.sources.row_of(seed), length, settings, weights)

    def to_m3u(self, found: pd.DataFrame, file: str | os.PathLike) -> None:
        """Write a list of this searcher as a playlist; see `simlib.search.write_m3u`."""
        write_m3u(found, self.tracks, self.project.data, file)

    def _weights(self, wanted):
        """Return the weights of all aspects, if a search sets some or none."""
        own = self.index.weights
        return self.index.aspects.weights(own | wanted) if wanted else own


def _rows(queries):
    """Return the rows of those queries that are tracks of the catalogue."""
    return [query.row for query in queries if query.row is not None]


_shared = threading.local()


def query(query: Any, k: int = 10, weights: Weights = None, **options: Any) -> pd.DataFrame:
    """Rank the catalogue of the project around the working directory; see `Searcher.query`.

    The encoder, the index and the settings stay loaded for the next call, until those of the
    project change.
    """
    project = Project.find()
    made = [project.index / "made_with.json", project.weights, project.root / "params.yaml"]
    state = (project.root, *(path.stat().st_mtime_ns for path in made if path.exists()))
    if getattr(_shared, "state", None) != state:
        _shared.searcher, _shared.state = Searcher(project.root), state
    return _shared.searcher.query(query, k, weights, **options)
