"""The networks against TensorFlow's goldens, and against the same networks in plain torch."""

from pathlib import Path

import numpy as np
import pytest
import torch
from plain_backbones import PLAIN
from safetensors.torch import load_file

from simlib.features.backbones import SHIPPED, load_backbone, load_card
from simlib.features.backbones.musicnn import Musicnn
from simlib.features.backbones.vgg import Vgg

GOLDENS = Path(__file__).parent / "goldens"
# Two orders of summation in float32 differ by this share of a layer's largest value.
TOLERANCE = 2e-5


@pytest.fixture(scope="module", autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


def goldens(name):
    with np.load(GOLDENS / f"{name}.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def weights(name):
    return load_file(load_card(name).weights)


def agrees(found, expected, tolerance=TOLERANCE):
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


def cosines(first, second):
    product = (first * second).sum(axis=1)
    return product / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)


def test_musicnn_computes_what_tensorflow_computes():
    golden = goldens("musicnn")
    network = Musicnn(weights("musicnn"), 96, torch.float32)
    third = network.input_norm(torch.from_numpy(golden["patches"][2]))
    fronts = ("timbral_0", "timbral_1", "temporal_0", "temporal_1", "temporal_2")
    for name, convolution in zip(fronts, network.front, strict=True):
        agrees(convolution(third).numpy(), golden[name])
    agrees(np.concatenate([golden[n] for n in fronts], axis=1), golden["middle"][:, :561, 0], 0)
    backbone = load_backbone("musicnn", "float32")
    found = backbone.activations(golden["patches"])
    # The goldens also have the 561 channels of the front.
    agrees(found[2, backbone.layers["maximum"]], golden["maximum"][561:, 0])
    agrees(found[2, backbone.layers["mean"]], golden["mean"][561:, 0])
    agrees(found[:, backbone.layers["penultimate"]], golden["penultimate"])
    agrees(found[:, backbone.layers["tags"]], golden["tags"])


def test_vgg_computes_what_tensorflow_computes():
    golden = goldens("vgg")
    network = Vgg(weights("vgg"), 96, torch.float32)
    x = network.input_norm(torch.from_numpy(golden["patches"][2]))
    for number, block in enumerate(network.blocks, start=1):
        x = block(x)
        # Of the large layers, the goldens keep each sixteenth channel.
        agrees(x[..., :: 16 if number < 3 else 1].numpy(), golden[f"pool_{number}"])
    backbone = load_backbone("vgg", "float32")
    found = backbone.activations(golden["patches"])
    for layer in ("pool_3", "pool_4", "pool_5"):
        agrees(found[2, backbone.layers[layer]], golden[layer].mean(axis=(0, 1)))
    agrees(found[2, backbone.layers["last"]], golden["pool_5"].reshape(-1))
    agrees(found[:, backbone.layers["tags"]], golden["tags"])


@pytest.mark.parametrize("name", SHIPPED)
def test_the_fast_layers_compute_what_plain_ones_compute(name):
    plain = PLAIN[name]().eval()
    missing, unknown = plain.load_state_dict(weights(name), strict=False)
    assert not unknown
    assert all(key.endswith("num_batches_tracked") for key in missing)
    rng = np.random.default_rng(1)
    patches = np.concatenate([
        goldens(name)["patches"],
        rng.gamma(1.0, 1.5, (3, 187, 96)).astype(np.float32),
        # Sounds at the edges show how they are padded.
        np.pad(np.full((1, 3, 96), 5.0, np.float32), ((0, 0), (0, 184), (0, 0))),
        np.pad(np.full((1, 3, 96), 5.0, np.float32), ((0, 0), (184, 0), (0, 0))),
        np.pad(np.full((1, 187, 2), 5.0, np.float32), ((0, 0), (0, 0), (94, 0))),
    ])  # fmt: skip
    expected = plain(torch.from_numpy(patches))
    backbone = load_backbone(name, "float32")
    assert list(backbone.layers) == list(expected)
    found = backbone.activations(patches)
    for layer, columns in backbone.layers.items():
        agrees(found[:, columns], expected[layer].numpy())


def test_negative_factors_occur_so_that_their_maxima_are_tested():
    for name in SHIPPED:
        factors = [key for key in weights(name) if key.endswith("norm.weight")]
        assert any((weights(name)[key] < 0).any() for key in factors), name


@pytest.mark.parametrize("name", SHIPPED)
def test_bfloat16_gives_nearly_the_same(name):
    patches = goldens(name)["patches"]
    exact, quick = (load_backbone(name, dtype) for dtype in ("float32", "bfloat16"))
    assert exact.digest != quick.digest
    first, second = exact.activations(patches), quick.activations(patches)
    assert (first != second).any()
    for layer, columns in exact.layers.items():
        least = 0.999 if layer == "tags" else 0.9998
        assert cosines(first[:, columns], second[:, columns]).min() > least, layer


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", SHIPPED)
def test_a_patch_gives_the_same_whatever_its_neighbours(name, dtype):
    patches = np.random.default_rng(2).gamma(2.0, 0.7, (5, 187, 96)).astype(np.float32)
    backbone = load_backbone(name, dtype)
    together = backbone.activations(patches)
    alone = np.concatenate([backbone.activations(patches[n : n + 1]) for n in range(5)])
    np.testing.assert_array_equal(together, alone)
