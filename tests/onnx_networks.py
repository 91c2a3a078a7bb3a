"""Small networks in ONNX, exported from torch, and their cards."""

import warnings

import pytest
import torch
import yaml

pytest.importorskip("onnx", reason="torch exports networks with the package onnx")
pytest.importorskip("onnxruntime", reason="onnxruntime is an optional dependency")

MEL = {
    "kind": "mel",
    "sample_rate": 8000,
    "n_fft": 512,
    "hop_length": 256,
    "n_mels": 32,
    "f_min": 0.0,
    "f_max": 4000.0,
    "mel_scale": "slaney",
    "mel_norm": "slaney",
    "spectrum": "power",
    "log": "log10",
    "gain": 10000.0,
    "offset": 1.0,
    "frames": 20,
}
WAVEFORM = {"kind": "waveform", "sample_rate": 8000, "seconds": 0.5}
CARD = {
    "name": "tiny",
    "onnx": "tiny.onnx",
    "licence": "MIT",
    "trained_on": "nothing: its weights are random",
    "front_end": MEL,
    "input": ["batch", "frames", "mels"],
    "output": {"name": "embeddings", "axes": ["batch", "features"], "size": 6},
}


class Tiny(torch.nn.Module):
    """A convolution of (batch, frames, mels), pooled or not."""

    def __init__(self, seed=0, pooled=True):
        super().__init__()
        torch.manual_seed(seed)
        self.convolution, self.pooled = torch.nn.Conv1d(32, 6, 5), pooled

    def forward(self, patches):
        maps = torch.relu(self.convolution(patches.transpose(1, 2)))
        return maps.mean(2) if self.pooled else maps


class OfSamples(torch.nn.Module):
    """A strided convolution of (batch, samples): (batch, time, features)."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.convolution = torch.nn.Conv1d(1, 6, 200, 160)

    def forward(self, samples):
        return torch.tanh(self.convolution(samples.unsqueeze(1))).transpose(1, 2)


def export(network, path, shape, names=("patch",), dtype=torch.float32, **options):
    """Write a network to an ONNX file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    inputs = tuple(torch.zeros(shape, dtype=dtype) for _ in names)
    options |= {"input_names": [*names], "output_names": ["embeddings"]}
    with warnings.catch_warnings():
        # Torch's newer exporter needs a further package.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(network.eval(), inputs, path, dynamo=False, **options)
    return path


def write_card(path, **changes):
    """Write a card; a change to None leaves a key out."""
    values = {key: value for key, value in (CARD | changes).items() if value is not None}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def tiny_backbone(folder, seed=0):
    """Write a small network and its card `tiny.yaml`, and return the card's path."""
    export(Tiny(seed), folder / "tiny.onnx", (1, 20, 32))
    return write_card(folder / "tiny.yaml")
