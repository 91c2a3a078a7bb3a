"""Names of backbones, as `train.backbones` has them: of those that come with simlib, and paths.

The path of a card is relative to the project's root, wherever a notebook's kernel starts. The card
is in the folder `backbones/`, because the extract stage depends on that folder.
"""

import re
from pathlib import Path

from simlib.core import SimlibError, project_root
from simlib.features.backbones.cards import SHIPPED, Card, load_shipped_card
from simlib.features.backbones.onnx_card import OnnxCard, read_onnx_card

KNOWN = f"{', '.join(SHIPPED)}, and cards such as backbones/mine.yaml"


def is_backbone(name: str) -> bool:
    """Return whether a name is that of a shipped backbone, or a path that a card may have."""
    return name in SHIPPED or re.fullmatch(r"backbones/\w[\w.-]*\.yaml", name) is not None


def card_path(name: str) -> Path:
    """Return the file of a card, in the project around the working directory."""
    return project_root() / name


def load_card(name: str) -> Card | OnnxCard:
    """Read the card of a backbone.

    Parameters
    ----------
    name : str
        One of `SHIPPED`; or the path of a card in the project, such as `backbones/mine.yaml`.

    Returns
    -------
    Card or OnnxCard

    Raises
    ------
    SimlibError
        If there is no such backbone, or its card is not right.
    """
    if not is_backbone(name):
        raise SimlibError(f"backbone '{name}'", "is not known", f"choose from {KNOWN}")
    return load_shipped_card(name) if name in SHIPPED else read_onnx_card(card_path(name))
