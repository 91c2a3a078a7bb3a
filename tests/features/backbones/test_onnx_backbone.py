"""Networks in ONNX: the same activations as in torch, and what is refused."""

import sys

import numpy as np
import pytest
import samples
import torch
from onnx_networks import CARD, MEL, WAVEFORM, OfSamples, Tiny, export, tiny_backbone, write_card
from plain_backbones import PLAIN
from safetensors.torch import load_file

from simlib.core import SimlibError
from simlib.features import compute_activations
from simlib.features.backbones import load_backbone, load_card, load_onnx

OUTPUT = CARD["output"]
RNG = np.random.default_rng(0)
PATCHES = RNG.uniform(0, 4, (3, 20, 32)).astype(np.float32)


def in_torch(network, patches):
    with torch.inference_mode():
        return network(torch.from_numpy(patches)).numpy()


class Arranged(torch.nn.Module):
    """The small network with other axes: of its input, and of an output that is not pooled."""

    def __init__(self, order, shape, output):
        super().__init__()
        self.network, self.order, self.shape = Tiny(pooled=False), order, shape
        self.output = output

    def forward(self, patch):
        maps = self.network(patch.reshape(self.shape).permute(self.order).reshape(1, 20, 32))[0]
        return {"tf": maps.T, "btf": maps.T[None], "bft": maps[None], "ft": maps,
                "bf-t": maps[None, :, None, :], "f": maps.mean(1)}[self.output]  # fmt: skip


@pytest.mark.parametrize(
    ("input_axes", "given", "order", "output", "output_axes"),
    [
        (["frames", "mels"], (20, 32), (0, 1), "f", ["features"]),
        (["mels", "frames"], (32, 20), (1, 0), "tf", ["time", "features"]),
        (["batch", "mels", "frames"], (1, 32, 20), (1, 0), "btf", ["batch", "time", "features"]),
        (["batch", "channel", "frames", "mels"], (1, 1, 20, 32), (0, 1), "bft",
         ["batch", "features", "time"]),
        (["batch", "channel", "mels", "frames"], (1, 1, 32, 20), (1, 0), "bf-t",
         ["batch", "features", "bands", "time"]),
        (["batch", "frames", "channel", "mels"], (1, 20, 1, 32), (0, 1), "ft",
         ["features", "time"]),
    ],
)  # fmt: skip
def test_axes_are_arranged_as_the_card_says(
    tmp_path, input_axes, given, order, output, output_axes
):
    shape = (20, 32) if order == (0, 1) else (32, 20)
    export(Arranged(order, shape, output), tmp_path / "tiny.onnx", given)
    card = write_card(
        tmp_path / "tiny.yaml", input=input_axes, output=OUTPUT | {"axes": output_axes}
    )
    found = load_onnx(card).activations(PATCHES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, in_torch(Tiny(), PATCHES), atol=1e-5)


def test_vgg_in_onnx_gives_what_it_gives_here(tmp_path):
    class Joined(torch.nn.Module):
        """The plain network with the outputs side by side."""

        def __init__(self):
            super().__init__()
            self.network = PLAIN["vgg"]()
            self.network.load_state_dict(load_file(load_card("vgg").weights), strict=False)

        def forward(self, patches):
            return torch.cat(list(self.network(patches).values()), dim=1)

    here = load_backbone("vgg", "float32")
    export(Joined(), tmp_path / "tiny.onnx", (1, 187, 96))
    front_end = here.card.front_end.model_dump()
    output = OUTPUT | {"size": here.size}
    card = write_card(tmp_path / "tiny.yaml", front_end=front_end, output=output)
    path = samples.write(tmp_path / "song.wav", samples.melody(7.0, 3, 22050), 22050)
    found = compute_activations(path, load_onnx(card))
    expected = compute_activations(path, here)
    assert found.shape == (3, 690)
    assert found.dtype == np.float16
    # Half precision has 11 bits.
    np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=1e-3, atol=1e-4)


def test_a_network_that_takes_samples(tmp_path):
    export(OfSamples(), tmp_path / "tiny.onnx", (1, 4000))
    output = OUTPUT | {"axes": ["batch", "time", "features"]}
    card = write_card(
        tmp_path / "tiny.yaml", front_end=WAVEFORM, input=["batch", "samples"], output=output
    )
    sound = samples.melody(1.2, 3)
    path = samples.write(tmp_path / "song.wav", sound, subtype="FLOAT")
    found = compute_activations(path, load_onnx(card))
    patches = np.stack([sound[:4000], sound[4000:8000], sound[-4000:]])
    expected = in_torch(OfSamples(), patches).mean(axis=1)
    np.testing.assert_allclose(found.astype(float), expected, atol=1e-3)


def test_what_a_patch_gives_does_not_depend_on_its_neighbours(tmp_path):
    backbone = load_onnx(tiny_backbone(tmp_path))
    alone = [backbone.activations(patch[None])[0] for patch in PATCHES]
    np.testing.assert_array_equal(backbone.activations(PATCHES), alone)
    assert backbone.activations(PATCHES[:0]).shape == (0, 6)


def test_a_backbone_is_loaded_once_and_again_if_its_files_change(tmp_path):
    path = tiny_backbone(tmp_path)
    first = load_onnx(path)
    assert load_onnx(path) is first
    export(Tiny(seed=1), tmp_path / "tiny.onnx", (1, 20, 32))
    second = load_onnx(path)
    assert (second.variant, second.digest) != (first.variant, first.digest)
    assert np.abs(second.activations(PATCHES) - first.activations(PATCHES)).max() > 0.1
    write_card(path, front_end=MEL | {"gain": 2.0})
    assert load_onnx(path).variant != second.variant


def test_the_digest_is_of_all_that_the_numbers_depend_on(tmp_path, monkeypatch):
    path = tiny_backbone(tmp_path)
    first = load_onnx(path)
    write_card(path, licence="Apache-2.0", trained_on="something else", name="other")
    other = load_onnx(path)
    assert (other.variant, other.digest) == (first.variant, first.digest)
    assert other.name == "other"
    (tmp_path / "tiny.onnx.data").write_bytes(b"weights of a large network")
    large = load_onnx(path)
    assert large.variant != first.variant
    monkeypatch.setattr("onnxruntime.__version__", "0.0")
    write_card(path)
    newer = load_onnx(path)
    assert newer.variant == large.variant
    assert newer.digest != large.digest


def test_a_backbone_of_a_project_is_the_one_that_is_wanted(tmp_path, monkeypatch):
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    tiny_backbone(tmp_path / "backbones")
    variant = load_backbone("backbones/tiny.yaml").variant
    assert load_backbone("backbones/tiny.yaml", variant).size == 6
    tiny_backbone(tmp_path / "backbones", seed=1)
    with pytest.raises(SimlibError, match="not the one that the features were extracted with"):
        load_backbone("backbones/tiny.yaml", variant)


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"onnx": None}, "names no network; add the key 'onnx'"),
        ({"onnx": "absent.onnx"}, r"absent.onnx: is not there; correct 'onnx' in .*tiny.yaml"),
        ({"front_end": MEL | {"frames": 21}},
         r"gives the shape \[1, 21, 32\] \(batch, frames, mels\), .* takes \[1, 20, 32\]"),
        ({"input": ["batch", "mels", "frames"]}, r"gives the shape \[1, 32, 20\]"),
        ({"input": ["frames", "mels"]}, r"gives the shape \[20, 32\] .*correct 'input'"),
        ({"output": OUTPUT | {"name": "logits"}},
         "output 'logits', which .*; set 'output.name' to one of embeddings"),
        ({"output": OUTPUT | {"size": 7}}, r"returns the shape \(1, 6\), .*has the length 7"),
        ({"output": OUTPUT | {"axes": ["features", "batch"], "size": 6}}, "correct 'output'"),
        ({"output": OUTPUT | {"axes": ["features"]}}, "correct 'output'"),
    ],
)  # fmt: skip
def test_a_card_that_does_not_fit_the_network_is_refused(tmp_path, changes, message):
    tiny_backbone(tmp_path)
    card = write_card(tmp_path / "tiny.yaml", **changes)
    with pytest.raises(SimlibError, match=message) as error:
        load_onnx(card).activations(PATCHES)
    assert "tiny.yaml" in str(error.value)


def test_a_network_that_cannot_be_used_is_refused(tmp_path):
    class Integers(torch.nn.Module):
        def forward(self, patches):
            return patches.mean(1)[:, :6]

    class Two(torch.nn.Module):
        def forward(self, patches, mask):
            return (patches * mask).mean(1)[:, :6]

    card, onnx = write_card(tmp_path / "tiny.yaml"), tmp_path / "tiny.onnx"
    onnx.write_bytes(b"no network")
    with pytest.raises(SimlibError, match="tiny.onnx: cannot be loaded by onnxruntime"):
        load_onnx(card)
    export(Two(), onnx, (1, 20, 32), names=("patch", "mask"))
    with pytest.raises(SimlibError, match=r"several inputs \(patch, mask\); export it with one"):
        load_onnx(card)
    export(Integers().double(), onnx, (1, 20, 32), dtype=torch.float64)
    with pytest.raises(SimlibError, match=r"takes tensor\(double\), not float32"):
        load_onnx(card)


def test_a_network_that_fails_on_a_patch_is_refused(tmp_path):
    # The first axes may vary; 200 samples are fewer than the filter needs.
    export(OfSamples(), tmp_path / "tiny.onnx", (1, 4000), dynamic_axes={"patch": {1: "n"}})
    front_end = WAVEFORM | {"sample_rate": 800, "seconds": 0.1}
    output = OUTPUT | {"axes": ["batch", "time", "features"]}
    card = write_card(
        tmp_path / "tiny.yaml", front_end=front_end, input=["batch", "samples"], output=output
    )
    with pytest.raises(SimlibError, match=r"fails on an input of shape \(1, 80\)"):
        load_onnx(card).activations(np.zeros((1, 80), dtype=np.float32))


def test_values_that_are_no_numbers_are_refused(tmp_path):
    class Logarithm(torch.nn.Module):
        def forward(self, patches):
            return torch.log(patches.mean(1)[:, :6] - 1)

    export(Logarithm(), tmp_path / "tiny.onnx", (1, 20, 32))
    backbone = load_onnx(write_card(tmp_path / "tiny.yaml"))
    assert np.isfinite(backbone.activations(PATCHES)).all()
    with pytest.raises(SimlibError, match="returns values that are no numbers"):
        backbone.activations(0 * PATCHES)


def test_without_onnxruntime_the_command_is_given(tmp_path, monkeypatch):
    path = tiny_backbone(tmp_path)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        SimlibError, match="onnxruntime is not installed; run 'pip install onnxruntime'"
    ):
        load_onnx(path)
    # A card is read without it, so that a trained model can be loaded.
    assert load_backbone("vgg").size == 690
