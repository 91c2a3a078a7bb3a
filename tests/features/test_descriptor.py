import librosa
import numpy as np
import pytest
import samples

from simlib.features import DESCRIPTOR_GROUPS, DESCRIPTOR_RATE, compute_descriptor


def describe(sound, sizes=None):
    return compute_descriptor(samples.in_blocks(sound, sizes) if sizes else [sound])


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
def test_the_descriptors_chroma_has_the_pitch(pitch, name):
    sound = samples.tone(2, librosa.note_to_hz(pitch), DRATE)
    assert np.argmax(describe(sound)[0, CHROMA : CHROMA + 12]) == name


def test_the_descriptors_tempo_bands_have_the_tempo():
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
