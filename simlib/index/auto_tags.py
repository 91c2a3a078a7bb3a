"""Automatic tags: those of the backbones' 50 Last.fm tags that are probable for a recording.

A probability is compared with a threshold of its own, because tags differ in frequency: a
probability of 0.1 is low for rock and high for house. `auto_tags.yaml` holds the thresholds. These
tags are no ground truth: nothing is trained, evaluated or calibrated on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from simlib.features import load_card

if TYPE_CHECKING:
    from simlib.features import RecordingFeatures

_FILE = Path(__file__).with_name("auto_tags.yaml")


@cache
def _published() -> dict[str, Any]:
    return yaml.safe_load(_FILE.read_text(encoding="utf-8"))


def known_auto_tags() -> tuple[str, ...]:
    """Return the names of the automatic tags, in lower case."""
    return tuple(next(iter(_published()["thresholds"].values())))


def tag_probabilities(names: Iterable[str], activations: np.ndarray) -> dict[str, float]:
    """Average the probabilities of tags over the patches of a recording.

    Parameters
    ----------
    names : iterable of str, length n_tags
        Of the layer `tags`; see `simlib.features.load_card`.
    activations : numpy.ndarray of float, shape (n_patches, n_tags)
        Of the layer `tags`.

    Returns
    -------
    dict of str to float
        By lower-case name. Of two tags that mean the same, the more probable one counts.
    """
    merged: Mapping[str, str] = _published()["merged"]
    found: dict[str, float] = {}
    means = activations.mean(axis=0, dtype=np.float64).tolist()
    for name, mean in zip(names, means, strict=True):
        name = merged.get(name.casefold(), name.casefold())
        found[name] = max(found.get(name, 0.0), mean)
    return found


def tag_scores(features: RecordingFeatures) -> dict[str, float]:
    """Compute the scores of the automatic tags of a recording.

    Parameters
    ----------
    features : simlib.features.RecordingFeatures

    Returns
    -------
    dict of str to float
        Probability divided by threshold, the mean over the backbones with published thresholds;
        {} if the recording has none of these backbones. A recording carries a tag from 1 on.
    """
    found = []
    for backbone, thresholds in _published()["thresholds"].items():
        if backbone in features.backbones:
            card = load_card(backbone)
            activations = features.backbones[backbone][:, card.columns("tags")]
            probabilities = tag_probabilities(card.tags, activations)
            found.append({tag: probabilities[tag] / least for tag, least in thresholds.items()})
    return {tag: float(np.mean([one[tag] for one in found])) for tag in known_auto_tags() if found}


def joined_tags(scores: Mapping[str, float]) -> str:
    """Join the tags that a recording carries by `;`, the highest score first.

    Parameters
    ----------
    scores : mapping of str to float
        From `tag_scores`.

    Returns
    -------
    str
    """
    carried = [tag for tag, score in scores.items() if score >= 1]
    return ";".join(sorted(carried, key=lambda tag: -scores[tag]))
