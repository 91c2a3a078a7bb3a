"""Vgg: five small convolutions and pools on the spectrogram, from the package of musicnn.

The network is the one of the graph stored beside the checkpoint. The package's own code pools
otherwise, ends in the same shape, and computes something else.
"""

import torch
from torch import nn

from simlib.features.backbones.layers import BatchNorm, Dense, FirstPooled, Pooled, Tensors

# Frames and bands that each block pools. The first pools no bands; see `FirstPooled`.
FIRST_FRAMES, POOLS = 4, ((1, 4), (2, 2), (2, 2), (4, 4))
# The blocks whose mean over frames and bands is kept.
KEPT = (3, 4, 5)


class Vgg(nn.Module):
    """The network.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
        The weights, of float32.
    bands : int
        Of a patch; the network has the same filters whatever their number.
    dtype : torch.dtype
        Of the products in all convolutions but the first; all else is float32.
    """

    def __init__(self, tensors: Tensors, bands: int, dtype: torch.dtype):
        super().__init__()
        self.input_norm = BatchNorm(tensors, "input_norm")
        first = FirstPooled(tensors, "blocks.0", FIRST_FRAMES)
        others = [
            Pooled(tensors, f"blocks.{n}", pool, dtype) for n, pool in enumerate(POOLS, start=1)
        ]
        self.blocks = nn.ModuleList([first, *others])
        self.output = Dense(tensors, "output")

    def forward(self, patch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Compute the layers of one patch.

        Parameters
        ----------
        patch : torch.Tensor of float32, shape (n_frames, n_mels)

        Returns
        -------
        dict of str to torch.Tensor of float32
            `pool_3`, `pool_4`, `pool_5`: means over time and bands of pooled blocks, shape (128,);
            `last`: the last block as it is, shape (256,); `tags`, shape (50,).
        """
        x = self.input_norm(patch)
        layers = {}
        for number, block in enumerate(self.blocks, start=1):
            x = block(x)
            if number in KEPT:
                layers[f"pool_{number}"] = x.mean(dim=(0, 1))
        last = x.flatten()
        return {**layers, "last": last, "tags": torch.sigmoid(self.output(last))}
