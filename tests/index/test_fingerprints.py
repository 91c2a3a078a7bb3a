import numpy as np
import pytest
import samples
import soxr
from hypothesis import given
from hypothesis import strategies as st
from samples import RATE

from simlib.features import compute_log_mel, noise
from simlib.index import Fingerprints, fingerprint, fingerprint_rate
from simlib.index.fingerprints import _windows

FRONT_END = samples.front_end()


def melody(seed, seconds=16.0):
    """Notes and hits that never come again: float32, shape (n_samples,)."""
    rng = np.random.default_rng(seed)
    notes = []
    while sum(map(len, notes)) < seconds * RATE:
        length = rng.uniform(0.1, 0.4)
        note = samples.tone(length, 110 * 2 ** rng.uniform(0, 4), level=rng.uniform(0.1, 0.4))
        notes.append(note + samples.bursts(length, per_second=1 / length, seed=rng.integers(99)))
    return np.concatenate(notes)[: round(seconds * RATE)]


def prints_of(*recordings):
    found = [fingerprint(compute_log_mel([x], FRONT_END), FRONT_END) for x in recordings]
    return found[0] if len(recordings) == 1 else found


@pytest.fixture(scope="module")
def catalogue():
    recordings = [melody(seed) for seed in range(8)]
    return recordings, Fingerprints.of_all(prints_of(*recordings), fingerprint_rate(FRONT_END))


def overlap(one, other):
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return max(shared, 0) / (max(one[1], other[1]) - min(one[0], other[0]))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x,
        lambda x: x * 0.1,
        lambda x: x[round(1.3 * RATE) : -round(2.1 * RATE)],
        lambda x: soxr.resample(x, RATE, round(RATE / 1.02)),
        lambda x: soxr.resample(x, RATE, round(RATE / 0.98)),
        lambda x: noise(x, RATE, np.random.default_rng(0), decibel=20.0),
    ],
    ids=["same", "level", "trim", "faster", "slower", "noise"],
)
def test_a_recording_is_known_again_and_no_other_is(catalogue, change):
    recordings, fingerprints = catalogue
    query = prints_of(change(recordings[3]))
    assert fingerprints.promising(query)[0] == 3
    copy = fingerprints.copy(query, 3)
    assert fingerprints.is_near_duplicate(query, 3, copy)
    assert copy.end - copy.start > 0.8 * len(query) / fingerprints.rate
    for other in (0, 1, 2, 4, 5, 6, 7):
        assert fingerprints.copy(query, other) is None


@given(where=st.floats(0, 10), at=st.floats(0, 16))
def test_a_hidden_passage_is_found_with_its_seconds_on_both_sides(where, at):
    recordings = [melody(seed) for seed in (1, 2)]
    host = melody(99)
    fingerprints = Fingerprints.of_all(prints_of(*recordings), fingerprint_rate(FRONT_END))
    hidden = 0.4 * recordings[1][round(where * RATE) : round((where + 6) * RATE)]
    cut = round(at * RATE)
    query = prints_of(np.concatenate([host[:cut], hidden, host[cut:]]))
    assert fingerprints.promising(query).tolist()[:1] == [1]
    copy = fingerprints.copy(query, 1)
    assert overlap((copy.start, copy.end), (at, at + 6)) > 0.7
    assert overlap((copy.other_start, copy.other_end), (where, where + 6)) > 0.7
    assert not fingerprints.is_near_duplicate(query, 1, copy), "six seconds of sixteen are not most"


def test_the_first_look_is_kept_to_the_rows_asked_for(catalogue):
    recordings, fingerprints = catalogue
    query = prints_of(recordings[5])
    assert fingerprints.promising(query, np.array([0, 5])).tolist() == [5]
    assert fingerprints.promising(query, np.array([0, 1])).tolist() == []
    assert fingerprints.promising(query, np.array([], dtype=int)).tolist() == []


def test_cross_correlation_of_windows_by_a_naive_twin():
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((23, 5)), rng.standard_normal((31, 5))
    found = _windows(one.astype(np.float32), other.astype(np.float32), 8, 4)
    assert found.shape == (4, 24)
    for row, first in enumerate((0, 4, 8, 12)):
        for second in range(24):
            a, b = one[first : first + 8].ravel(), other[second : second + 8].ravel()
            expected = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
            assert found[row, second] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 1.0, 2.5])
def test_what_is_too_short_is_no_copy(catalogue, seconds):
    recordings, fingerprints = catalogue
    whole = prints_of(recordings[0])
    query = whole[: round(seconds * fingerprints.rate)]
    assert fingerprints.copy(query, 0) is None
    assert fingerprints.promising(query).tolist() in ([], [0])


def test_silence_is_like_nothing(catalogue):
    _, fingerprints = catalogue
    query = np.zeros((200, fingerprints.frames.shape[1]), dtype=np.int8)
    assert fingerprints.promising(query).tolist() == []
    assert fingerprints.copy(query, 0) is None


def test_prints_come_back_as_they_were_saved(catalogue, tmp_path):
    _, fingerprints = catalogue
    fingerprints.save(tmp_path)
    loaded = Fingerprints.load(tmp_path)
    for row in range(8):
        np.testing.assert_array_equal(loaded.of(row), fingerprints.of(row))
    assert loaded.rate == fingerprints.rate
    (tmp_path / "prints.safetensors").write_bytes(b"broken")
    with pytest.raises(ValueError, match="prints"):
        Fingerprints.load(tmp_path)
