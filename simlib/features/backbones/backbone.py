"""Backbones, loaded: patches of a recording in, activations out."""

from functools import cache

import numpy as np
import torch
from safetensors.torch import load_file

from simlib.core import SimlibError, digest_of, digest_of_code, digest_of_file
from simlib.features.backbones.cards import Card, load_card
from simlib.features.backbones.devices import best_device, compute_dtype
from simlib.features.backbones.front_end import Patches
from simlib.features.backbones.musicnn import Musicnn
from simlib.features.backbones.vgg import Vgg
from simlib.features.spectrogram import Frames

NETWORKS = {"musicnn": Musicnn, "vgg": Vgg}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
LARGEST = float(np.finfo(np.float16).max)


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

    def feature(self) -> "Activations":
        """Return a feature of one recording, for `feed`."""
        return Activations(self)


class Activations:
    """The activations of a recording, computed as its power spectra arrive.

    Parameters
    ----------
    backbone : Backbone
    """

    def __init__(self, backbone: Backbone):
        front_end = backbone.card.front_end
        self.frames = Frames(front_end.sample_rate, front_end.n_fft, front_end.hop_length)
        self._backbone, self._patches = backbone, Patches(front_end)
        self._rows: list[np.ndarray] = []

    def add(self, power: np.ndarray) -> None:
        """Add the next power spectra: float32, shape (n_frames, 1 + n_fft // 2)."""
        self._rows += [self._row(patch) for patch in self._patches.add(power)]

    def array(self) -> np.ndarray:
        """Return the activations, once all spectra were added: float16, shape (n_patches, size)."""
        return np.stack([*self._rows, *(self._row(patch) for patch in self._patches.rest())])

    def _row(self, patch):
        row = self._backbone.activations(patch[None])[0]
        return np.clip(row, -LARGEST, LARGEST).astype(np.float16)


def load_backbone(name: str, dtype: str | None = None) -> Backbone:
    """Load a backbone, or return the one that was loaded before.

    Parameters
    ----------
    name : str
        One of `SHIPPED`.
    dtype : str, optional
        `float32` or `bfloat16`; by default what the device computes quickly.

    Returns
    -------
    Backbone

    Raises
    ------
    SimlibError
        If there is no such backbone, or its weights are not those of its card.
    """
    card = load_card(name)
    if dtype is None:
        fast = compute_dtype(best_device())
        dtype = next(key for key, value in DTYPES.items() if value == fast)
    return _loaded(card.name, dtype)


@cache
def _loaded(name, dtype):
    card = load_card(name)
    if digest_of_file(card.weights) != card.sha256:
        raise SimlibError(
            card.weights, "does not hold the weights of its card", "install simlib again"
        )
    network = NETWORKS[name](load_file(card.weights), card.front_end.n_mels, DTYPES[dtype])
    # What else the card says changes no number.
    made_of = card.model_dump(mode="json", include={"name", "front_end", "layers", "sha256"})
    recipe = [made_of, dtype, digest_of_code(__name__)]
    return Backbone(card, network, dtype, digest_of(recipe))
