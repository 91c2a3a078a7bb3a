"""One frozen dataclass for each section of `params.yaml`, with its checks."""

from dataclasses import dataclass, field

from simlib.core import Section


@dataclass(frozen=True)
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
    compare : list of str
        `.npz` files with the embeddings or similarities of other systems.
    """

    section = "evaluate"
    k: int
    bootstrap: int
    seed: int
    compare: list = field(default_factory=list)

    def __post_init__(self):
        self._require("k", self.k >= 1, "at least 1")
        self._require("bootstrap", self.bootstrap >= 100, "at least 100")
        self._require(
            "compare", all(isinstance(name, str) for name in self.compare), "a list of file names"
        )
