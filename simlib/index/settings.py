"""The settings of the index stage."""

from typing import Annotated, ClassVar

from pydantic import Field

from simlib.core import Count, NotNegative, Positive, Probability, Section, Share

# How to make an index anew.
INDEX_HINT = "run 'dvc repro index'"
# The highest normalised cross-correlation is 1.
Correlation = Annotated[float, Field(gt=0, le=1)]


class HubSettings(Section):
    """The hub penalty; see `simlib.index.hubness`.

    Attributes
    ----------
    list_length : int
        Places of the ranked lists that are counted: as many as people look at.
    share : float
        The most lists that a track may stand in, in times the average.
    """

    section: ClassVar[str] = "index.hubs"
    list_length: Count
    share: Annotated[float, Field(ge=1)]


# The hub penalty outside a project, as params.yaml has it.
DEFAULT_HUBS = HubSettings(list_length=10, share=1.5)


class FingerprintSettings(Section):
    """What makes two fingerprints match; see `simlib.index.fingerprints`.

    Correlations are normalised cross-correlations of about three seconds, or of about one second at
    the ends of a match.

    Attributes
    ----------
    candidate_correlation : float
        Least correlation in the coarse comparison with all tracks.
    candidates : int
        The most tracks that are compared finely.
    match_correlation : float
        Least correlation in the fine comparison.
    extend_correlation : float
        A match is extended while its correlation is above this on the whole.
    extend_loss : float
        It ends where the sum of the differences has fallen by this since its maximum.
    drift_penalty : float
        Correlation that a step at another speed must gain.
    shortest_seconds : float
        Shorter matches are chance or a sample of the recording.
    speed_change : float
        The largest difference in speed, as a share.
    near_duplicate_share : float
        Share of the shorter recording that a near-duplicate has in common, at least.
    """

    section: ClassVar[str] = "index.fingerprints"
    candidate_correlation: Correlation
    candidates: Count
    match_correlation: Correlation
    extend_correlation: Correlation
    extend_loss: Positive
    drift_penalty: NotNegative
    shortest_seconds: Positive
    speed_change: Share
    near_duplicate_share: Probability


class CalibrationSettings(Section):
    """Similarity percentiles and the outlier threshold; see `simlib.index.calibration`.

    Attributes
    ----------
    references : int
        Tracks of the reference sample. More cost time and change little.
    neighbours : int
        Most similar tracks whose tags stand for those of a query. Further ones share less with it.
    prior_artists : int
        Estimates weigh as much as this number of validation artists.
    queries : int
        The most queries whose pairs are counted. More cost time and change little.
    false_alarms : float
        Share of queries for which "no close match" may be reported wrongly.
    closest_share : float
        Share of the reference sample, the most similar, whose mean similarity shows an outlier. A
        single track is too few: by chance some track is similar to every query.
    fewest : int
        Fewer recordings of validation artists give no outlier threshold.
    """

    section: ClassVar[str] = "index.calibration"
    references: Count
    neighbours: Count
    prior_artists: Annotated[int, Field(ge=0)]
    queries: Count
    false_alarms: Probability
    closest_share: Probability
    fewest: Count


class MapSettings(Section):
    """The map of the catalogue; see `simlib.index.projection`.

    Attributes
    ----------
    perplexity : float
        Of t-SNE, about the number of neighbours that it keeps together.
    sample : int
        The most tracks that a map is laid out of. Others are placed among them.
    seed : int
    """

    section: ClassVar[str] = "index.map"
    perplexity: Positive
    sample: Count
    seed: Annotated[int, Field(ge=0)]


class IndexSettings(Section):
    """The index. A search uses the settings that its index was made with.

    Attributes
    ----------
    hop_seconds : float
        Step between the starts of two segments of a recording.
    weights : dict of str to float or None
        How much each aspect counts in a search that sets no weights. Aspects without a number keep
        their default, and None may name an aspect that the model lacks. See `simlib.model.aspects`.
    candidates : int
        Most similar tracks by cosine that are ranked again with hub penalties.
    hubs : HubSettings
    fingerprints : FingerprintSettings
    calibration : CalibrationSettings
    map : MapSettings
    """

    section: ClassVar[str] = "index"
    hop_seconds: Positive
    weights: dict[str, NotNegative | None]
    candidates: Count
    hubs: HubSettings
    fingerprints: FingerprintSettings
    calibration: CalibrationSettings
    map: MapSettings

    @property
    def set_weights(self) -> dict[str, float]:
        """The weights that are numbers."""
        return {name: weight for name, weight in self.weights.items() if weight is not None}
