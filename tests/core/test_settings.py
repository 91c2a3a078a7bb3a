from pathlib import Path

import pytest
import samples
import yaml
from pydantic import ValidationError

from simlib.cli import sections
from simlib.core import SimlibError
from simlib.evaluation import EvaluateSettings, RobustnessSettings, TagStudySettings
from simlib.features import BackboneSettings, DegradedSettings, ExtractSettings
from simlib.index import (
    DEFAULT_HUBS,
    CalibrationSettings,
    FingerprintSettings,
    HubSettings,
    IndexSettings,
    MapSettings,
)
from simlib.model import BranchSettings
from simlib.relevance import SplitSettings
from simlib.search import AgreementSettings, PlaylistSettings, SearchSettings
from simlib.training import AugmentSettings, PositiveSettings, TrainSettings

GOOD = {
    ExtractSettings: samples.EXTRACT,
    SplitSettings: {"test": 0.25, "validation": 0.15, "seed": 0},
    TrainSettings: samples.TRAIN,
    IndexSettings: samples.INDEX,
    HubSettings: samples.INDEX["hubs"],
    FingerprintSettings: samples.INDEX["fingerprints"],
    CalibrationSettings: samples.INDEX["calibration"],
    MapSettings: samples.INDEX["map"],
    SearchSettings: samples.SEARCH,
    AgreementSettings: samples.SEARCH["agreement"],
    PlaylistSettings: samples.SEARCH["playlists"],
    EvaluateSettings: samples.EVALUATE | {"k": 10, "bootstrap": 2000},
    RobustnessSettings: samples.EVALUATE["robustness"],
    TagStudySettings: samples.EVALUATE["tag_study"],
    PositiveSettings: samples.TRAIN["positives"],
    AugmentSettings: samples.AUGMENTATION,
    BranchSettings: samples.BRANCH,
    DegradedSettings: samples.EXTRACT["degraded"],
}
CASES = [(section, key) for section, values in GOOD.items() for key in values]


def test_the_shipped_parameters_are_good_and_have_all_sections():
    path = Path(__file__).parents[2] / "params.yaml"
    shipped = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(shipped) == list(sections())
    for name, values in shipped.items():
        assert sections()[name].of(values).as_dict() == values


def test_outside_a_project_the_hub_penalty_is_the_shipped_one():
    path = Path(__file__).parents[2] / "params.yaml"
    shipped = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert shipped["index"]["hubs"] == DEFAULT_HUBS.as_dict()


@pytest.mark.parametrize("section", GOOD)
def test_good_values_come_back_unchanged_and_stay_so(section):
    settings = section.of(GOOD[section])
    assert settings.as_dict() == GOOD[section]
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, next(iter(section.model_fields)), 1)


@pytest.mark.parametrize(("section", "key"), CASES)
def test_a_missing_key_is_named(section, key):
    values = {k: v for k, v in GOOD[section].items() if k != key}
    with pytest.raises(SimlibError, match=f"section {section.section}: missing key '{key}'"):
        section.of(values)


@pytest.mark.parametrize(("section", "key"), CASES)
def test_a_misspelt_key_is_named_with_a_hint(section, key):
    values = dict(GOOD[section])
    values[key + "x"] = values.pop(key)
    with pytest.raises(SimlibError, match=f"unknown key '{key}x'; did you mean '{key}'") as error:
        section.of(values)
    assert section.section in error.value.subject


@pytest.mark.parametrize("section", GOOD)
@pytest.mark.parametrize("value", [None, 3, [], "text"])
def test_a_section_that_is_no_mapping_is_refused(section, value):
    with pytest.raises(SimlibError, match="not keys with values"):
        section.of(value)


@pytest.mark.parametrize(("section", "key"), CASES)
@pytest.mark.parametrize("value", [None, True, "8", {1}])
def test_a_value_of_another_type_is_refused(section, key, value):
    with pytest.raises(
        SimlibError, match=f"'{key}' is .*; (give it a value of type|it must be one of)"
    ):
        section.of(GOOD[section] | {key: value})


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        (ExtractSettings, "sample_rate", 7999),
        (ExtractSettings, "n_fft", 255),
        (ExtractSettings, "hop_length", 0),
        (ExtractSettings, "hop_length", 513),
        (ExtractSettings, "n_mels", 7),
        (ExtractSettings, "n_mels", 129),
        (ExtractSettings, "f_min", -1.0),
        (ExtractSettings, "f_min", 4000.0),
        (ExtractSettings, "f_max", 4000.5),
        (ExtractSettings, "f_max", float("nan")),
        (ExtractSettings, "min_seconds", 0.0),
        (ExtractSettings, "silence_dbfs", 0.5),
        (DegradedSettings, "seconds", 0.5),
        (DegradedSettings, "snr_db", [25.0, 5.0]),
        (DegradedSettings, "reverberation_seconds", [0.0, 1.0]),
        (SplitSettings, "test", 0.0),
        (SplitSettings, "test", 1.0),
        (SplitSettings, "validation", 0.0),
        (SplitSettings, "validation", 0.75),
        (TrainSettings, "init", "pretraind"),
        (TrainSettings, "segment_seconds", 0.49),
        (TrainSettings, "channels", []),
        (TrainSettings, "channels", [4, 0]),
        (TrainSettings, "channels", [4, "8"]),
        (TrainSettings, "embedding", 1),
        (TrainSettings, "dropout", 1.0),
        (TrainSettings, "dropout", -0.1),
        (TrainSettings, "temperature", 0.0),
        (TrainSettings, "epochs", 0),
        (TrainSettings, "segments_per_track", 0),
        (TrainSettings, "batch_size", 2),
        (TrainSettings, "batch_size", 7),
        (TrainSettings, "learning_rate", 0.0),
        (TrainSettings, "weight_decay", -0.1),
        (TrainSettings, "ema_decay", 1.0),
        (TrainSettings, "validate_every", 0),
        (TrainSettings, "patience", 0),
        (PositiveSettings, "recording", -1.0),
        (PositiveSettings, "artist", -0.1),
        (PositiveSettings, "tags", {}),
        (PositiveSettings, "tags", {"default": -1.0}),
        (PositiveSettings, "tags", {"default": 1.0, "genre": "much"}),
        (PositiveSettings, "tags", {"default": 1.0, "genre": True}),
        (AugmentSettings, "gain_db", -1.0),
        (AugmentSettings, "tilt_db", -1.0),
        (AugmentSettings, "pitch_bands", -1),
        (AugmentSettings, "stretch", 1.0),
        (AugmentSettings, "time_mask", 1.0),
        (AugmentSettings, "band_mask", -0.1),
        (AugmentSettings, "mix_probability", 1.1),
        (IndexSettings, "hop_seconds", 0.0),
        (IndexSettings, "candidates", 0),
        (HubSettings, "share", 0.9),
        (HubSettings, "list_length", 0),
        (FingerprintSettings, "match_correlation", 1.1),
        (FingerprintSettings, "candidate_correlation", 0.0),
        (FingerprintSettings, "near_duplicate_share", 1.1),
        (FingerprintSettings, "speed_change", 1.0),
        (CalibrationSettings, "false_alarms", 1.1),
        (CalibrationSettings, "neighbours", 0),
        (MapSettings, "perplexity", 0.0),
        (MapSettings, "seed", -1),
        (EvaluateSettings, "k", 0),
        (EvaluateSettings, "bootstrap", 99),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(section, key, value):
    with pytest.raises(SimlibError, match="it must be|a list of|a number of") as error:
        section.of(GOOD[section] | {key: value})
    assert f"section {section.section}" in str(error.value)


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("positives", {"recording": 1.0, "artist": 1.0}),
        ("augmentation", samples.AUGMENTATION | {"gain": 1.0}),
    ],
)
def test_training_checks_its_nested_parts_at_once(part, values):
    with pytest.raises(SimlibError, match=f"section train.{part}"):
        TrainSettings.of(samples.TRAIN | {part: values})


def test_a_whole_number_is_a_fine_float():
    assert IndexSettings.of(samples.INDEX | {"hop_seconds": 2}).hop_seconds == 2


def test_a_tag_column_that_is_not_named_has_the_default_weight():
    tags = {"default": 0.5, "genre": 2.0, "year": 0.0}
    positives = PositiveSettings.of({"recording": 1.0, "artist": 1.0, "tags": tags})
    weights = [positives.tag_weight(c) for c in ("genre", "year", "mood")]
    assert weights == [2.0, 0.0, 0.5]


def test_the_frame_rate_is_in_frames_a_second():
    assert samples.extract_settings().frame_rate == 8000 / 256


@pytest.mark.parametrize("value", [True, "3", "1e-3", [3], float("nan"), float("inf"), None])
def test_pydantic_loosens_nothing(value):
    """YAML reads 1e-3 as text, and Python takes True for 1."""
    for key in ("learning_rate", "epochs"):
        with pytest.raises(SimlibError, match=f"section train: '{key}' is "):
            TrainSettings.of(samples.TRAIN | {key: value})
    with pytest.raises(SimlibError, match="section train.positives: 'tags' is .*'genre'"):
        tags = {"default": 1.0, "genre": value}
        TrainSettings.of(samples.TRAIN | {"positives": samples.TRAIN["positives"] | {"tags": tags}})


def test_nested_settings_are_typed_and_immutable():
    settings = TrainSettings.of(samples.TRAIN)
    assert settings.positives.artist == 0.5
    assert settings.descriptor_branch.hidden == 16
    assert settings.channels == (4, 8)
    with pytest.raises(ValidationError, match="frozen"):
        settings.positives.artist = 1.0
    with pytest.raises(SimlibError, match="section train.descriptor_branch: unknown key 'hiden'"):
        branch = {("hiden" if key == "hidden" else key): v for key, v in samples.BRANCH.items()}
        TrainSettings.of(samples.TRAIN | {"descriptor_branch": branch})


@pytest.mark.parametrize("key", [3, 1.5, True, None])
def test_a_key_that_is_no_text_is_named(key):
    with pytest.raises(SimlibError, match=f"section train: unknown key '{key}'; it has init"):
        TrainSettings.of(samples.TRAIN | {key: 1})
    with pytest.raises(SimlibError, match=f"section train.positives: unknown key '{key}'"):
        TrainSettings.of(samples.TRAIN | {"positives": samples.TRAIN["positives"] | {key: 1}})
    with pytest.raises(SimlibError, match=f"section index: unknown key '{key}'"):
        IndexSettings.of({key: 2.0, "weights": {}})


@pytest.mark.parametrize("value", [["resnet"], ["vgg", "vgg"], ["../mine.yaml"], "vgg", None])
def test_backbones_are_a_list_of_known_names(value):
    for section in (TrainSettings, BackboneSettings):
        values = {"backbones": value}
        if section is TrainSettings:
            values = samples.TRAIN | values
        with pytest.raises(SimlibError, match="section train: 'backbones' is"):
            section.of(values)
    assert BackboneSettings.of({"backbones": []}).backbones == ()
    names = ["backbones/mine.yaml", "vgg"]
    assert BackboneSettings.of({"backbones": names}).backbones == tuple(names)
    with pytest.raises(
        SimlibError, match=r"\[\], or a list with some of musicnn, vgg, and cards such"
    ):
        BackboneSettings.of({"backbones": ["resnet"]})
