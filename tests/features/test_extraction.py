import os
import shutil
import signal
import sys

import numpy as np
import pandas as pd
import pytest
import samples

from simlib.catalogue import read_catalogue
from simlib.core import SimlibError, digests
from simlib.features import (
    FEATURE_KINDS,
    FeatureStore,
    compute_features,
    compute_log_mel,
    decode,
    extract,
    load_backbone,
    native_blocks,
)
from simlib.features.audio_digests import DIGESTS_FILE
from simlib.features.descriptor import Descriptor
from simlib.features.extraction import ENTRY_MODULES, _each, _recipe

SETTINGS = samples.extract_settings()


class Music:
    """A catalogue of short recordings and its store."""

    def __init__(self, folder):
        self.data, self.store = folder / "data", FeatureStore(folder / "features")
        self.data.mkdir()
        (self.data / "tracks.csv").write_text("path\n")

    def add(self, name, sound):
        return samples.write(self.data / "audio" / name, sound)

    def tracks(self):
        return read_catalogue(self.data)[0]

    def extract(self, settings=SETTINGS, tracks=None, **options):
        tracks = self.tracks() if tracks is None else tracks
        return extract(self.data, tracks, self.store, settings, **{"jobs": 1} | options)

    def files(self, kind):
        return sorted(p.name for p in (self.store.folder / kind).iterdir())


@pytest.fixture
def music(tmp_path):
    music = Music(tmp_path)
    for i in range(3):
        music.add(f"{i}.wav", samples.bursts(0.7, seed=i))
    return music


def test_extraction_fills_the_store_and_its_table(music):
    stored, rejected, computed = music.extract()
    assert (len(stored), len(rejected), computed) == (3, 0, 3)
    assert stored["track_id"].tolist() == ["0", "1", "2"]
    np.testing.assert_allclose(stored["seconds"], 0.7, atol=0.03)
    table = music.store.tracks()
    assert table.to_dict("list") == stored.to_dict("list")
    assert music.store.front_end() == SETTINGS.front_end.as_dict()
    for row, key in enumerate(table["log_mel"]):
        expected = compute_log_mel([decode(music.data / table["path"][row], 8000)], SETTINGS)
        np.testing.assert_allclose(
            music.store.log_mel(key).astype(float), expected.astype(float), atol=0.07
        )
    descriptors = music.store.descriptors(table["descriptor"])
    assert descriptors.shape == (3, 102)
    np.testing.assert_allclose(
        descriptors[1], music.store.descriptor(table["descriptor"][1]).mean(axis=0)
    )


def test_nothing_is_computed_twice(music):
    music.extract()
    before = samples.tree(music.store.folder)
    assert music.extract()[2] == 0
    after = samples.tree(music.store.folder)
    arrays = [name for name in before if name.endswith(".npy")]
    assert len(arrays) == 9
    for name in arrays:
        assert after[name] == before[name], "written once more"
    music.add("3.wav", samples.bursts(0.7, seed=3))
    assert music.extract()[2] == 1
    assert len(music.files("log_mel")) == 4


def test_a_renamed_recording_keeps_its_features(music):
    music.extract()
    (music.data / "audio" / "0.wav").rename(music.data / "audio" / "9.wav")
    stored, _, computed = music.extract()
    assert computed == 0
    assert stored["track_id"].tolist() == ["1", "2", "9"]


def test_a_changed_recording_is_computed_anew(music):
    old = music.extract()[0]["log_mel"].tolist()
    music.add("0.wav", samples.bursts(0.7, seed=9))
    stored, _, computed = music.extract()
    assert computed == 1
    assert stored["log_mel"][0] not in old
    assert stored["log_mel"].tolist()[1:] == old[1:]
    assert f"{old[0]}.npy" not in music.files("log_mel")


def test_another_front_end_makes_all_anew_but_the_baseline(music):
    before = music.extract()[0]
    descriptors = samples.tree(music.store.folder / "descriptor")
    after, _, computed = music.extract(samples.extract_settings(n_mels=24))
    assert computed == 3
    assert not set(before["log_mel"]) & set(after["log_mel"])
    assert music.files("log_mel") == sorted(f"{key}.npy" for key in after["log_mel"])
    assert music.store.log_mel(after["log_mel"][0]).shape[1] == 24
    assert music.store.front_end()["n_mels"] == 24
    assert samples.tree(music.store.folder / "descriptor") == descriptors


@pytest.mark.parametrize(
    "change",
    [
        {"sample_rate": 9000},
        {"n_fft": 600},
        {"hop_length": 200},
        {"f_min": 60.0},
        {"f_max": 3900.0},
        {"min_seconds": 0.6},
    ],
)
def test_whatever_changes_the_numbers_changes_the_key(change):
    assert _recipe("log_mel", SETTINGS) == _recipe("log_mel", SETTINGS)
    changed = samples.extract_settings(**change)
    assert _recipe("log_mel", changed) != _recipe("log_mel", SETTINGS)


@pytest.mark.parametrize(
    ("key", "value"),
    [("seconds", 20.0), ("snr_db", [5.0, 20.0]), ("reverberation_seconds", [0.3, 1.0])],
)
def test_a_setting_of_the_degraded_copy_changes_its_key_alone(key, value):
    changed = samples.extract_settings(degraded=samples.EXTRACT["degraded"] | {key: value})
    assert stale(lambda: None, changed) == ["degraded"]


def test_the_silence_threshold_is_applied(music):
    music.add("quiet.wav", samples.tone(1.0, level=0.005))
    changed = samples.extract_settings(silence_dbfs=-40.0)
    assert stale(lambda: None, changed) == list(FEATURE_KINDS), "each file is decoded again"
    assert len(music.extract()[0]) == 4
    _, rejected, _ = music.extract(changed)
    assert rejected["cause"].tolist() == ["is silent (below -40 dBFS throughout)"]


def test_another_library_or_other_code_changes_every_key(monkeypatch):
    def recipes():
        return [_recipe(kind, SETTINGS) for kind in FEATURE_KINDS]

    before = recipes()
    with monkeypatch.context() as patch:
        patch.setattr("simlib.features.extraction.version", lambda name: "99" + name)
        assert not set(before) & set(recipes())
    with monkeypatch.context() as patch:
        patch.setattr("simlib.features.extraction.digest_of_code", lambda *modules: "other")
        assert not set(before) & set(recipes())
    assert recipes() == before


def test_what_nobody_needs_is_removed(music):
    music.extract()
    (music.store.folder / "log_mel" / ".half.123.part.npy").write_bytes(b"left by a killed run")
    (music.data / "audio" / "1.wav").unlink()
    stored, _, computed = music.extract()
    assert computed == 0
    for kind in FEATURE_KINDS:
        assert music.files(kind) == sorted(f"{key}.npy" for key in stored[kind])
        assert len(music.files(kind)) == 2


def test_two_files_with_the_same_bytes_share_their_features(music):
    music.add("twin.wav", samples.bursts(0.7, seed=0))
    stored, _, computed = music.extract()
    assert computed == 3
    keys = dict(zip(stored["track_id"], stored["log_mel"], strict=True))
    assert keys["twin"] == keys["0"]
    assert len(music.files("log_mel")) == 3
    (music.data / "audio" / "0.wav").unlink()
    assert music.extract()[2] == 0
    assert len(music.files("log_mel")) == 3, "the twin needs it still"


def test_a_lost_feature_is_computed_again(music):
    stored = music.extract()[0]
    before = samples.tree(music.store.folder / "descriptor")
    music.store.path("descriptor", stored["descriptor"][1]).unlink()
    assert music.extract()[2] == 1
    after = samples.tree(music.store.folder / "descriptor")
    assert {name: entry[1] for name, entry in after.items()} == {
        name: entry[1] for name, entry in before.items()
    }


def test_broken_recordings_are_left_out_with_their_causes(music):
    audio_folder = music.data / "audio"
    (audio_folder / "text.mp3").write_text("not audio at all\n" * 500)
    (audio_folder / "empty.wav").touch()
    music.add("silent.wav", np.zeros(8000, dtype=np.float32))
    music.add("short.wav", samples.tone(0.05))
    whole = music.add("cut.flac", samples.bursts(2))
    whole.write_bytes(whole.read_bytes()[:-2000])
    stored, rejected, _ = music.extract()
    assert stored["track_id"].tolist() == ["0", "1", "2"]
    causes = dict(zip(rejected["path"], rejected["cause"], strict=True))
    assert set(causes) == {
        f"audio/{n}" for n in ("text.mp3", "empty.wav", "silent.wav", "short.wav", "cut.flac")
    }
    assert "not audio" in causes["audio/text.mp3"]
    assert "empty" in causes["audio/empty.wav"]
    assert "silent" in causes["audio/silent.wav"]
    assert "shorter than 0.5 s" in causes["audio/short.wav"]
    assert "truncated" in causes["audio/cut.flac"]
    assert rejected["hint"].str.len().min() > 5
    assert music.extract()[2] == 0, "a rejection stays one, at no cost to the others"
    assert len(music.files("log_mel")) == 3


def test_an_error_that_nobody_foresaw_costs_one_recording(music, monkeypatch):
    reference = music.extract()[0]["descriptor"][1]
    reference = music.store.descriptor(reference)[0].copy()
    descriptor = Descriptor.array

    def fails(self):
        rows = descriptor(self)
        if np.allclose(rows[0], reference, atol=1e-3):
            raise ZeroDivisionError("odd\nindeed")
        return rows

    monkeypatch.setattr(Descriptor, "array", fails)
    for kind in FEATURE_KINDS:
        for path in (music.store.folder / kind).iterdir():
            path.unlink()
    stored, rejected, _ = music.extract()
    assert stored["track_id"].tolist() == ["0", "2"]
    assert rejected["cause"].tolist() == [r"fails with ZeroDivisionError: odd\nindeed"]


def test_a_catalogue_without_one_good_recording_is_refused(tmp_path):
    music = Music(tmp_path)
    music.add("0.wav", np.zeros(8000, dtype=np.float32))
    with pytest.raises(SimlibError, match=r"holds no recording that can be used \(1 tried\)"):
        music.extract()


def test_a_decoder_that_crashes_costs_one_recording(monkeypatch):
    def work(path, *context):
        if path == "bad.mp3":
            os.kill(os.getpid(), signal.SIGKILL)
        return path, {"name": path}

    monkeypatch.setattr("simlib.features.extraction._extract_one", work)
    names = ["0.wav", "1.wav", "bad.mp3", "3.wav", "4.wav", "5.wav"]
    found = list(_each(names, (), jobs=2))
    assert sorted(path for path, _ in found) == sorted(names), "each once"
    results = dict(found)
    error = results.pop("bad.mp3")
    assert isinstance(error, SimlibError)
    assert "crashes its decoder" in str(error)
    for path, result in results.items():
        assert result == {"name": path}


def test_several_workers_find_what_one_does(music):
    one = music.extract()[0]
    tracks, _ = read_catalogue(music.data)
    store = FeatureStore(music.store.folder.with_name("other"))
    two, _, computed = extract(music.data, tracks, store, SETTINGS, jobs=2)
    assert computed == 3
    assert two.to_dict("list") == one.to_dict("list")
    for key in one["log_mel"]:
        np.testing.assert_array_equal(store.log_mel(key), music.store.log_mel(key))


# --- files that are not read again -----------------------------------------------------------


@pytest.fixture
def opened(monkeypatch):
    """The audio files that Python opens or a decoder is given, each as often as it is."""
    names = []

    def watched(event, arguments):
        if event == "open" and "/audio/" in str(arguments[0]) and watching:
            names.append(os.path.basename(arguments[0]))

    watching = [True]
    sys.addaudithook(watched)

    def counted(path, *seconds):
        names.append(path.name)
        yield from native_blocks(path, *seconds)

    monkeypatch.setattr("simlib.features.audio.native_blocks", counted)
    yield names
    watching.clear()  # An audit hook stays for good.


def in_place(path, change):
    """Overwrite the last bytes of a file, and keep its size, inode and, if asked, its time."""
    before = path.stat()
    with open(path, "r+b") as stream:
        stream.seek(-len(change), os.SEEK_END)
        stream.write(change)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    assert before.st_ino == after.st_ino


def test_a_second_run_opens_no_audio(music, opened):
    first = music.extract(tracks=music.tracks())[0]
    assert {"0.wav", "1.wav", "2.wav"} == set(opened)
    tracks = music.tracks()
    opened.clear()
    stored, rejected, computed = music.extract(tracks=tracks)
    assert opened == []
    assert (len(rejected), computed) == (0, 0)
    assert stored.to_dict("list") == first.to_dict("list")


def test_a_new_recording_is_the_only_one_that_is_read(music, opened):
    music.extract()
    music.add("3.wav", samples.bursts(0.7, seed=3))
    tracks = music.tracks()
    opened.clear()
    assert music.extract(tracks=tracks)[2] == 1
    assert set(opened) == {"3.wav"}


def test_a_touched_file_is_read_once_more_and_computes_nothing(music, opened):
    first = music.extract()[0]
    os.utime(music.data / "audio" / "1.wav", ns=(1, 1))
    tracks = music.tracks()
    opened.clear()
    stored, _, computed = music.extract(tracks=tracks)
    assert (opened, computed) == (["1.wav"], 0)
    assert stored.to_dict("list") == first.to_dict("list")
    opened.clear()
    music.extract(tracks=tracks)
    assert opened == []


def test_a_file_that_takes_the_place_of_another_is_read(music):
    """With the same size and time, as a tool that copies times leaves it."""
    first, path = music.extract()[0], music.data / "audio" / "1.wav"
    before = path.stat()
    other = music.add("other.wav", samples.bursts(0.7, seed=8))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(path)
    after = path.stat()
    assert (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    assert before.st_ino != after.st_ino
    stored, _, computed = music.extract()
    assert computed == 1
    assert stored["digest"][1] == digests.digest_of_file(path) != first["digest"][1]


def test_verifying_finds_a_change_that_nothing_shows(music):
    first, path = music.extract()[0], music.data / "audio" / "1.wav"
    in_place(path, b"\1" * 100)
    stored, _, computed = music.extract()
    assert computed == 0
    assert stored["digest"][1] == first["digest"][1], "by size, time and inode it is unchanged"
    stored, _, computed = music.extract(verify=True)
    assert computed == 1
    assert stored["digest"][1] == digests.digest_of_file(path)
    assert music.extract()[0]["digest"][1] == stored["digest"][1]


@pytest.mark.parametrize("damage", [b"", b"no table"])
def test_without_the_kept_digests_every_file_is_read(music, opened, damage):
    first = music.extract()[0]
    (music.store.folder / DIGESTS_FILE).write_bytes(damage)
    tracks = music.tracks()
    opened.clear()
    stored, _, computed = music.extract(tracks=tracks)
    assert (sorted(opened), computed) == (["0.wav", "1.wav", "2.wav"], 0)
    assert stored.to_dict("list") == first.to_dict("list")


def test_digests_of_removed_recordings_are_removed(music):
    music.extract()
    (music.data / "audio" / "1.wav").unlink()
    music.extract()
    table = pd.read_parquet(music.store.folder / DIGESTS_FILE)
    assert table["path"].tolist() == ["audio/0.wav", "audio/2.wav"]


# --- one decoding ----------------------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch):
    """The names of all files that are decoded, each as often as it is."""
    names = []

    def counted(path, *seconds):
        names.append(path.name)
        yield from native_blocks(path, *seconds)

    monkeypatch.setattr("simlib.features.audio.native_blocks", counted)
    return names


@pytest.mark.parametrize("changes", [{}, {"sample_rate": 22050}, {"n_fft": 400}])
def test_each_file_is_decoded_once(music, decoded, changes):
    samples.write_av(music.data / "audio" / "3.m4a", 0.8)
    assert music.extract(samples.extract_settings(**changes))[2] == 4
    assert sorted(decoded) == ["0.wav", "1.wav", "2.wav", "3.m4a"]


@pytest.mark.parametrize("lost", [[kind] for kind in FEATURE_KINDS] + [list(FEATURE_KINDS[1:])])
def test_only_what_is_missing_is_computed_and_from_one_decoding(music, decoded, lost):
    stored = music.extract()[0]
    before = samples.tree(music.store.folder)
    missing = [f"{kind}/{stored[kind][1]}.npy" for kind in lost]
    for name in missing:
        (music.store.folder / name).unlink()
    decoded.clear()
    assert music.extract()[2] == 1
    assert decoded == ["1.wav"]
    after = samples.tree(music.store.folder)
    for name in before:
        if name.endswith(".npy"):
            assert after[name][1] == before[name][1]
            assert (after[name] == before[name]) == (name not in missing), "written once more"


# --- backbones -------------------------------------------------------------------------------


def test_backbones_are_stored_beside_the_other_features(music):
    stored, _, computed = music.extract(backbones=["musicnn", "vgg"])
    assert computed == 3
    variants = music.store.backbones()
    assert variants == {name: load_backbone(name).dtype for name in ("musicnn", "vgg")}
    expected = compute_features(music.data / stored["path"][1], SETTINGS, backbones=variants)
    mapped = music.store.features(music.store.tracks().iloc[1])
    for name in variants:
        found = music.store.backbone(name, stored[f"backbone.{name}"][1])
        assert found.dtype == np.float16
        assert found.shape == (1, load_backbone(name).size)
        np.testing.assert_array_equal(found, expected[f"backbone.{name}"])
        np.testing.assert_array_equal(mapped.backbones[name], found)
    assert music.extract(backbones=["musicnn", "vgg"])[2] == 0


def test_processes_compute_the_same_activations(music):
    one = music.extract(backbones=["vgg"])[0]
    before = samples.tree(music.store.folder / "vgg")
    for path in (music.store.folder / "vgg").iterdir():
        path.unlink()
    two, _, computed = music.extract(backbones=["vgg"], jobs=2)
    assert computed == 3
    assert two["backbone.vgg"].tolist() == one["backbone.vgg"].tolist()
    after = samples.tree(music.store.folder / "vgg")
    assert {name: entry[1] for name, entry in after.items()} == {
        name: entry[1] for name, entry in before.items()
    }


def test_a_backbone_that_is_added_is_all_that_is_computed(music, decoded):
    music.extract()
    before = samples.tree(music.store.folder / "log_mel")
    decoded.clear()
    assert music.extract(backbones=["vgg"])[2] == 3
    assert sorted(decoded) == ["0.wav", "1.wav", "2.wav"], "each file once"
    assert samples.tree(music.store.folder / "log_mel") == before
    assert len(music.files("vgg")) == 3


def test_a_backbone_that_is_left_out_is_removed(music):
    music.extract(backbones=["vgg"])
    stored, _, computed = music.extract()
    assert computed == 0
    assert "backbone.vgg" not in stored
    assert music.files("vgg") == []
    assert music.store.backbones() == {}
    assert music.store.features(stored.iloc[0]).backbones == {}


def test_the_dtype_of_a_backbone_makes_another_key(music, monkeypatch):
    keys = []
    for dtype in ("float32", "bfloat16"):
        monkeypatch.setattr(
            "simlib.features.extraction.load_backbone", lambda name, d=dtype: load_backbone(name, d)
        )
        keys += music.extract(backbones=["vgg"])[0]["backbone.vgg"].tolist()
        assert music.store.backbones() == {"vgg": dtype}
    assert len(set(keys)) == 6


def test_an_unknown_backbone_is_refused_before_anything_is_decoded(music, decoded):
    with pytest.raises(SimlibError, match="musicnn, vgg"):
        music.extract(backbones=["resnet"])
    assert not decoded


# --- what makes a feature stale --------------------------------------------------------------


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of simlib whose code is digested in place of the real one; `edit` changes it."""
    copy = tmp_path / "simlib"
    shutil.copytree(digests.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("simlib.core.digests.PACKAGE", copy)

    def edit(name, old, new):
        text = (copy / name).read_text("utf-8")
        assert old in text
        (copy / name).write_text(text.replace(old, new), "utf-8")
        forget()

    def forget():
        for cached in (digests._imports, digests._homes, digests._syntax):
            cached.cache_clear()

    forget()
    yield edit
    forget()


def stale(edit, settings=SETTINGS):
    """Return the kinds of features that an edit, or other settings, make stale."""
    before = {kind: _recipe(kind, SETTINGS) for kind in FEATURE_KINDS}
    edit()
    return [kind for kind in FEATURE_KINDS if _recipe(kind, settings) != before[kind]]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("features/extraction.py", 'desc="recordings"', 'desc="files"'),
        ("features/store.py", "cannot be read", "is not readable"),
        ("features/encoding.py", "0.05", "0.1"),
        ("features/tempogram.py", "30.0", "40.0"),
        ("catalogue/csv_table.py", "cells, not", "cells in place of"),
        ("core/settings.py", "class Section", "EXTRA = 1\n\n\nclass Section"),
        ("features/spectrogram.py", "Samples.", "Numbers of samples."),
        ("features/spectrogram.py", "FLOOR_DB = -100.0", "FLOOR_DB = -100.0  # The lowest."),
        ("features/descriptor.py", '"""The descriptor:', '"""The baseline:'),
    ],
)
def test_an_edit_that_changes_no_number_makes_nothing_stale(package, name, old, new):
    assert stale(lambda: package(name, old, new)) == []


def test_comments_and_docstrings_make_nothing_stale(package):
    def reword():
        for path in digests.PACKAGE.rglob("*.py"):
            text = path.read_text("utf-8")
            assert text.startswith('"""')
            name = path.relative_to(digests.PACKAGE).as_posix()
            package(name, text, text.replace('"""', '"""Reworded: ', 1) + "\n# A comment.\n")

    assert stale(reword) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "kinds"),
    [
        ("features/spectrogram.py", "10.0 * np.log10", "20.0 * np.log10", FEATURE_KINDS),
        ("features/spectrogram.py", "fmin=f_min", "fmin=f_min, htk=True", FEATURE_KINDS),
        ("features/readers.py", "BLOCK_SECONDS = 10.0", "BLOCK_SECONDS = 5.0", FEATURE_KINDS),
        ("features/descriptor.py", "n_mfcc=20", "n_mfcc=13", ("descriptor", "degraded")),
        ("features/degrade.py", "*, decibel: float = ", "decibel: float = ", ("degraded",)),
    ],
)
def test_an_edit_of_the_code_that_computes_makes_its_features_stale(package, name, old, new, kinds):
    assert stale(lambda: package(name, old, new)) == list(kinds)


@pytest.mark.parametrize("kind", FEATURE_KINDS)
def test_a_feature_depends_on_few_modules(kind):
    needed = digests.import_closure(ENTRY_MODULES[kind])
    assert len(needed) <= 8
    assert not needed & {f"simlib.features.{name}" for name in ("extraction", "store", "settings")}
