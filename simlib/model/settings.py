"""One frozen dataclass for each section of `params.yaml`, with its checks."""

from dataclasses import dataclass

from simlib.core import Section


@dataclass(frozen=True)
class BranchSettings(Section):
    """The branches `train.descriptor_branch`, `train.tag_subspaces` and `train.tempo_subspace`.

    Attributes
    ----------
    hidden, embedding : int
        Units of the hidden layer, dimensions of the embedding.
    input_dropout, dropout : float
        Shares of the features and of the hidden units that training drops.
    noise : float
        Deviation of the noise that training adds to the scaled features.
    steps : int
        Of training, each on at most 256 recordings.
    learning_rate : float
    """

    section = "train, a branch"
    hidden: int
    embedding: int
    input_dropout: float
    dropout: float
    noise: float
    steps: int
    learning_rate: float

    def __post_init__(self):
        for key in ("hidden", "steps"):
            self._require(key, getattr(self, key) >= 1, "at least 1")
        self._require("embedding", self.embedding >= 2, "at least 2")
        for key in ("input_dropout", "dropout"):
            self._require(key, 0 <= getattr(self, key) < 1, "at least 0 and below 1")
        self._require("noise", self.noise >= 0, "at least 0")
        self._require("learning_rate", self.learning_rate > 0, "above 0")
