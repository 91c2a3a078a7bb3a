"""One frozen dataclass for each section of `params.yaml`, with its checks."""

from dataclasses import dataclass

from simlib.core import Section


@dataclass(frozen=True)
class IndexSettings(Section):
    """The index.

    Attributes
    ----------
    hop_seconds : float
        Step between the starts of two segments of a recording.
    weights : dict
        What each part of the embedding counts in a search that asks for nothing else; parts that
        are not named keep their default. See `simlib.model.aspects`.
    """

    section = "index"
    hop_seconds: float
    weights: dict

    def __post_init__(self):
        self._require("hop_seconds", self.hop_seconds > 0, "above 0")
