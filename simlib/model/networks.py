"""The networks: log-mel segments or hand-crafted features in, unit embeddings out."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

# Features and activations are clipped at this many standard deviations from their mean.
FARTHEST = 5.0
# Log-mel frames lie between -100 and 40 dB. Divided by this, activations begin near unit size.
SCALE_DB = 20.0


class Encoder(nn.Module):
    """One branch of the Siamese network; the twins share it.

    A strided convolution, then blocks of convolution, pooling, batch normalisation and ReLU; the
    mean and the maximum over time, and a linear map to the embedding. Segments are taken relative
    to their own mean level, so that loudness does not count.

    Parameters
    ----------
    n_mels : int
    channels : list of int
        Output channels of the strided convolution and of each block; each halves both axes.
    embedding : int
        Dimensions of the embedding.
    dropout : float
    """

    def __init__(self, n_mels: int, channels: Sequence[int], embedding: int, dropout: float):
        super().__init__()
        before = channels[0]
        blocks = [
            nn.Conv2d(1, before, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(before),
            nn.ReLU(),
        ]
        for after in channels[1:]:
            blocks += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                # Pooling first leaves a quarter of the values and almost halves the training time.
                nn.MaxPool2d(2, ceil_mode=True),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
            before = after
        self.blocks = nn.Sequential(*blocks)
        bands = -(-n_mels // 2 ** len(channels))
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(2 * before * bands, embedding)
        # Channels last in memory halves the time of a training step on a CPU.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, segments: torch.Tensor) -> torch.Tensor:
        """Embed segments.

        Parameters
        ----------
        segments : torch.Tensor of float32, shape (n_segments, n_frames, n_mels)
            Log-mel in dB.

        Returns
        -------
        torch.Tensor of float32, shape (n_segments, embedding)
            Of unit length.
        """
        return nn.functional.normalize(self.raw(segments), dim=1)

    def raw(self, segments: torch.Tensor) -> torch.Tensor:
        """Embed segments, not yet at unit length; see `forward`."""
        level = segments.mean(dim=(1, 2), keepdim=True)
        image = ((segments - level) / SCALE_DB).unsqueeze(1)
        maps = self.blocks(image.to(memory_format=torch.channels_last))
        # (n, channels, time, bands): time is pooled, bands stay apart.
        pooled = torch.cat([maps.mean(dim=2), maps.amax(dim=2)], dim=1).flatten(1)
        return self.project(self.dropout(pooled)).float()


class Branch(nn.Module):
    """A small network on features of a recording as a whole.

    One hidden layer, and a linear map beside it: what is linear in the features needs no hidden
    units, and is learned from few recordings.

    Parameters
    ----------
    features : int
        Dimensions of the input.
    hidden, embedding : int
        Units of the hidden layer, and dimensions of the embedding.
    input_dropout, dropout : float
        Shares of the features and of the hidden units that training drops.
    noise : float
        Standard deviation of the noise that training adds to the scaled features.
    reduced : int
        How many of the features, the last, are principal components and keep their scale: their
        deviations say how much they count.
    """

    def __init__(
        self, features: int, hidden: int, embedding: int, input_dropout: float, dropout: float,
        noise: float, reduced: int = 0,
    ):  # fmt: skip
        super().__init__()
        self.noise, self.size, self.scaled = noise, embedding, features - reduced
        self.mean: torch.Tensor
        self.deviation: torch.Tensor
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.dropout = nn.Dropout(input_dropout)
        self.linear = nn.Linear(features, embedding, bias=False)
        self.layers = nn.Sequential(
            nn.Linear(features, hidden),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, embedding),
        )

    def scale_by(self, features: np.ndarray) -> None:
        """Set mean and deviation of the input from examples: float32, shape (n, features)."""
        examples = features[:, : self.scaled]
        deviation = examples.std(axis=0)
        self.mean[: self.scaled] = torch.from_numpy(examples.mean(axis=0))
        self.deviation[: self.scaled] = torch.from_numpy(np.where(deviation > 0, deviation, 1.0))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Embed recordings.

        Parameters
        ----------
        features : torch.Tensor of float32, shape (n, features)

        Returns
        -------
        torch.Tensor of float32, shape (n, embedding)
            Of unit length.
        """
        scaled = ((features - self.mean) / self.deviation).clamp(-FARTHEST, FARTHEST)
        if self.training:
            scaled = scaled + self.noise * torch.randn_like(scaled)
        scaled = self.dropout(scaled)
        return nn.functional.normalize(self.layers(scaled) + self.linear(scaled), dim=1)
