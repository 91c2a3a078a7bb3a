"""The settings of the branches, and of how much each aspect counts."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from simlib.core import Count, NotNegative, Positive, Section, Share


class BranchSettings(Section):
    """One of the branches, such as `train.descriptor_branch` or `train.tag_subspaces`.

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


class SoundShares(Section):
    """How much each part of the sound counts, relative to the others.

    Attributes
    ----------
    encoder, descriptor : float
        The encoder, and the branch on hand-crafted features.
    backbones : float
        The reduced activations of the backbones. A network without backbones divides their share.
    """

    section: ClassVar[str] = "train.shares.sound"
    encoder: Positive
    descriptor: NotNegative
    backbones: NotNegative


class ShareSettings(Section):
    """How much each aspect counts in a similarity whose query sets no weights.

    Attributes
    ----------
    tag_columns, tempo : float
        Of the whole. The sound has the rest.
    columns : dict of str to float
        How the tag columns divide their share: relative to each other, `default` for columns that
        are not named.
    sound : SoundShares
    """

    section: ClassVar[str] = "train.shares"
    tag_columns: Annotated[Share, Field(gt=0)]
    tempo: Annotated[Share, Field(gt=0)]
    columns: dict[str, Positive]
    sound: SoundShares

    @field_validator("columns")
    @classmethod
    def _has_a_default(cls, value: dict[str, float]) -> dict[str, float]:
        if "default" not in value:
            raise ValueError("a mapping with a 'default'")
        return value

    @model_validator(mode="after")
    def _leave_some_for_the_sound(self) -> Self:
        if self.tag_columns + self.tempo >= 1:
            raise ValueError("tag_columns and tempo together: less than 1, the rest is the sound")
        return self
