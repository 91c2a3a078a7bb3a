"""The settings of a search. No stage uses them: a change counts from the next search on."""

from typing import Annotated, ClassVar

from pydantic import Field

from simlib.core import Count, Positive, Section


class AgreementSettings(Section):
    """How similarities are combined; see `simlib.search.rerank`.

    Attributes
    ----------
    aspect_temperature : float
        Of the soft maximum over the aspects. The lower it is, the further a single aspect carries
        a candidate.
    query_temperature : float
        Of the soft minimum over several queries. The lower it is, the more the query counts that a
        candidate is least similar to.
    """

    section: ClassVar[str] = "search.agreement"
    aspect_temperature: Positive
    query_temperature: Positive


class PlaylistSettings(Section):
    """How playlists are made; see `simlib.search.playlists`.

    Attributes
    ----------
    candidates : int
        Tracks that a playlist is chosen from; of a larger catalogue, those closest to its line.
    line_points : int
        Points of a path's line, both ends among them, whose most similar tracks are candidates.
    artist_gap : int
        Tracks of a radio between two by one artist. Five take about twenty minutes.
    choice : int
        The next track of a radio is one of this many. Fewer stay closer to the seed, more make
        smaller jumps.
    """

    section: ClassVar[str] = "search.playlists"
    candidates: Count
    line_points: Count
    artist_gap: Annotated[int, Field(ge=0)]
    choice: Count


class SearchSettings(Section):
    """A search, a timeline or a playlist.

    Attributes
    ----------
    excerpt_seconds : float
        Length of an excerpt that represents a recording, and of one of a timeline.
    matched_segments : int
        Segments in a row that are compared to find matching excerpts. A single one is similar by
        chance more often.
    near_duplicate_candidates : int
        Tracks most similar to a track of the catalogue that are compared by fingerprints.
    diversity_pool : int
        A diverse list is chosen from this many times its length.
    agreement : AgreementSettings
    playlists : PlaylistSettings
    """

    section: ClassVar[str] = "search"
    excerpt_seconds: Positive
    matched_segments: Count
    near_duplicate_candidates: Count
    diversity_pool: Count
    agreement: AgreementSettings
    playlists: PlaylistSettings
