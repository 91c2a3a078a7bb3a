import os
import signal

import librosa
import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.catalogue import read_catalogue
from simlib.core import SimlibError
from simlib.features import (
    DESCRIPTOR_GROUPS,
    DESCRIPTOR_RATE,
    FEATURE_KINDS,
    FeatureStore,
    compute_descriptor,
    compute_log_mel,
    decode,
    decode_blocks,
    extract,
    power_frames,
    store_log_mel,
)
from simlib.features.extraction import _each, _recipe

SETTINGS = samples.extract_settings()
lengths = st.lists(st.integers(0, 3000), min_size=1, max_size=6)


def in_blocks(sound, sizes):
    """Cut a sound into blocks of these sizes, again and again."""
    bounds = np.cumsum(np.resize([size or 1 for size in sizes], len(sound)))
    return np.split(sound, bounds[bounds < len(sound)])


def log_mel(sound, settings=SETTINGS, sizes=None):
    blocks = in_blocks(sound, sizes) if sizes else [sound]
    return np.concatenate(list(compute_log_mel(blocks, settings)))


# --- the numbers -----------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large for input signal")
@pytest.mark.parametrize("count", [256, 511, 512, 4000, 12345])
@pytest.mark.parametrize("changes", [{}, {"n_fft": 1024, "hop_length": 300, "f_max": 3000.0}])
def test_log_mel_is_librosas_mel_spectrogram_in_decibels(count, changes):
    settings = samples.extract_settings(**changes)
    sound = samples.bursts(2)[:count] + samples.chord(2)[:count]
    mel = librosa.feature.melspectrogram(
        y=sound,
        sr=settings.sample_rate,
        n_fft=settings.n_fft,
        hop_length=settings.hop_length,
        n_mels=settings.n_mels,
        fmin=settings.f_min,
        fmax=settings.f_max,
        pad_mode="constant",
    )
    expected = librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=None).T
    found = log_mel(sound, settings)
    assert found.dtype == np.float16
    assert found.shape == expected.shape == (1 + count // settings.hop_length, settings.n_mels)
    # Half precision is good to 0.03 dB at -100 dB.
    np.testing.assert_allclose(found.astype(float), expected, atol=0.05)


@given(lengths, st.integers(300, 9000))
def test_log_mel_is_the_same_whatever_the_blocks(sizes, count):
    sound = samples.bursts(9000 / 8000)[:count]
    whole, parts = log_mel(sound), log_mel(sound, sizes=sizes)
    assert parts.shape == whole.shape
    np.testing.assert_allclose(parts.astype(float), whole.astype(float), atol=0.07)


@given(lengths, st.sampled_from([(512, 128), (512, 512), (400, 333)]))
def test_power_frames_are_librosas_frames_whatever_the_blocks(sizes, window):
    n_fft, hop = window
    sound = samples.chord(0.8) + samples.bursts(0.8)
    found = np.concatenate(list(power_frames(in_blocks(sound, sizes), n_fft, hop)))
    stft = librosa.stft(sound, n_fft=n_fft, hop_length=hop, pad_mode="constant")
    np.testing.assert_allclose(found, np.abs(stft.T) ** 2, rtol=1e-3, atol=1e-4)


def test_log_mel_of_nothing_stays_above_the_floor():
    quiet = log_mel(np.full(4000, 1e-9, dtype=np.float32))
    assert (quiet == -100).all()


def test_a_louder_recording_is_higher_by_so_many_decibels():
    sound = samples.bursts(1)
    change = log_mel(2 * sound).astype(float) - log_mel(sound).astype(float)
    np.testing.assert_allclose(change, 20 * np.log10(2), atol=0.07)


def describe(sound, sizes=None):
    return compute_descriptor(in_blocks(sound, sizes) if sizes else [sound])


MFCC, CHROMA, TEMPO = 0, 40 + 14, 40 + 14 + 24
DRATE = DESCRIPTOR_RATE


@pytest.mark.parametrize(("seconds", "rows"), [(0.6, 1), (4, 1), (7, 1), (8, 2), (12, 2), (13, 3)])
def test_the_descriptor_has_a_row_for_about_five_seconds(seconds, rows):
    found = describe(samples.bursts(seconds, DRATE))
    assert found.shape == (rows, sum(DESCRIPTOR_GROUPS)) == (rows, 102)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@pytest.mark.parametrize("sizes", [[5000], [70_000, 1, 300], [110_000]])
def test_the_descriptor_is_the_same_whatever_the_blocks(sizes):
    sound = samples.bursts(9, DRATE)
    np.testing.assert_allclose(describe(sound, sizes), describe(sound), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("pitch", "name"), [("A4", 9), ("C5", 0), ("F#4", 6)])
def test_the_descriptors_chroma_hears_the_pitch(pitch, name):
    sound = samples.tone(2, librosa.note_to_hz(pitch), DRATE)
    assert np.argmax(describe(sound)[0, CHROMA : CHROMA + 12]) == name


def test_the_descriptors_tempo_bands_hear_the_tempo():
    """Twelve bands, equal in log tempo, from 40 bpm: 120 lies in the 7th, 150 in the 8th."""
    slow, fast = (
        describe(samples.clicks(6, bpm, DRATE))[0, TEMPO : TEMPO + 12] for bpm in (120, 150)
    )
    assert slow[6] > fast[6] + 0.2
    assert fast[7] > slow[7] + 0.2


def test_the_descriptors_mfcc_are_librosas():
    sound = samples.bursts(3, DRATE)
    expected = librosa.feature.mfcc(
        S=librosa.power_to_db(
            librosa.feature.melspectrogram(y=sound, sr=DRATE, pad_mode="constant")
        ),
        n_mfcc=20,
    )
    found = describe(sound)[0]
    np.testing.assert_allclose(found[MFCC : MFCC + 20], expected.mean(axis=1), rtol=1e-3, atol=0.05)
    np.testing.assert_allclose(found[MFCC + 20 : 40], expected.std(axis=1), rtol=1e-2, atol=0.05)


# --- storing one recording -------------------------------------------------------------------


def test_what_is_stored_is_the_log_mel_of_the_whole_recording(tmp_path, monkeypatch):
    sound = samples.bursts(2.5)
    path = samples.write(tmp_path / "a.wav", sound, subtype="FLOAT")
    monkeypatch.setattr("simlib.features.audio.BLOCK_SECONDS", 0.3)
    store_log_mel(path, tmp_path / "features" / "a.npy", SETTINGS)
    stored = np.load(tmp_path / "features" / "a.npy", allow_pickle=False)
    assert stored.dtype == np.float16
    assert stored.shape == (1 + 20_000 // 256, 32)
    np.testing.assert_allclose(stored.astype(float), log_mel(sound).astype(float), atol=0.07)


@pytest.mark.parametrize("seconds", [0.05, 0.4])
def test_a_recording_that_is_too_short_is_refused_with_both_lengths(tmp_path, seconds):
    path = samples.write(tmp_path / "a.wav", samples.tone(seconds))
    target = tmp_path / "features" / "a.npy"
    with pytest.raises(SimlibError, match=r"is 0\.\d\d s long, shorter than 0.5 s"):
        store_log_mel(path, target, SETTINGS)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_writing_leaves_nothing(tmp_path, monkeypatch, failure):
    path = samples.write(tmp_path / "a.wav", samples.tone(2))

    def interrupted(blocks, settings):
        yield np.zeros((10, settings.n_mels), dtype=np.float16)
        raise failure

    monkeypatch.setattr("simlib.features.spectrogram.compute_log_mel", interrupted)
    with pytest.raises(failure):
        store_log_mel(path, tmp_path / "features" / "a.npy", SETTINGS)
    assert list((tmp_path / "features").iterdir()) == []


# --- the store -------------------------------------------------------------------------------


class Music:
    """A catalogue of short recordings and its store."""

    def __init__(self, folder):
        self.data, self.store = folder / "data", FeatureStore(folder / "features")
        self.data.mkdir()
        (self.data / "tracks.csv").write_text("path\n")

    def add(self, name, sound):
        return samples.write(self.data / "audio" / name, sound)

    def extract(self, settings=SETTINGS):
        tracks, _ = read_catalogue(self.data)
        return extract(self.data, tracks, self.store, settings, jobs=1)

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
    assert music.store.front_end() == SETTINGS.as_dict()
    for row, key in enumerate(table["log_mel"]):
        expected = log_mel(decode(music.data / table["path"][row], 8000))
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
    descriptor = compute_descriptor

    def fails(blocks):
        rows = descriptor(blocks)
        if np.allclose(rows[0], reference[0], atol=1e-3):
            raise ZeroDivisionError("odd\nindeed")
        return rows

    reference = descriptor(decode_blocks(music.data / "audio" / "1.wav", DRATE))
    monkeypatch.setattr("simlib.features.extraction.compute_descriptor", fails)
    stored, rejected, _ = music.extract()
    assert stored["track_id"].tolist() == ["0", "2"]
    assert rejected["cause"].tolist() == [r"fails with ZeroDivisionError: odd\nindeed"]


def test_a_catalogue_without_one_good_recording_is_refused(tmp_path):
    music = Music(tmp_path)
    music.add("0.wav", np.zeros(8000, dtype=np.float32))
    with pytest.raises(SimlibError, match=r"holds no recording that can be used \(1 tried\)"):
        music.extract()


def test_a_store_without_features_names_the_command(tmp_path):
    store = FeatureStore(tmp_path)
    for read in (store.tracks, store.front_end, lambda: store.log_mel("0" * 32)):
        with pytest.raises(SimlibError, match="run 'dvc repro extract'"):
            read()


def test_pickled_arrays_in_the_store_are_not_loaded(tmp_path):
    store = FeatureStore(tmp_path)
    store.path("log_mel", "x").parent.mkdir()
    np.save(store.path("log_mel", "x"), np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(SimlibError, match="cannot be read"):
        store.log_mel("x")


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
