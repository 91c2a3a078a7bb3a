"""The settings of the artist split."""

from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from simlib.core import Section


class SplitSettings(Section):
    """The artist-disjoint split.

    Attributes
    ----------
    test, validation : float
        Share of the artists that only the evaluation and only the validation use.
    seed : int
        Another seed draws other artists.
    """

    section: ClassVar[str] = "split"
    test: Annotated[float, Field(gt=0, lt=1)]
    validation: Annotated[float, Field(gt=0, lt=1)]
    seed: int

    @field_validator("validation")
    @classmethod
    def _leaves_some_for_training(cls, value: float, info: ValidationInfo) -> float:
        if value + info.data.get("test", 0) >= 1:
            raise ValueError("less than 1 - test")
        return value
