import numpy as np
import pytest
import samples

from simlib.training import (
    SegmentBatches,
)


def segments_of(count=5, frames=60, **changes):
    """Recordings of one level each, so that a segment tells where it was cut from."""
    log_mels = [np.full((frames, 32), -10.0 * i, dtype=np.float16) for i in range(count)]
    settings = samples.train_settings(augmentation=samples.NO_AUGMENTATION, **changes)
    return SegmentBatches(log_mels, 16, settings)


@pytest.mark.parametrize(("batch", "size"), [(4, 4), (8, 8), (64, 10)])
def test_batches_are_pairs_of_segments_of_the_recordings_they_name(batch, size):
    segments = segments_of(batch_size=batch)
    seen = []
    for audio, rows in segments.epoch(0):
        assert audio.shape == (size, 16, 32)
        assert audio.dtype == np.float32
        counts = np.unique(rows, return_counts=True)[1]
        assert (counts == 2).all()
        for segment, row in zip(audio, rows, strict=True):
            assert (segment == -10.0 * row).all()
        seen.append(rows)
    assert len(seen) == len(segments)


def test_every_recording_is_drawn_about_equally_often():
    segments = segments_of(segments_per_track=100)
    drawn = np.concatenate([rows for _, rows in segments.epoch(0)])
    assert len(drawn) == 500 // 8 * 8
    counts = np.bincount(drawn, minlength=5)
    assert counts.min() > 80
    assert counts.max() < 120


def test_an_epoch_draws_the_same_whatever_came_before():
    fresh, used = segments_of(), segments_of()
    for number in (0, 3, 1):
        list(used.epoch(number))
    for (a, rows_a), (b, rows_b) in zip(fresh.epoch(2), used.epoch(2), strict=True):
        np.testing.assert_array_equal(rows_a, rows_b)
        np.testing.assert_array_equal(a, b)
    first, second = (np.concatenate([rows for _, rows in fresh.epoch(n)]) for n in (2, 3))
    assert (first != second).any(), "every epoch draws the same"


def test_segments_are_cut_from_all_over_a_recording():
    ramp = np.repeat(np.arange(60, dtype=np.float16)[:, None], 32, axis=1)
    settings = samples.train_settings(augmentation=samples.NO_AUGMENTATION, segments_per_track=100)
    segments = SegmentBatches([ramp, ramp], 16, settings)
    starts = {segment[0, 0] for audio, _ in segments.epoch(0) for segment in audio}
    assert min(starts) == 0
    assert max(starts) == 44
    assert len(starts) > 30


def test_recordings_shorter_than_a_segment_are_repeated():
    audio, _ = next(segments_of(frames=5).epoch(0))
    assert audio.shape[1:] == (16, 32)
    assert np.isfinite(audio).all()
