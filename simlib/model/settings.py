"""The settings of a small branch."""

from typing import Annotated, ClassVar

from pydantic import Field

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
