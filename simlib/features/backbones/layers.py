"""Convolutions with a maximum, a ReLU and a batch normalisation, as products of large matrices.

Four rearrangements make these layers about three times as quick as convolutions followed by the
rest, and change nothing but rounding:

- Batch normalisation with a positive factor and ReLU rise with their input, so a maximum may come
  first. If a factor is negative, the negated filter of that channel gives the minimum.
- A bias is the same at all positions, so it may be added after the maximum.
- One product computes several neighbouring positions of a filter (a blocked Toeplitz matrix): it
  multiplies some zeros, and needs far fewer copies of its input.
- Large products may be computed in bfloat16. All else is float32: layers where bfloat16 saves
  little time, or where rounding would move many values the same way.
"""

import torch
from torch import nn
from torch.nn import functional as F

Tensors = dict[str, torch.Tensor]
EPSILON = 0.001
# Neighbouring positions that one product computes. They divide 30 bands, 187 frames and a pool.
BANDS_AT_ONCE, FRAMES_AT_ONCE = 6, 17


class BatchNorm(nn.Module):
    """Batch normalisation over the last axis.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
        Of float32.
    name : str
        What the names of its tensors begin with.
    """

    factor: torch.Tensor
    offset: torch.Tensor

    def __init__(self, tensors: Tensors, name: str):
        super().__init__()
        factor = tensors[f"{name}.weight"] * (tensors[f"{name}.running_var"] + EPSILON).rsqrt()
        self.register_buffer("factor", factor)
        self.register_buffer(
            "offset", tensors[f"{name}.bias"] - tensors[f"{name}.running_mean"] * factor
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise float32 of shape (..., channels)."""
        return x * self.factor + self.offset


class Dense(nn.Module):
    """A linear map in float32.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
    name : str
    """

    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, tensors: Tensors, name: str):
        super().__init__()
        self.register_buffer("weight", tensors[f"{name}.weight"])
        self.register_buffer("bias", tensors[f"{name}.bias"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map float32 of shape (features,)."""
        return F.linear(x, self.weight, self.bias)


class Convolution(nn.Module):
    """What the convolutions below share: negated filters, and the steps after the maximum.

    What their input has in excess of that of the original network is taken off their maxima.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
    name : str
    """

    sign: torch.Tensor
    bias: torch.Tensor
    weight: torch.Tensor
    excess: torch.Tensor

    def __init__(self, tensors: Tensors, name: str):
        super().__init__()
        self.norm = BatchNorm(tensors, f"{name}.norm")
        sign = torch.where(self.norm.factor < 0, -1.0, 1.0)
        self.register_buffer("sign", sign)
        self.register_buffer("bias", tensors[f"{name}.bias"])
        self.register_buffer("excess", torch.zeros(()))
        # Shape (out, in, frames, bands).
        self.filters = tensors[f"{name}.weight"] * sign[:, None, None, None]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve, take the maxima, add the bias, rectify and normalise; returns float32."""
        maxima = self.maxima(x).float() - self.excess
        return self.norm(torch.relu(maxima * self.sign + self.bias))

    def maxima(self, x: torch.Tensor) -> torch.Tensor:
        """Return the maxima of the products, shape (..., channels)."""
        raise NotImplementedError

    def keep(self, weight: torch.Tensor, dtype: torch.dtype = torch.float32) -> None:
        """Store the rearranged filters in the dtype of the products."""
        del self.filters
        self.register_buffer("weight", weight.to(dtype).contiguous())


class MaximumOverBands(Convolution):
    """A convolution of frames and bands, then the maximum over all its positions in the bands.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
    name : str
    bands : int
        Of the input.
    dtype : torch.dtype
    """

    def __init__(self, tensors: Tensors, name: str, bands: int, dtype: torch.dtype):
        super().__init__(tensors, name)
        filters = self.filters[:, 0].transpose(1, 2)
        self.channels, width, self.frames = filters.shape
        self.width = width + BANDS_AT_ONCE - 1
        # The last block begins earlier than in its turn if it would not fit.
        last = bands - self.width
        self.starts = [*range(0, last, BANDS_AT_ONCE), last]
        blocked = filters.new_zeros(self.width, self.frames, BANDS_AT_ONCE, self.channels)
        for position in range(BANDS_AT_ONCE):
            blocked[position : position + width, :, position] = filters.permute(1, 2, 0)
        self.keep(blocked.flatten(2).flatten(0, 1), dtype)

    def maxima(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve (frames, bands): shape (frames, channels)."""
        windows = frame_windows(x.to(self.weight.dtype), self.frames)
        best = None
        # The product of one block stays in the processor's cache.
        for start in self.starts:
            rows = windows[:, start : start + self.width].reshape(len(x), -1)
            product = rows @ self.weight
            best = product if best is None else torch.maximum(best, product)
        return best.view(len(x), BANDS_AT_ONCE, self.channels).amax(dim=1)


class FramesAlone(Convolution):
    """A convolution of frames in each band alone, then the maximum over all bands.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
    name : str
    dtype : torch.dtype
    """

    def __init__(self, tensors: Tensors, name: str, dtype: torch.dtype):
        super().__init__(tensors, name)
        filters = self.filters[:, 0, :, 0]
        self.channels, self.frames = filters.shape
        self.length = self.frames + FRAMES_AT_ONCE - 1
        blocked = filters.new_zeros(self.length, FRAMES_AT_ONCE, self.channels)
        for position in range(FRAMES_AT_ONCE):
            blocked[position : position + self.frames, position] = filters.T
        self.keep(blocked.flatten(1), dtype)

    def maxima(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve (frames, bands): shape (frames, channels)."""
        blocks, x = -(-len(x) // FRAMES_AT_ONCE), x.to(self.weight.dtype)
        # What fills the last block is cut off again.
        filled = F.pad(padded(x, self.frames), (0, 0, 0, blocks * FRAMES_AT_ONCE - len(x)))
        rows = filled.T.unfold(1, self.length, FRAMES_AT_ONCE)
        product = rows.reshape(-1, self.length) @ self.weight
        maxima = product.view(x.shape[1], -1, self.channels).amax(dim=0)
        return maxima[: len(x)]


class WholeWidth(Convolution):
    """A convolution of frames with filters as wide as the input, so that no position is left.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
    name : str
    """

    def __init__(self, tensors: Tensors, name: str):
        super().__init__(tensors, name)
        self.frames = self.filters.shape[2]
        self.keep(self.filters[:, 0].transpose(1, 2).flatten(1).T)

    def maxima(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve (frames, features): shape (frames, channels)."""
        windows = frame_windows(x, self.frames)
        return windows.reshape(len(x), -1) @ self.weight


class FirstPooled(Convolution):
    """A 3 x 3 convolution of one input channel, then the maximum over blocks of frames.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
    name : str
    frames : int
        Of a block; frames that fill none are left out.
    """

    def __init__(self, tensors: Tensors, name: str, frames: int):
        super().__init__(tensors, name)
        self.frames = frames
        blocked = self.filters.new_zeros(frames + 2, 3, frames, len(self.filters))
        for position in range(frames):
            blocked[position : position + 3, :, position] = self.filters[:, 0].permute(1, 2, 0)
        self.keep(blocked.flatten(2).flatten(0, 1))

    def maxima(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve (frames, bands): shape (blocks, bands, channels)."""
        windows = F.pad(x, (1, 1, 1, 1)).unfold(0, self.frames + 2, self.frames).unfold(1, 3, 1)
        product = windows.flatten(2).flatten(0, 1) @ self.weight
        maxima = product.view(len(product), self.frames, -1).amax(dim=1)
        return maxima.view(*windows.shape[:2], -1)


class Pooled(Convolution):
    """A 3 x 3 convolution of many channels, then the maximum over blocks of frames and bands.

    Parameters
    ----------
    tensors : dict of str to torch.Tensor
    name : str
    pool : tuple of int
        Frames and bands of a block; those that fill none are left out.
    dtype : torch.dtype
    """

    def __init__(self, tensors: Tensors, name: str, pool: tuple[int, int], dtype: torch.dtype):
        super().__init__(tensors, name)
        self.pool = pool
        self.keep(self.filters, dtype)
        # Channels last in memory is what the layers before and after have.
        self.weight = self.weight.contiguous(memory_format=torch.channels_last)

    def maxima(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve (frames, bands, channels): the same, pooled."""
        image = x.to(self.weight.dtype).permute(2, 0, 1).unsqueeze(0)
        maxima = F.max_pool2d(F.conv2d(image, self.weight, padding=1), self.pool)
        return maxima[0].permute(1, 2, 0)


def padded(x: torch.Tensor, frames: int) -> torch.Tensor:
    """Pad (n, features) with zeros so that windows of `frames` begin at n places."""
    return F.pad(x, (0, 0, (frames - 1) // 2, frames // 2))


def frame_windows(x: torch.Tensor, frames: int) -> torch.Tensor:
    """Return the windows around each frame of (n, features): shape (n, features, frames)."""
    return padded(x, frames).unfold(0, frames, 1)
