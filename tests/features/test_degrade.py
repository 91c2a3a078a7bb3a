import numpy as np
import pytest
import soundfile as sf
from samples import bursts, chord, peak_frequency, tone

from simlib.features import (
    DEGRADATIONS,
    clip,
    excerpt,
    mp3,
    noise,
    reverberate,
    telephone,
)

RATE = 22050


def rng(seed=0):
    return np.random.default_rng(seed)


def power(samples):
    return float(np.mean(np.square(samples, dtype=np.float64)))


def decibels(samples, reference):
    return 10 * np.log10(power(samples) / power(reference))


@pytest.mark.parametrize("name", DEGRADATIONS)
@pytest.mark.parametrize("rate", [22050, 44100])
def test_samples_come_back_as_they_went_in_but_changed(name, rate):
    samples = bursts(6.0, rate) + chord(6.0, rate=rate)
    before = samples.copy()
    after = DEGRADATIONS[name](samples, rate, rng())
    np.testing.assert_array_equal(samples, before, err_msg="the recording itself is let alone")
    assert after.dtype == np.float32 and after.ndim == 1
    assert np.isfinite(after).all()
    assert len(after) != len(samples) or np.abs(after - samples).max() > 1e-3
    again = DEGRADATIONS[name](samples, rate, rng())
    np.testing.assert_array_equal(after, again)


@pytest.mark.parametrize("name", DEGRADATIONS)
@pytest.mark.parametrize("seconds", [0.1, 1.0])
def test_silence_and_the_shortest_recordings_are_borne(name, seconds):
    after = DEGRADATIONS[name](np.zeros(round(seconds * RATE), dtype=np.float32), RATE, rng())
    assert len(after) > 0.9 * seconds * RATE
    assert np.isfinite(after).all()


def test_an_mp3_has_the_bit_rate_that_its_name_says(monkeypatch):
    sizes, read = [], sf.read

    def sampled(stream, **options):
        sizes.append(len(stream.getvalue()))
        return read(stream, **options)

    monkeypatch.setattr("simlib.features.degrade.sf.read", sampled)
    after = mp3(bursts(20.0, 44100), 44100, rng())
    assert sizes[0] * 8 / 20.0 == pytest.approx(32_000, rel=0.01)
    assert len(after) / 44100 == pytest.approx(20.0, abs=0.15)


def test_an_mp3_keeps_a_tone_and_clips_what_is_too_loud():
    after = mp3(tone(3.0, 440.0, RATE, level=0.3), RATE, rng())
    assert peak_frequency(after, RATE) == pytest.approx(440, abs=1)
    assert np.abs(after).max() == pytest.approx(0.3, abs=0.05)
    loud = mp3(tone(3.0, 440.0, RATE, level=4.0), RATE, rng())
    assert np.abs(loud).max() < 2.0


@pytest.mark.parametrize(("frequency", "passes"), [(60, False), (1000, True), (6000, False)])
def test_a_telephone_passes_voices_only(frequency, passes):
    samples = tone(2.0, frequency, RATE)
    level = decibels(telephone(samples, RATE, rng()), samples)
    assert abs(level) < 1 if passes else level < -40


@pytest.mark.parametrize("level", [0.01, 0.3])
def test_noise_is_ten_decibels_below_the_recording(level):
    samples = tone(5.0, 440.0, RATE, level)
    added = noise(samples, RATE, rng()) - samples
    assert decibels(added, samples) == pytest.approx(-10, abs=0.2)
    other = noise(samples, RATE, rng(1)) - samples
    assert abs(np.corrcoef(added, other)[0, 1]) < 0.05


def gain(name, frequency):
    samples = tone(2.0, frequency, RATE)
    return decibels(DEGRADATIONS[name](samples, RATE, rng())[RATE // 2 : -RATE // 2],
                    samples[RATE // 2 : -RATE // 2])  # fmt: skip


@pytest.mark.parametrize(("name", "sign"), [("6 dB brighter", 1), ("6 dB darker", -1)])
def test_a_tilt_is_six_decibels_from_end_to_end_of_the_spectrum(name, sign):
    middle = np.sqrt(50 * RATE / 2)
    for frequency, expected in [(50, -3), (middle, 0), (10_900, 3), (np.sqrt(50 * middle), -1.5)]:
        assert gain(name, frequency) == pytest.approx(sign * expected, abs=0.1)


def test_clipping_cuts_a_twentieth_and_leaves_the_rest():
    samples = bursts(2.0, RATE)
    after = clip(samples, RATE, rng())
    limit = np.abs(after).max()
    assert np.mean(np.abs(samples) > limit) == pytest.approx(0.05, abs=0.001)
    inside = np.abs(samples) <= limit
    np.testing.assert_array_equal(after[inside], samples[inside])


def test_an_excerpt_is_five_seconds_from_anywhere():
    samples = np.arange(20 * RATE, dtype=np.float32)
    starts = []
    for seed in range(40):
        after = excerpt(samples, RATE, rng(seed))
        assert len(after) == 5 * RATE
        np.testing.assert_array_equal(np.diff(after), 1)
        starts.append(after[0] / RATE)
    assert min(starts) < 2 and max(starts) > 13


@pytest.mark.parametrize("seconds", [4.0, 5.0])
def test_a_recording_as_short_as_an_excerpt_stays_whole(seconds):
    samples = tone(seconds, rate=RATE)
    np.testing.assert_array_equal(excerpt(samples, RATE, rng()), samples)


def test_a_room_rings_for_a_second_as_loud_as_the_direct_sound():
    samples = np.zeros(3 * RATE, dtype=np.float32)
    samples[RATE] = 1.0
    after = reverberate(samples, RATE, rng())
    room = (after - samples)[RATE : 2 * RATE]
    # Convolution by FFT leaves crumbs.
    assert np.abs(after[:RATE]).max() < 1e-5, "nothing sounds before it is played"
    assert np.sum(room**2) == pytest.approx(1, abs=1e-3)
    early, late = room[: RATE // 10], room[RATE // 2 : RATE // 2 + RATE // 10]
    assert decibels(late, early) == pytest.approx(-30, abs=1)
    assert np.abs(after[2 * RATE + 9 :]).max() < 1e-5


@pytest.mark.parametrize(
    ("name", "ratio", "tempo"),
    [
        ("a semitone up", 2 ** (1 / 12), 1),
        ("a semitone down", 2 ** (-1 / 12), 1),
        ("6% faster", 1, 1.06),
        ("6% slower", 1, 0.94),
    ],
)
def test_pitch_and_tempo_change_each_without_the_other(name, ratio, tempo):
    samples = tone(4.0, 440.0, RATE)
    after = DEGRADATIONS[name](samples, RATE, rng())
    assert len(after) == pytest.approx(len(samples) / tempo, abs=2)
    assert peak_frequency(after, RATE) == pytest.approx(440 * ratio, abs=1.5)
