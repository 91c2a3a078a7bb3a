"""One frozen dataclass for each section of `params.yaml`, with its checks."""

from dataclasses import dataclass

from simlib.core import Section


@dataclass(frozen=True)
class SplitSettings(Section):
    """The artist-disjoint split.

    Attributes
    ----------
    test, validation : float
        Share of the artists that only the evaluation and only the validation see.
    seed : int
        Another seed draws other artists.
    """

    section = "split"
    test: float
    validation: float
    seed: int

    def __post_init__(self):
        self._require("test", 0 < self.test < 1, "between 0 and 1")
        self._require("validation", 0 < self.validation < 1, "between 0 and 1")
        self._require("validation", self.test + self.validation < 1, "less than 1 - test")
