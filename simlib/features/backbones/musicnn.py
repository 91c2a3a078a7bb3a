"""Musicnn: a convolutional network with filters shaped for timbre and for tempo.

Pons and Serra, "musicnn: Pre-trained convolutional neural networks for music audio tagging", ISMIR
2019 late-breaking.
"""

import torch
from torch import nn

from simlib.features.backbones.layers import (
    BatchNorm,
    Dense,
    FramesAlone,
    MaximumOverBands,
    Tensors,
    WholeWidth,
)

TIMBRAL, TEMPORAL, MIDDLE = 2, 3, 3
FRAMES = 187


class Musicnn(nn.Module):
    """The network.

    Convolutions of the spectrogram, in time and band and in time alone, are pooled over all bands.
    Three residual convolutions in time follow. Maximum and mean over time of all these go through
    a dense layer to the tags.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
        The weights, of float32.
    bands : int
        Of a patch.
    dtype : torch.dtype
        Of the products in the convolutions of the spectrogram; all else is float32.
    """

    def __init__(self, tensors: Tensors, bands: int, dtype: torch.dtype):
        super().__init__()
        self.input_norm = BatchNorm(tensors, "input_norm")
        timbral = [MaximumOverBands(tensors, f"timbral.{n}", bands, dtype) for n in range(TIMBRAL)]
        temporal = [FramesAlone(tensors, f"temporal.{n}", dtype) for n in range(TEMPORAL)]
        self.front = nn.ModuleList([*timbral, *temporal])
        if dtype != torch.float32:
            self._round_silence(Musicnn(tensors, bands, torch.float32), bands, dtype)
        self.middle = nn.ModuleList(WholeWidth(tensors, f"middle.{n}") for n in range(MIDDLE))
        self.pooled_norm = BatchNorm(tensors, "pooled_norm")
        self.dense, self.dense_norm = Dense(tensors, "dense"), BatchNorm(tensors, "dense_norm")
        self.output = Dense(tensors, "output")

    def _round_silence(self, exact, bands, dtype):
        # After the input normalisation, silence is a constant that bfloat16 rounds the same way
        # everywhere. So all inputs are shifted to make it a number that bfloat16 has.
        offset = self.input_norm.offset
        shift = offset.to(dtype).float() - offset
        self.input_norm.offset = offset + shift
        for convolution, twin in zip(self.front, exact.front, strict=True):
            convolution.excess = twin.maxima(shift.expand(FRAMES, bands))

    def forward(self, patch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Compute the layers of one patch.

        Parameters
        ----------
        patch : torch.Tensor of float32, shape (n_frames, n_mels)

        Returns
        -------
        dict of str to torch.Tensor of float32
            `penultimate`, shape (200,), and `tags`, shape (50,); `maximum` and `mean` over time of
            the three residual convolutions, shape (192,).
        """
        x = self.input_norm(patch)
        front = torch.cat([convolution(x) for convolution in self.front], dim=1)
        maps = [front, self.middle[0](front)]
        for convolution in self.middle[1:]:
            maps.append(maps[-1] + convolution(maps[-1]))
        joined = torch.cat(maps, dim=1)
        maximum, mean = joined.amax(dim=0), joined.mean(dim=0)
        # The dense layer was trained on maxima and means that alternate.
        pooled = self.pooled_norm(torch.stack([maximum, mean], dim=1).flatten())
        penultimate = self.dense_norm(torch.relu(self.dense(pooled)))
        beyond = front.shape[1]
        return {
            "penultimate": penultimate,
            "maximum": maximum[beyond:],
            "mean": mean[beyond:],
            "tags": torch.sigmoid(self.output(penultimate)),
        }
