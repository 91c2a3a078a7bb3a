"""Backbones that come with simlib, loaded: patches of a recording in, activations out."""

from functools import cache

import numpy as np
import torch
from safetensors.torch import load_file

from simlib.core import SimlibError, digest_of, digest_of_code, digest_of_file
from simlib.features.backbones.activations import MelActivations
from simlib.features.backbones.cards import Card, load_shipped_card
from simlib.features.backbones.devices import best_device, compute_dtype
from simlib.features.backbones.musicnn import Musicnn
from simlib.features.backbones.vgg import Vgg

NETWORKS = {"musicnn": Musicnn, "vgg": Vgg}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Backbone:
    """A frozen network whose activations are features; make one with `load_backbone`.

    Parameters
    ----------
    card : Card
    network : torch.nn.Module
        Takes one patch and returns the layers of the card.
    dtype : str
        `float32` or `bfloat16`: what the large products are computed in.
    digest : str
        Of all that the numbers depend on: weights, card, dtype and code.
    """

    def __init__(self, card: Card, network: torch.nn.Module, dtype: str, digest: str):
        self.card, self.dtype, self.digest = card, dtype, digest
        self._device = best_device()
        self._network = network.to(self._device).eval()
        self.layers = {layer: card.columns(layer) for layer in card.layers}
        self.size = sum(card.layers.values())

    @property
    def name(self) -> str:
        """The name, such as `musicnn`."""
        return self.card.name

    @property
    def tags(self) -> tuple[str, ...]:
        """Names of the units of the layer `tags`."""
        return tuple(self.card.tags)

    def activations(self, patches: np.ndarray) -> np.ndarray:
        """Compute the activations of patches.

        The network takes one patch at a time: matrix products of another shape round otherwise,
        and what a patch gives must not depend on its neighbours. It is no slower.

        Parameters
        ----------
        patches : numpy.ndarray of float32, shape (n_patches, n_frames, n_mels)

        Returns
        -------
        numpy.ndarray of float32, shape (n_patches, size)
            The columns of a layer are those of `layers`.
        """
        rows = np.empty((len(patches), self.size), dtype=np.float32)
        with torch.inference_mode():
            for row, patch in zip(rows, patches, strict=True):
                outputs = self._network(torch.from_numpy(patch).to(self._device))
                row[:] = torch.cat([outputs[layer] for layer in self.layers]).cpu().numpy()
        return rows

    @property
    def variant(self) -> str:
        """What `load_backbone` needs to load the same again: the dtype."""
        return self.dtype

    def feature(self) -> MelActivations:
        """Return a feature of one recording, for `compute_features`."""
        return MelActivations(self, self.card.front_end)


def load_shipped(name: str, dtype: str | None = None) -> Backbone:
    """Load a backbone that comes with simlib; see `load_backbone`."""
    card = load_shipped_card(name)
    if dtype is None:
        fast = compute_dtype(best_device())
        dtype = next(key for key, value in DTYPES.items() if value == fast)
    return _loaded(card.name, dtype)


@cache
def _loaded(name, dtype):
    card = load_shipped_card(name)
    if digest_of_file(card.weights) != card.sha256:
        raise SimlibError(
            card.weights, "does not hold the weights of its card", "install simlib again"
        )
    network = NETWORKS[name](load_file(card.weights), card.front_end.n_mels, DTYPES[dtype])
    # What else the card says changes no number.
    made_of = card.model_dump(mode="json", include={"name", "front_end", "layers", "sha256"})
    recipe = [made_of, dtype, digest_of_code(__name__)]
    return Backbone(card, network, dtype, digest_of(recipe))
