"""Cards of networks in ONNX: what is refused, and with which words."""

import pytest
from onnx_networks import CARD, MEL, WAVEFORM, write_card

from simlib.core import SimlibError
from simlib.features.backbones import is_backbone, load_card
from simlib.features.backbones.onnx_card import read_onnx_card


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tiny.yaml"


def without(values, key):
    return {name: value for name, value in values.items() if name != key}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"licence": None}, "missing key 'licence'; add it with a value"),
        ({"colour": "blue"}, "unknown key 'colour'; take it out, or correct its name"),
        ({"name": 3}, "'name' is 3; it must be a valid string"),
        ({"front_end": without(MEL, "n_mels")}, "missing key 'front_end.n_mels'"),
        ({"front_end": MEL | {"hop": 3}}, "unknown key 'front_end.hop'"),
        ({"front_end": MEL | {"frames": "20"}}, "'front_end.frames' is '20'; it must be a valid"),
        ({"front_end": MEL | {"log": "log2"}}, "'front_end.log' is 'log2'; it must be 'log10'"),
        ({"front_end": MEL | {"offset": 0.0}}, "'front_end.offset' is 0.0; it must be greater"),
        ({"front_end": MEL | {"hop_length": 513}}, "hop_length must be at most n_fft"),
        ({"front_end": MEL | {"f_max": 4001.0}}, "at most half of sample_rate"),
        ({"front_end": MEL | {"f_min": 4000.0}}, "f_max must be above f_min"),
        ({"front_end": without(MEL, "kind")}, "'front_end.kind' .* must be mel or waveform"),
        ({"front_end": {"kind": "cqt"}}, "'front_end.kind' .* must be mel or waveform"),
        ({"front_end": WAVEFORM | {"seconds": 0}}, "'front_end.seconds' is 0; it must be greater"),
        ({"input": ["batch", "frames"]}, "input must have frames and mels"),
        ({"input": ["frames", "mels", "mels"]}, "input must have frames and mels"),
        ({"input": ["batch", "batch", "frames", "mels"]}, "each once"),
        ({"input": ["batch", "samples"]}, "input must have frames and mels"),
        ({"front_end": WAVEFORM}, "input must have samples"),
        ({"input": ["n", "frames", "mels"]}, "'input.0' is 'n'; it must be 'batch'"),
        ({"output": CARD["output"] | {"axes": ["batch", "time"]}}, "must have features"),
        ({"output": CARD["output"] | {"axes": ["features", "features"]}}, "each axis once"),
        ({"output": CARD["output"] | {"size": 0}}, "'output.size' is 0; it must be greater"),
    ],
)
def test_a_card_that_is_not_right_is_refused(path, changes, message):
    write_card(path, **changes)
    with pytest.raises(SimlibError, match=message) as error:
        read_onnx_card(path)
    assert error.value.subject == str(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("name: [", "is no YAML"), ("tiny", "holds no keys"), (None, "cannot be read")],
)
def test_a_file_that_is_no_card_is_refused(path, text, message):
    if text is not None:
        path.write_text(text)
    with pytest.raises(SimlibError, match=message):
        read_onnx_card(path)


def test_a_card_is_read_again_if_it_changes(path):
    assert read_onnx_card(write_card(path)).licence == "MIT"
    assert read_onnx_card(write_card(path, licence="Apache-2.0")).licence == "Apache-2.0"


@pytest.mark.parametrize("start", [".", "notebooks"])
def test_the_path_of_a_card_is_relative_to_the_projects_root(tmp_path, monkeypatch, start):
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).touch()
    write_card(tmp_path / "backbones" / "tiny.yaml")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / start)
    assert load_card("backbones/tiny.yaml").head_size == 6
    with pytest.raises(SimlibError, match=r"backbones/absent.yaml: cannot be read \(No such file"):
        load_card("backbones/absent.yaml")


@pytest.mark.parametrize(
    "name",
    ["resnet", "tiny.yaml", "backbones/tiny.onnx", "backbones/", "backbones/.yaml",
     "backbones/../tiny.yaml", "backbones/..yaml", "backbones/a/tiny.yaml", "/backbones/tiny.yaml",
     "backbones/tiny.yaml\n", "backbones/a b.yaml", ""],
)  # fmt: skip
def test_what_is_no_card_in_the_folder_of_cards_is_no_backbone(name):
    assert not is_backbone(name)
    with pytest.raises(SimlibError, match="musicnn, vgg, and cards such as backbones/mine.yaml"):
        load_card(name)


@pytest.mark.parametrize("name", ["musicnn", "backbones/tiny.yaml", "backbones/MERT-v1_95.2.yaml"])
def test_names_of_backbones(name):
    assert is_backbone(name)
