"""The settings of the evaluation."""

from typing import Annotated, ClassVar

from pydantic import Field

from simlib.core import Count, Positive, Probability, Section


class RobustnessSettings(Section):
    """The degraded queries; see `simlib.evaluation.robustness`.

    Attributes
    ----------
    queries : int
        The most recordings that are degraded, each in every way. More cost time and change little.
    seconds : float
        Length of a query: the middle of a longer recording.
    """

    section: ClassVar[str] = "evaluate.robustness"
    queries: Count
    seconds: Positive


class TagStudySettings(Section):
    """The tag studies; see `simlib.evaluation.tag_audibility` and `tag_confusion`.

    Attributes
    ----------
    false_discoveries : float
        Share of the audible tags, and of the confused pairs, that may be chance.
    fewest_artists : int
        A tag of fewer artists among the queries, or among the others, gets no interval.
    relevant_odds_ratio : float
        Times the odds that a neighbour has the tag; a tag with less is barely audible at most.
    least_attraction : float
        How strongly two confused tags attract each other at least, as a share of how strongly they
        attract their own.
    """

    section: ClassVar[str] = "evaluate.tag_study"
    false_discoveries: Probability
    fewest_artists: Count
    relevant_odds_ratio: Annotated[float, Field(gt=1)]
    least_attraction: Probability


class EvaluateSettings(Section):
    """The evaluation.

    Attributes
    ----------
    k : int
        Length of the ranked lists that are scored.
    bootstrap : int
        Resamples of the artists behind each 95% interval.
    seed : int
        Of resamples, ties, the random baseline and the choice of examples.
    queries : int
        The queries that are scored if there are more than `exact_tracks` candidates. All are
        candidates still.
    exact_tracks : int
        The most candidates of which each is a query.
    most_tracks : int
        The most tracks of which hubs are counted and two indexes compared. Pairs of tracks grow
        with the square.
    robustness : RobustnessSettings
    tag_study : TagStudySettings
    """

    section: ClassVar[str] = "evaluate"
    k: Count
    bootstrap: Annotated[int, Field(ge=100)]
    seed: int
    queries: Count
    exact_tracks: Count
    most_tracks: Count
    robustness: RobustnessSettings
    tag_study: TagStudySettings
