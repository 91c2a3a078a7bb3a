"""The settings of the branches, and of how much each aspect counts."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from simlib.core import Count, NotNegative, Positive, Section, Share


class BranchSettings(Section):
    """One of `train.descriptor_branch`, `train.tag_subspaces` and `train.tempo_subspace`.

    Attributes
    ----------
    hidden, embedding : int
        Units of the hidden layer, dimensions of the embedding.
    input_dropout, dropout : float
        Shares of the features and of the hidden units that training drops.
    noise : float
        Standard deviation of the noise that training adds to the scaled features.
    steps : int
        Of training.
    learning_rate : float
    """

    section: ClassVar[str] = "train, a branch"
    hidden: Count
    embedding: Annotated[int, Field(ge=2)]
    input_dropout: Share
    dropout: Share
    noise: NotNegative
    steps: Count
    learning_rate: Positive


class ShareSettings(Section):
    """How much each aspect counts in a similarity whose query sets no weights.

    Attributes
    ----------
    tag_columns, tempo : float
        Of the whole. The tag columns have theirs in equal parts, and the sound has the rest.
    descriptor : float
        Of the sound: the descriptor branch. The encoder has the rest.
    """

    section: ClassVar[str] = "train.shares"
    tag_columns: Annotated[Share, Field(gt=0)]
    tempo: Annotated[Share, Field(gt=0)]
    descriptor: Share

    @model_validator(mode="after")
    def _leave_some_for_the_sound(self) -> Self:
        if self.tag_columns + self.tempo >= 1:
            raise ValueError("tag_columns and tempo together: less than 1, the rest is the sound")
        return self
