"""One search: the request, checked once, and the request with its queries loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Self

from simlib.core import SimlibError, at_least_one
from simlib.index import Index
from simlib.search.queries import Query
from simlib.search.settings import SearchSettings

# How much each aspect counts; None for the weights of the index.
Weights = dict[str, float] | None


@dataclass(frozen=True)
class SearchRequest:
    """What to rank the catalogue by; for the Python API, the command line and the panel.

    Attributes
    ----------
    queries : tuple
        What results are to be similar to; see `Searcher.load_query` for what each may be. Of
        several, a result must be similar to all.
    k : int
        Length of the list.
    weights : dict of str to float or None
        How much each aspect counts; see `simlib.model.Aspects.weights`.
    start, end : float or None
        Seconds of the query, if there is only one.
    unlike : tuple
        Queries that results are not to be similar to.
    where : tuple of str
        Conditions on columns; see `simlib.search.filter_mask`.
    per_artist : int or None
        The most results by one artist, near-duplicates not counted; None for any number.
    own_artist : bool
        Whether the queries' own artists may be listed. The artist of a file is that of its
        near-duplicates.
    diversity : float
        From 0, the most similar, to 1, the most diverse; see `simlib.search.diverse`.
    farthest : bool
        List the least similar in place of the most similar.

    Raises
    ------
    SimlibError
        If there is no query, or a number is out of range.
    """

    queries: tuple
    k: int = 10
    weights: Weights = None
    start: float | None = None
    end: float | None = None
    unlike: tuple = ()
    where: tuple[str, ...] = ()
    per_artist: int | None = 1
    own_artist: bool = False
    diversity: float = 0.0
    farthest: bool = False

    def __post_init__(self):
        at_least_one("k", self.k)
        if self.per_artist is not None:
            at_least_one("per_artist", self.per_artist)
        if not (isinstance(self.diversity, Real) and 0 <= self.diversity <= 1):
            raise SimlibError(f"diversity = {self.diversity}", "is out of range", "give 0 to 1")
        if not self.queries:
            raise SimlibError("queries", "are none", "give one that results are to be similar to")
        if len(self.queries) > 1 and not (self.start is None and self.end is None):
            hint = "give each its own: Searcher.load_query(source, start, end)"
            raise SimlibError("start and end", "are of one query", hint)

    @classmethod
    def of(cls, query: Any, **options: Any) -> Self:
        """Make a request as people write it: one query or a list, one condition or several.

        Parameters
        ----------
        query : object or list
        **options
            The other attributes; `unlike` may be one query or a list, `where` one text or several.
        """
        unlike, where = options.pop("unlike", None), options.pop("where", ())
        return cls(
            _listed(query),
            unlike=() if unlike is None else _listed(unlike),
            where=(where,) if isinstance(where, str) else tuple(where),
            **options,
        )


def _listed(queries):
    return tuple(queries) if isinstance(queries, list) else (queries,)


@dataclass(frozen=True)
class Search:
    """A request whose queries are loaded, with the index that answers it.

    Attributes
    ----------
    request : SearchRequest
    queries, unlike : list of simlib.search.Query
        What results are to be similar to, and what not.
    weights : dict of str to float
        Of every aspect.
    index : simlib.index.Index
    settings : SearchSettings
    """

    request: SearchRequest
    queries: Sequence[Query]
    unlike: Sequence[Query]
    weights: dict[str, float]
    index: Index
    settings: SearchSettings
