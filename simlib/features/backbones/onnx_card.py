"""Cards of networks in ONNX: what a user writes so that any network can be a backbone."""

from functools import cache
from os import PathLike
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, PositiveInt, ValidationError, model_validator

from simlib.core import SimlibError
from simlib.features.backbones.front_ends import MelFrontEnd, Strict, WaveformFrontEnd

# The input may have these axes beside those of a patch. Each is of length 1.
EXTRA_AXES = ("batch", "channel")


class Output(Strict):
    """What a network in ONNX returns of a patch.

    Attributes
    ----------
    name : str
        Of the output.
    axes : list of str
        `features`, once, and any of `batch`, `time` and `bands`, over which the mean is taken.
    size : int
        Length of the axis `features`.
    """

    name: str
    axes: list[Literal["batch", "features", "time", "bands"]]
    size: PositiveInt

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.axes)) < len(self.axes) or "features" not in self.axes:
            raise ValueError("output.axes must have features, and each axis once")
        return self


class OnnxCard(Strict):
    """What is known of a network in ONNX.

    Attributes
    ----------
    name : str
    onnx : str, optional
        The file of the network, relative to the card.
    licence : str
        Of the weights.
    trained_on : str
        The training data, and the terms that hold for them.
    front_end : MelFrontEnd or WaveformFrontEnd
    input : list of str
        The axes of the network's input: `frames` and `mels`, or `samples`, in any order; and, of
        length 1, `batch` and `channel`.
    output : Output
    """

    name: str
    onnx: str | None = None
    licence: str
    trained_on: str
    front_end: Annotated[MelFrontEnd | WaveformFrontEnd, Field(discriminator="kind")]
    input: list[Literal["batch", "channel", "frames", "mels", "samples"]]
    output: Output

    @model_validator(mode="after")
    def _fits(self) -> Self:
        own = sorted(axis for axis in self.input if axis not in EXTRA_AXES)
        if own != sorted(self.front_end.patch) or len(set(self.input)) < len(self.input):
            axes = " and ".join(self.front_end.patch)
            raise ValueError(f"input must have {axes}, each once, and at most batch and channel")
        return self

    @property
    def embedding(self) -> str:
        """The layer that is an embedding by itself: there is one, the output."""
        return self.output.name

    def columns(self, layer: str) -> slice:
        """Return which of the activations are those of a layer: all."""
        return slice(0, self.output.size)

    @property
    def tags(self) -> list[str]:
        """Names of the units of a layer `tags`: none, there is no such layer."""
        return []

    @property
    def head_size(self) -> int:
        """How many of the activations are the input of heads: all."""
        return self.output.size


def read_onnx_card(path: str | PathLike) -> OnnxCard:
    """Read the card of a network in ONNX.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    OnnxCard

    Raises
    ------
    SimlibError
        If there is no such file, or a key is unknown, missing or wrong.
    """
    path = Path(path)
    try:
        state = path.stat()
        # The card is read again if it changes while a notebook runs.
        return _onnx_card(path.absolute(), (state.st_mtime_ns, state.st_size))
    except OSError as error:
        hint = "correct the path, or put the card there"
        raise SimlibError(path, f"cannot be read ({error.strerror})", hint) from None


@cache
def _onnx_card(path, state):
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise SimlibError(path, f"is no YAML ({reason})", "correct it") from None
    if not isinstance(values, dict):
        raise SimlibError(path, "holds no keys with values", "see 'Another backbone' in README.md")
    try:
        return OnnxCard.model_validate(values)
    except ValidationError as error:
        raise _explained(path, error) from None


def _explained(path, error):
    """Turn the first of pydantic's complaints into a sentence on a key of the card."""
    order = ("extra_forbidden", "missing")
    first = sorted(error.errors(), key=lambda e: (*(e["type"] != kind for kind in order),))[0]
    # In the front end, the second step is its kind and no key.
    steps = [str(step) for step in first["loc"]]
    key = ".".join(steps[:1] + steps[2:] if steps[:1] == ["front_end"] else steps)
    kind = first["type"]
    if kind == "extra_forbidden":
        return SimlibError(path, f"unknown key '{key}'", "take it out, or correct its name")
    if kind == "missing":
        return SimlibError(path, f"missing key '{key}'", "add it with a value")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return SimlibError(path, "'front_end.kind' is not right", "it must be mel or waveform")
    if kind == "value_error":
        reason = str(first["ctx"]["error"])
        return SimlibError(path, f"keys of '{key or 'the card'}' do not fit", reason)
    hint = first["msg"].replace("Input should be", "it must be")
    return SimlibError(path, f"'{key}' is {first['input']!r}", hint)
