"""The settings of the index stage."""

from typing import ClassVar

from simlib.core import NotNegative, Positive, Section


class IndexSettings(Section):
    """The index.

    Attributes
    ----------
    hop_seconds : float
        Step between the starts of two segments of a recording.
    weights : dict of str to float
        How much each aspect counts in a search that sets no weights; aspects that are not named
        keep their default. See `simlib.model.aspects`.
    """

    section: ClassVar[str] = "index"
    hop_seconds: Positive
    weights: dict[str, NotNegative]
