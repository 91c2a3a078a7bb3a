import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st

from simlib.features import compute_log_mel, noise
from simlib.training import (
    SILENCE_DB,
    AugmentSettings,
    DegradeSettings,
    augment,
    cut_frames,
    degrade_spectrogram,
)
from simlib.training.augmentation import _narrow, _noisy, _reverberant

BANDS, FRAMES = 12, 20
DEGRADE = DegradeSettings.of(samples.DEGRADE)


def of(**changes):
    return AugmentSettings.of(samples.NO_AUGMENTATION | changes)


def batch_of(count, settings, seed=0):
    shape = (count, cut_frames(FRAMES, settings), BANDS)
    return np.random.default_rng(seed).uniform(-60, 0, shape).astype(np.float32)


def augmented(settings, count=4, seed=0):
    batch = batch_of(count, settings)
    return batch, augment(batch, FRAMES, settings, np.random.default_rng(seed))


@given(
    st.builds(
        of,
        gain_db=st.floats(0, 80),
        tilt_db=st.floats(0, 80),
        pitch_bands=st.integers(0, BANDS - 1),
        stretch=st.floats(0, 0.99),
        time_mask=st.floats(0, 0.99),
        band_mask=st.floats(0, 0.99),
        mix_probability=st.floats(0, 1),
        degrade_probability=st.floats(0, 1),
    ),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
)
def test_whatever_the_settings_segments_keep_shape_and_range(settings, count, seed):
    batch = batch_of(count, settings)
    before = batch.copy()
    out = augment(batch, FRAMES, settings, np.random.default_rng(seed))
    assert out.shape == (count, FRAMES, BANDS)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert out.min() >= SILENCE_DB - 1e-3
    np.testing.assert_array_equal(batch, before, "the input was changed")


def test_with_everything_off_nothing_changes():
    batch, out = augmented(of())
    np.testing.assert_array_equal(out, batch)


def test_one_seed_draws_the_same_and_another_does_not():
    settings = AugmentSettings.of(samples.AUGMENTATION)
    first, again, other = (augmented(settings, seed=seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_gain_moves_a_whole_segment_by_one_level():
    batch, out = augmented(of(gain_db=6.0))
    change = out - batch
    levels = change.mean(axis=(1, 2))
    np.testing.assert_allclose(change, np.broadcast_to(levels[:, None, None], out.shape), atol=1e-4)
    assert (np.abs(levels) <= 6).all()
    assert np.abs(levels).max() > 0.5
    assert len(set(levels.round(3))) == len(levels), "every segment its own level"


def test_tilt_is_linear_over_the_bands_and_bounded():
    batch, out = augmented(of(tilt_db=10.0))
    change = (out - batch)[:, 0]
    slopes = change[:, -1] - change[:, 0]
    expected = slopes[:, None] * np.linspace(-0.5, 0.5, BANDS)
    np.testing.assert_allclose(change, expected, atol=1e-4)
    assert 0.5 < np.abs(slopes).max() <= 10


def test_a_pitch_shift_moves_bands_and_repeats_the_edge():
    batch, out = augmented(of(pitch_bands=3), count=30)
    seen = set()
    for before, after in zip(batch, out, strict=True):
        fits = []
        for shift in range(-3, 4):
            source = np.clip(np.arange(BANDS) - shift, 0, BANDS - 1)
            fits += [shift] * np.array_equal(after, before[:, source])
        assert len(fits) == 1
        seen.update(fits)
    assert seen == set(range(-3, 4)), "both directions, the ends included"


def test_a_stretch_plays_the_segment_at_another_tempo():
    settings = of(stretch=0.5)
    ramp = np.arange(cut_frames(FRAMES, settings), dtype=np.float32)
    batch = np.broadcast_to(ramp[None, :, None], (20, len(ramp), BANDS))
    out = augment(batch, FRAMES, settings, np.random.default_rng(0))
    tempi = out[:, 1, 0] - out[:, 0, 0]
    for segment, tempo in zip(out, tempi, strict=True):
        np.testing.assert_allclose(segment[:, 0], np.arange(FRAMES) * tempo, atol=1e-3)
    assert 0.5 <= tempi.min() < 0.9
    assert 1.1 < tempi.max() <= 1.5


@pytest.mark.parametrize("axis", ["time_mask", "band_mask"])
def test_a_mask_hides_one_run_behind_the_mean(axis):
    batch, out = augmented(of(**{axis: 0.5}), count=20)
    along = 1 if axis == "band_mask" else 0
    widths = []
    for before, after in zip(batch, out, strict=True):
        hidden = (before != after).any(axis=1 - along)
        where = np.flatnonzero(hidden)
        widths.append(len(where))
        if len(where):
            assert where[-1] - where[0] + 1 == len(where), "more than one run"
            np.testing.assert_allclose(np.compress(hidden, after, axis=along), before.mean(), 1e-4)
    assert 0 < max(widths) <= 0.5 * batch.shape[1 + along]


def test_mixing_adds_the_power_of_a_quieter_segment():
    settings = of(mix_probability=1.0)
    batch, out = augmented(settings, count=6)
    assert (out >= batch - 1e-3).all(), "adding sound makes nothing quieter"
    assert (out > batch + 1e-3).any()
    power = 10 ** (out / 10) - 10 ** (batch / 10)
    for i, rest in enumerate(power):
        under = 10 * np.log10(np.maximum(rest, 1e-12))
        loud = rest > 1e-3 * 10 ** (batch[i] / 10)
        # What was laid under is another segment (or itself), moved by one level.
        spreads = [np.ptp((under - other)[loud]) for other in batch]
        source = int(np.argmin(spreads))
        assert spreads[source] < 0.1
        below = batch[i].mean() - (batch[source] + (under - batch[source])[loud].mean()).mean()
        assert 6 - 0.1 <= below <= 20 + 0.1


def test_without_mixing_segments_do_not_depend_on_each_other():
    settings = AugmentSettings.of(samples.AUGMENTATION | {"mix_probability": 0.0})
    batch = batch_of(2, settings)
    other = batch.copy()
    other[1] = -30.0
    a, b = (augment(x, FRAMES, settings, np.random.default_rng(5))[0] for x in (batch, other))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_one_level_in_all_bands(seed):
    quiet = np.full((400, BANDS), -90.0, dtype=np.float32)
    quiet[:, 2] = -10.0
    degraded = _noisy(quiet, DEGRADE, np.random.default_rng(seed))
    assert (degraded >= quiet - 1e-3).all()
    floors = np.delete(10 * np.log10((10 ** (degraded / 10)).mean(axis=0)), 2)
    assert np.ptp(floors) < 1.0
    below = 10 * np.log10((10 ** (quiet / 10)).mean()) - floors.mean()
    assert -0.5 < below < 25.5


def test_a_narrow_channel_takes_the_outer_bands():
    full = batch_of(1, of())[0] + 60
    widths = set()
    for seed in range(20):
        degraded = _narrow(full, DEGRADE, np.random.default_rng(seed))
        kept = np.flatnonzero((degraded == full).all(axis=0))
        assert (np.diff(kept) == 1).all()
        assert (degraded <= full).all()
        lost = np.delete(np.arange(BANDS), kept)
        assert (full[:, lost] - degraded[:, lost] >= 30 - 1e-3).all()
        widths.add(len(kept))
    assert len(widths) > 2


def test_a_room_rings_on_after_each_frame():
    blow = np.full((120, BANDS), SILENCE_DB, dtype=np.float32)
    blow[10] = 0.0
    degraded = _reverberant(blow, DEGRADE, np.random.default_rng(0))
    assert (degraded[:10] < SILENCE_DB + 4).all(), "nothing rings before it sounded"
    fall = np.diff(degraded[11:20], axis=0)
    np.testing.assert_allclose(fall, fall[0, 0], atol=1e-2)
    assert 15 <= -60 / fall[0, 0] <= 70


def test_white_noise_is_level_over_the_bands():
    """As `_noisy` assumes."""
    rate, front_end = samples.RATE, samples.front_end()
    sound = samples.chord(4.0, rate=rate)
    noisy = noise(sound, rate, np.random.default_rng(0), decibel=10) - sound
    mel = compute_log_mel([noisy], front_end).astype(np.float32)
    assert np.ptp(10 * np.log10((10 ** (mel / 10)).mean(axis=0))) < 2.0


def test_degradation_is_each_of_the_three_and_changes_no_input():
    log_mel = batch_of(1, of())[0]
    before = log_mel.copy()
    degraded = [
        degrade_spectrogram(log_mel, DEGRADE, np.random.default_rng(seed)) for seed in range(12)
    ]
    np.testing.assert_array_equal(log_mel, before)
    assert all(one.dtype == np.float32 and (one != log_mel).any() for one in degraded)
    quieter, louder = (
        [(one < log_mel).any() for one in degraded],
        [(one > log_mel).any() for one in degraded],
    )
    assert any(quieter) and any(louder)
