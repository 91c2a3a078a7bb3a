"""The backbones as plain modules of torch: the naive twins of the fast layers."""

import torch
from torch import nn
from torch.nn import functional as F

TIMBRAL, TEMPORAL, FRAMES = ((7, 38), (7, 67)), ((128, 1), (64, 1), (32, 1)), 7
POOLS = ((4, 1), (1, 4), (2, 2), (2, 2), (4, 4))


class Convolution(nn.Conv2d):
    """A convolution, then ReLU, then batch normalisation."""

    def __init__(self, before, after, size, **options):
        super().__init__(before, after, size, **options)
        self.norm = nn.BatchNorm2d(after, eps=0.001)

    def forward(self, x):
        return self.norm(torch.relu(super().forward(x)))


def same_frames(x, frames):
    """Pad (n, 1, frames, bands) as TensorFlow's "same" does."""
    return F.pad(x, (0, 0, (frames - 1) // 2, frames // 2))


class PlainMusicnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_norm = nn.BatchNorm2d(1, eps=0.001)
        self.timbral = nn.ModuleList(Convolution(1, 204, size) for size in TIMBRAL)
        self.temporal = nn.ModuleList(Convolution(1, 51, size) for size in TEMPORAL)
        self.middle = nn.ModuleList(Convolution(1, 64, (FRAMES, width)) for width in (561, 64, 64))
        self.pooled_norm = nn.BatchNorm1d(1506, eps=0.001)
        self.dense, self.dense_norm = nn.Linear(1506, 200), nn.BatchNorm1d(200, eps=0.001)
        self.output = nn.Linear(200, 50)

    def forward(self, patches):
        x = self.input_norm(patches.unsqueeze(1))
        front = [c(same_frames(x, c.kernel_size[0])).amax(3) for c in self.timbral]
        front += [c(same_frames(x, c.kernel_size[0])).amax(3) for c in self.temporal]
        maps = [torch.cat(front, dim=1).transpose(1, 2)]
        for number, convolution in enumerate(self.middle):
            before = same_frames(maps[-1].unsqueeze(1), FRAMES)
            after = convolution(before).squeeze(3).transpose(1, 2)
            maps.append(after + maps[-1] if number else after)
        joined = torch.cat(maps, dim=2)
        maximum, mean = joined.amax(1), joined.mean(1)
        pooled = self.pooled_norm(torch.stack([maximum, mean], dim=2).flatten(1))
        penultimate = self.dense_norm(torch.relu(self.dense(pooled)))
        return {
            "penultimate": penultimate,
            "maximum": maximum[:, 561:],
            "mean": mean[:, 561:],
            "tags": torch.sigmoid(self.output(penultimate)),
        }


class PlainVgg(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_norm = nn.BatchNorm2d(1, eps=0.001)
        sizes = (1, 128, 128, 128, 128)
        self.blocks = nn.ModuleList(Convolution(size, 128, 3, padding=1) for size in sizes)
        self.output = nn.Linear(256, 50)

    def forward(self, patches):
        x = self.input_norm(patches.unsqueeze(1))
        layers = {}
        for number, (block, pool) in enumerate(zip(self.blocks, POOLS, strict=True), start=1):
            x = F.max_pool2d(block(x), pool)
            layers[f"pool_{number}"] = x.mean(dim=(2, 3))
        last = x.permute(0, 2, 3, 1).flatten(1)
        kept = {name: layers[name] for name in ("pool_3", "pool_4", "pool_5")}
        return {**kept, "last": last, "tags": torch.sigmoid(self.output(last))}


PLAIN = {"musicnn": PlainMusicnn, "vgg": PlainVgg}
