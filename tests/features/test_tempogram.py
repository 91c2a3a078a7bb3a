import librosa
import numpy as np
import pandas as pd
import pytest
import samples

from simlib.features import (
    CYCLIC_BINS,
    FrontEnd,
    compute_tempogram,
    cyclic_tempogram,
    estimate_bpm,
    octave_tempogram,
)
from simlib.relevance import complete_bpm, describe_bpm_source, known_bpm

FRONT_END = FrontEnd.of({
    "sample_rate": 22050, "n_fft": 2048, "hop_length": 512, "n_mels": 96, "f_min": 30.0,
    "f_max": 10000.0, "min_seconds": 1.0,
})  # fmt: skip


def log_mel_of(bpm, seconds=20):
    sound = samples.clicks(seconds, bpm, 22050)
    power = librosa.feature.melspectrogram(
        y=sound, sr=22050, n_fft=2048, hop_length=512, n_mels=96, fmin=30, fmax=10000
    )
    return librosa.power_to_db(power).T.astype(np.float16)


@pytest.fixture(scope="module")
def tempograms():
    return {bpm: compute_tempogram(log_mel_of(bpm), FRONT_END) for bpm in (60, 90, 100, 120, 240)}


def test_clicks_come_again_after_their_period(tempograms):
    for bpm in (90, 100, 120):
        lag = 60 * FRONT_END.frame_rate / bpm
        around = tempograms[bpm][round(0.7 * lag) : round(1.3 * lag)]
        assert np.argmax(around) + round(0.7 * lag) == pytest.approx(lag, abs=1.5)


def test_estimates_are_right_but_for_the_octave(tempograms):
    for bpm, tempogram in tempograms.items():
        octaves = np.log2(estimate_bpm(tempogram, FRONT_END) / bpm)
        assert octaves == pytest.approx(round(octaves), abs=0.06)


def test_a_tempo_and_its_double_are_one(tempograms):
    pulses = {bpm: cyclic_tempogram(tempogram, FRONT_END) for bpm, tempogram in tempograms.items()}
    for pulse in pulses.values():
        assert pulse.shape == (CYCLIC_BINS,)
        assert pulse.dtype == np.float32
        assert np.linalg.norm(pulse) == pytest.approx(1, abs=1e-5)
    assert pulses[60] @ pulses[120] > 0.6
    assert pulses[120] @ pulses[240] > 0.6
    assert pulses[100] @ pulses[120] < 0.3
    assert pulses[90] @ pulses[120] < 0.3


def test_unfolded_a_tempo_and_its_double_are_two(tempograms):
    spread = {bpm: octave_tempogram(t, FRONT_END) for bpm, t in tempograms.items()}
    assert all(values.shape == (48,) for values in spread.values())
    octaves = {bpm: np.log2(30 * 2 ** (np.arange(48) / 12) / bpm) for bpm in spread}
    for bpm, values in spread.items():
        at = np.abs(octaves[bpm]).argmin()
        # Every second, third, ... beat comes again too, but nothing does in between.
        faster = [v for v, o in zip(values, octaves[bpm], strict=True) if o > 0.3]
        assert values[at] > max(faster) + 0.1


def test_loudness_has_no_tempo(tempograms):
    quiet = compute_tempogram(log_mel_of(120).astype(np.float32) - 20, FRONT_END)
    np.testing.assert_allclose(quiet, tempograms[120], atol=1e-2)


def test_a_long_recording_is_worked_through_in_stretches(monkeypatch, tempograms):
    monkeypatch.setattr("simlib.features.tempogram.TEMPOGRAM_STRETCH_SECONDS", 7.0)
    parted = compute_tempogram(log_mel_of(120), FRONT_END)
    pulses = [cyclic_tempogram(t, FRONT_END) for t in (parted, tempograms[120])]
    assert pulses[0] @ pulses[1] > 0.9


@pytest.mark.parametrize("frames", [1, 2, 40])
def test_where_nothing_begins_there_is_no_tempo(frames):
    tempogram = compute_tempogram(np.full((frames, 96), -30, dtype=np.float16), FRONT_END)
    assert np.isfinite(tempogram).all()
    assert not cyclic_tempogram(np.zeros_like(tempogram), FRONT_END).any()
    assert np.isfinite(estimate_bpm(tempogram, FRONT_END))


def test_the_catalogue_knows_better_than_an_estimate(tempograms):
    table = samples.tracks(4, bpm=[61.0, np.nan, 0.0, -3.0])
    known = known_bpm(table)
    np.testing.assert_array_equal(known, [61, np.nan, np.nan, np.nan])
    given = [tempograms[bpm] for bpm in (120, 90, 100, 120)]
    completed = complete_bpm(known, given, FRONT_END)
    assert completed[0] == 61
    expected = [estimate_bpm(t, FRONT_END) for t in given[1:]]
    np.testing.assert_array_equal(completed[1:], expected)
    assert describe_bpm_source(known) == (
        "Of 4 tempi, 1 come from the column `bpm`; the others are librosa's estimates."
    )


@pytest.mark.parametrize("table", [samples.tracks(3), samples.tracks(3, bpm=["fast", "", "120"])])
def test_without_numbers_all_tempi_are_estimates(table):
    known = known_bpm(table)
    assert np.isnan(known).all()
    assert describe_bpm_source(known) == "The tempi of all 3 recordings are librosa's estimates."
    known = known_bpm(table.assign(bpm=pd.Series([100, 120, 140])))
    assert describe_bpm_source(known) == "The tempi of all 3 recordings come from the column `bpm`."
