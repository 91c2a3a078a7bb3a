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
SETTINGS = samples.index_settings().fingerprints


def melody(seed, seconds=16.0):
    """Notes and hits that never come again: float32, shape (n_samples,)."""
    rng = np.random.default_rng(seed)
    notes = []
    while sum(map(len, notes)) < seconds * RATE:
        length = rng.uniform(0.1, 0.4)
        note = samples.tone(length, 110 * 2 ** rng.uniform(0, 4), level=rng.uniform(0.1, 0.4))
        notes.append(note + samples.bursts(length, per_second=1 / length, seed=rng.integers(99)))
    return np.concatenate(notes)[: round(seconds * RATE)]


def fingerprints_of(*recordings):
    found = [fingerprint(compute_log_mel([x], FRONT_END), FRONT_END) for x in recordings]
    return found[0] if len(recordings) == 1 else found


def catalogue_of(recordings):
    rate = fingerprint_rate(FRONT_END)
    return Fingerprints.of_all(fingerprints_of(*recordings), rate, SETTINGS)


@pytest.fixture(scope="module")
def catalogue():
    recordings = [melody(seed) for seed in range(8)]
    return recordings, catalogue_of(recordings)


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
def test_a_degraded_recording_matches_itself_and_no_other(catalogue, change):
    recordings, fingerprints = catalogue
    query = fingerprints_of(change(recordings[3]))
    assert fingerprints.candidates(query)[0] == 3
    match = fingerprints.match(query, 3)
    assert fingerprints.is_near_duplicate(query, 3, match)
    assert match.end - match.start > 0.8 * len(query) / fingerprints.rate
    for other in (0, 1, 2, 4, 5, 6, 7):
        assert fingerprints.match(query, other) is None


@given(where=st.floats(0, 10), at=st.floats(0, 16))
def test_a_hidden_excerpt_is_found_with_its_seconds_in_both_recordings(where, at):
    recordings = [melody(seed) for seed in (1, 2)]
    host = melody(99)
    fingerprints = catalogue_of(recordings)
    hidden = 0.4 * recordings[1][round(where * RATE) : round((where + 6) * RATE)]
    cut = round(at * RATE)
    query = fingerprints_of(np.concatenate([host[:cut], hidden, host[cut:]]))
    assert fingerprints.candidates(query).tolist()[:1] == [1]
    match = fingerprints.match(query, 1)
    assert overlap((match.start, match.end), (at, at + 6)) > 0.7
    assert overlap((match.other_start, match.other_end), (where, where + 6)) > 0.7
    near = fingerprints.is_near_duplicate(query, 1, match)
    assert not near, "six seconds of sixteen are not most"


def test_the_coarse_comparison_is_limited_to_the_given_rows(catalogue):
    recordings, fingerprints = catalogue
    query = fingerprints_of(recordings[5])
    assert fingerprints.candidates(query, np.array([0, 5])).tolist() == [5]
    assert fingerprints.candidates(query, np.array([0, 1])).tolist() == []
    assert fingerprints.candidates(query, np.array([], dtype=int)).tolist() == []


@pytest.mark.parametrize(
    "change",
    [
        {"candidate_correlation": 1.0},
        {"match_correlation": 1.0},
        {"shortest_seconds": 12.0},
        {"extend_loss": 0.001, "extend_correlation": 1.0},
        {"near_duplicate_share": 1.0},
    ],
    ids=lambda change: min(change),
)
def test_a_stricter_setting_rejects_a_noisy_excerpt(catalogue, change):
    recordings, fingerprints = catalogue
    ten_seconds = np.concatenate([recordings[3][: 10 * RATE], melody(99)[: 6 * RATE]])
    query = fingerprints_of(noise(ten_seconds, RATE, np.random.default_rng(0), decibel=20.0))
    strict = catalogue_of(recordings)
    strict.settings = SETTINGS.model_copy(update=change)
    near = [
        one.is_near_duplicate(query, 3, one.matches(query).get(3)) for one in (fingerprints, strict)
    ]
    assert near == [True, False]


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
def test_a_query_that_is_too_short_has_no_match(catalogue, seconds):
    recordings, fingerprints = catalogue
    whole = fingerprints_of(recordings[0])
    query = whole[: round(seconds * fingerprints.rate)]
    assert fingerprints.match(query, 0) is None
    assert fingerprints.candidates(query).tolist() in ([], [0])


def test_silence_has_no_match(catalogue):
    _, fingerprints = catalogue
    query = np.zeros((200, fingerprints.frames.shape[1]), dtype=np.int8)
    assert fingerprints.candidates(query).tolist() == []
    assert fingerprints.match(query, 0) is None


def test_fingerprints_come_back_as_they_were_saved(catalogue, tmp_path):
    _, fingerprints = catalogue
    fingerprints.save(tmp_path)
    loaded = Fingerprints.load(tmp_path, SETTINGS)
    for row in range(8):
        np.testing.assert_array_equal(loaded.of(row), fingerprints.of(row))
    assert loaded.rate == fingerprints.rate
    (tmp_path / "fingerprints.safetensors").write_bytes(b"broken")
    with pytest.raises(ValueError, match="fingerprints"):
        Fingerprints.load(tmp_path, SETTINGS)
