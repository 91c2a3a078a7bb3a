"""Backbones by name: the one place that knows how each kind is loaded."""

from simlib.core import SimlibError
from simlib.features.backbones.backbone import Backbone, load_shipped
from simlib.features.backbones.cards import SHIPPED
from simlib.features.backbones.names import KNOWN, card_path, is_backbone
from simlib.features.backbones.onnx_backbone import OnnxBackbone, load_onnx


def load_backbone(name: str, variant: str | None = None) -> Backbone | OnnxBackbone:
    """Load a backbone, or return the one that was loaded before.

    Parameters
    ----------
    name : str
        One of `SHIPPED`; or the path of a card in the project, such as `backbones/mine.yaml`.
    variant : str, optional
        Of a shipped backbone `float32` or `bfloat16`, by default what the device computes quickly.
        Of a network in ONNX the digest that it must have.

    Returns
    -------
    Backbone or OnnxBackbone

    Raises
    ------
    SimlibError
        If there is no such backbone, its file is not the one that is wanted, or card and network
        do not fit.
    """
    if not is_backbone(name):
        raise SimlibError(f"backbone '{name}'", "is not known", f"choose from {KNOWN}")
    if name in SHIPPED:
        return load_shipped(name, variant)
    backbone = load_onnx(card_path(name))
    if variant not in (None, backbone.variant):
        cause = "it or its network is not the one that the features were extracted with"
        raise SimlibError(name, cause, "run 'dvc repro', or put the old files back")
    return backbone
