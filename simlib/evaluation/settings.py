"""The settings of the evaluation."""

from typing import Annotated, ClassVar

from pydantic import Field

from simlib.core import Count, Section


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
    """

    section: ClassVar[str] = "evaluate"
    k: Count
    bootstrap: Annotated[int, Field(ge=100)]
    seed: int
