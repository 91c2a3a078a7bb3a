"""Cards of the backbones that come with simlib: what a network takes, returns and comes from.

A card is a YAML file beside the weights. The code reads from it all that depends on the network.
"""

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, PositiveInt

from simlib.core import SimlibError
from simlib.features.backbones.front_ends import MelFrontEnd, Strict

WEIGHTS = Path(__file__).parent / "weights"
SHIPPED = ("musicnn", "vgg")


class Source(Strict):
    """Where the weights come from.

    Attributes
    ----------
    package, version : str
        The Python package that published them.
    sha256 : str
        Digest of the package's wheel.
    network : str
        Name of the network in the package.
    paper : str
    licence : str
        SPDX identifier.
    notice : str
        File beside the card with the copyright and the permission.
    trained_on : str
        The training data, and the terms that hold for them.
    """

    package: str
    version: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    network: str
    paper: str
    licence: str
    notice: str
    trained_on: str


class Card(Strict):
    """What is known of a backbone that comes with simlib.

    Attributes
    ----------
    name : str
    source : Source
    front_end : MelFrontEnd
    layers : dict of str to int
        The layers whose activations are kept, in their order, and the size of each. If there is
        one of the name `tags`, it is the last.
    embedding : str
        The layer that is an embedding by itself: what users of the network compare.
    tags : list of str
        Names of the units of the layer `tags`.
    sha256 : str
        Digest of the file of weights.
    """

    name: str
    source: Source
    front_end: MelFrontEnd
    layers: dict[str, PositiveInt]
    embedding: str
    tags: list[str]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

    def columns(self, layer: str) -> slice:
        """Return which of the activations are those of a layer."""
        names, sizes = list(self.layers), list(self.layers.values())
        first = sum(sizes[: names.index(layer)])
        return slice(first, first + self.layers[layer])

    @property
    def head_size(self) -> int:
        """How many of the activations, the first, are the input of heads: all but the tags."""
        return sum(size for layer, size in self.layers.items() if layer != "tags")

    @property
    def trained_on(self) -> str:
        """The training data, and the terms that hold for them."""
        return self.source.trained_on

    @property
    def weights(self) -> Path:
        """The file of weights."""
        return WEIGHTS / f"{self.name}.safetensors"


@cache
def load_shipped_card(name: str) -> Card:
    """Read the card of a backbone that comes with simlib; see `load_card`."""
    if name not in SHIPPED:
        raise SimlibError(f"backbone '{name}'", "is not known", f"choose from {', '.join(SHIPPED)}")
    text = (WEIGHTS / f"{name}.yaml").read_text(encoding="utf-8")
    return Card.model_validate(yaml.safe_load(text))
