import numpy as np
import pytest
import samples

from simlib.core import SimlibError
from simlib.features import DESCRIPTOR_RATE, compute_descriptor, decode, degrade_randomly
from simlib.features.audio import mono_blocks
from simlib.features.degraded import MiddleOfRecording, compute_degraded_descriptor


def middle_of(path, folder, seconds):
    with MiddleOfRecording(folder) as middle:
        passed = np.concatenate([block for block, _ in middle.record(mono_blocks(path))])
        return passed, list(middle.blocks(seconds))


@pytest.mark.parametrize("seconds", [3.0, 30.0, 47.0, 70.0])
@pytest.mark.parametrize("memory", [2**30, 10_000], ids=["in memory", "in a file"])
def test_the_middle_is_the_thirty_seconds_that_an_excerpt_holds(
    tmp_path, monkeypatch, seconds, memory
):
    monkeypatch.setattr("simlib.features.degraded.MEMORY_BYTES", memory)
    path = samples.write(tmp_path / "a.wav", samples.melody(seconds, 0), subtype="FLOAT")
    passed, found = middle_of(path, tmp_path, seconds)
    np.testing.assert_array_equal(passed, decode(path, samples.RATE))
    start = max(0.0, (seconds - 30) / 2)
    expected = list(mono_blocks(path, start=start, end=start + 30))
    assert [(len(block), rate) for block, rate in found] == [(len(b), r) for b, r in expected]
    for (block, _), (other, _) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(block, other)
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"], "the temporary file has no name"


def test_a_degraded_descriptor_is_that_of_a_degraded_excerpt(tmp_path):
    path = samples.write(tmp_path / "a.wav", samples.melody(34.0, 1, 16000), 16000)
    _, blocks = middle_of(path, tmp_path, 34.0)
    sound = decode(path, DESCRIPTOR_RATE, start=2.0, end=32.0)
    for seed in range(3):
        degraded = degrade_randomly(sound, DESCRIPTOR_RATE, np.random.default_rng(seed))
        found = compute_degraded_descriptor(path, blocks, seed)
        np.testing.assert_array_equal(found, compute_descriptor([degraded]))


def test_a_recording_with_a_silent_middle_is_refused(tmp_path):
    sound = np.concatenate([samples.tone(2), np.zeros(31 * samples.RATE), samples.tone(2)])
    path = samples.write(tmp_path / "a.wav", sound)
    _, blocks = middle_of(path, tmp_path, 35.0)
    with pytest.raises(SimlibError, match="a.wav: is silent"):
        compute_degraded_descriptor(path, blocks, 0)
