import numpy as np
import pytest
import samples

from simlib.core import SimlibError
from simlib.features import (
    DESCRIPTOR_RATE,
    DegradedSettings,
    compute_descriptor,
    decode,
    degrade_randomly,
)
from simlib.features.audio import mono_blocks
from simlib.features.degraded import MiddleOfRecording, compute_degraded_descriptor

SETTINGS = samples.extract_settings()


def middle_of(path, folder, seconds, length=30.0):
    with MiddleOfRecording(folder) as middle:
        passed = np.concatenate([block for block, _ in middle.record(mono_blocks(path))])
        return passed, list(middle.blocks(seconds, length))


def degrade(sound, rate, seed, **changes):
    settings = DegradedSettings.of(samples.EXTRACT["degraded"] | changes)
    return degrade_randomly(sound, rate, np.random.default_rng(seed), settings)


def test_a_way_and_a_degree_are_drawn():
    sound = samples.bursts(3.0, DESCRIPTOR_RATE) + samples.chord(3.0, rate=DESCRIPTOR_RATE)
    degraded = [degrade(sound, DESCRIPTOR_RATE, seed) for seed in range(8)]
    assert all(one.dtype == np.float32 and len(one) == len(sound) for one in degraded)
    np.testing.assert_array_equal(degraded[0], degrade(sound, DESCRIPTOR_RATE, 0))
    powers = [np.mean(np.square(one, dtype=np.float64)) for one in degraded]
    assert len({round(power, 6) for power in powers}) > 4


@pytest.mark.parametrize("change", [{"snr_db": [0.0, 0.0]}, {"reverberation_seconds": [3.0, 3.0]}])
def test_the_settings_are_the_ranges_of_the_degree(change):
    sound = samples.bursts(2.0)
    pairs = [(degrade(sound, 8000, i), degrade(sound, 8000, i, **change)) for i in range(12)]
    same = [np.array_equal(*pair) for pair in pairs]
    assert 0 < sum(same) < 12, "one way of three has that setting"


@pytest.mark.parametrize("seconds", [3.0, 30.0, 47.0, 70.0])
@pytest.mark.parametrize("length", [30.0, 4.0])
@pytest.mark.parametrize("memory", [2**30, 10_000], ids=["in memory", "in a file"])
def test_the_middle_is_what_an_excerpt_of_the_middle_holds(
    tmp_path, monkeypatch, seconds, memory, length
):
    monkeypatch.setattr("simlib.features.degraded.MEMORY_BYTES", memory)
    path = samples.write(tmp_path / "a.wav", samples.melody(seconds, 0), subtype="FLOAT")
    passed, found = middle_of(path, tmp_path, seconds, length)
    np.testing.assert_array_equal(passed, decode(path, samples.RATE))
    start = max(0.0, (seconds - length) / 2)
    expected = list(mono_blocks(path, start=start, end=start + length))
    assert [(len(block), rate) for block, rate in found] == [(len(b), r) for b, r in expected]
    for (block, _), (other, _) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(block, other)
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"], "the temporary file has no name"


def test_a_degraded_descriptor_is_that_of_a_degraded_excerpt(tmp_path):
    path = samples.write(tmp_path / "a.wav", samples.melody(34.0, 1, 16000), 16000)
    _, blocks = middle_of(path, tmp_path, 34.0)
    sound = decode(path, DESCRIPTOR_RATE, start=2.0, end=32.0)
    for seed in range(3):
        degraded = degrade(sound, DESCRIPTOR_RATE, seed)
        found = compute_degraded_descriptor(path, blocks, SETTINGS, seed)
        np.testing.assert_array_equal(found, compute_descriptor([degraded]))


def test_a_recording_with_a_silent_middle_is_refused(tmp_path):
    sound = np.concatenate([samples.tone(2), np.zeros(31 * samples.RATE), samples.tone(2)])
    path = samples.write(tmp_path / "a.wav", sound)
    _, blocks = middle_of(path, tmp_path, 35.0)
    with pytest.raises(SimlibError, match="a.wav: is silent"):
        compute_degraded_descriptor(path, blocks, SETTINGS, 0)
