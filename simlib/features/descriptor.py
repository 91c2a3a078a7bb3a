"""The descriptor: hand-crafted features of a recording, a row for about each five seconds."""

from collections.abc import Iterable
from functools import cache

import librosa
import numpy as np

from simlib.features.spectrogram import Frames, feed, mel_filters

# The descriptor does not follow the settings of the front end: a change of these must not move the
# baseline. The pretrained weights fix all constants here, since they are the input of a branch.
DESCRIPTOR_RATE, DESCRIPTOR_FFT, DESCRIPTOR_HOP = 22050, 2048, 512
DESCRIPTOR_BLOCK_SECONDS = 5.0
# Mean and deviation of: MFCC, spectral contrast, chroma, tempo bands.
DESCRIPTOR_GROUPS = (2 * 20, 2 * 7, 2 * 12, 2 * 12)
MEL_BANDS = 128
TEMPO_WINDOW_SECONDS, SLOWEST_BPM, FASTEST_BPM = 4.0, 40, 320


class Descriptor:
    """The descriptor of a recording, computed as its power spectra arrive."""

    frames = Frames(DESCRIPTOR_RATE, DESCRIPTOR_FFT, DESCRIPTOR_HOP)

    def __init__(self):
        self._rows, self._held = [], None

    def add(self, power: np.ndarray) -> None:
        """Add the next power spectra: float32, shape (n_frames, 1 + n_fft // 2)."""
        length = round(DESCRIPTOR_BLOCK_SECONDS * DESCRIPTOR_RATE / DESCRIPTOR_HOP)
        held = power if self._held is None else np.concatenate([self._held, power])
        # A rest shorter than half a block joins the block before it.
        while len(held) >= 1.5 * length:
            self._rows.append(_describe(held[:length].T))
            held = held[length:]
        self._held = held

    def array(self) -> np.ndarray:
        """Return the rows, once all spectra were added: float32, shape (n_blocks, 102)."""
        return np.stack([*self._rows, _describe(self._held.T)])


def compute_descriptor(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """Compute hand-crafted features of a stream of samples.

    20 MFCC, 7 bands of spectral contrast, 12 chroma and 12 tempo bands of the tempogram, each as
    mean and standard deviation over time: what systems before learned features compared
    (Tzanetakis and Cook 2002; Grosche, Mueller and Kurth 2010 for the tempogram).

    Parameters
    ----------
    blocks : iterable of numpy.ndarray of float32
        Mono samples at `DESCRIPTOR_RATE`.

    Returns
    -------
    numpy.ndarray of float32, shape (n_blocks, 102)
    """
    descriptor = Descriptor()
    feed(((block, DESCRIPTOR_RATE) for block in blocks), descriptor)
    return descriptor.array()


def _describe(power):
    rate, hop = DESCRIPTOR_RATE, DESCRIPTOR_HOP
    # librosa would design the same filters again for every five seconds.
    mels = mel_filters(rate, DESCRIPTOR_FFT, MEL_BANDS, 0.0, rate / 2)
    mel = librosa.power_to_db(np.einsum("ft,mf->mt", power, mels, optimize=True))
    chroma = np.einsum("cf,ft->ct", _chroma_filters(), power, optimize=True)
    onsets = librosa.onset.onset_strength(S=mel, sr=rate, hop_length=hop)
    features = [
        librosa.feature.mfcc(S=mel, n_mfcc=20),
        librosa.feature.spectral_contrast(S=np.sqrt(power), sr=rate),
        librosa.util.normalize(chroma, norm=np.inf, axis=0),
        _tempo_bands(onsets, rate, hop),
    ]
    stacked = [f(feature, axis=1) for feature in features for f in (np.mean, np.std)]
    return np.concatenate(stacked).astype(np.float32)


@cache
def _chroma_filters():
    return librosa.filters.chroma(sr=DESCRIPTOR_RATE, n_fft=DESCRIPTOR_FFT, tuning=0.0)


def _tempo_bands(onsets, rate, hop):
    """Fold a tempogram's lags into 12 bands, equal in log tempo, from 40 to 320 bpm."""
    window = min(len(onsets), round(TEMPO_WINDOW_SECONDS * rate / hop))
    tempogram = librosa.feature.tempogram(onset_envelope=onsets, win_length=max(window, 2))
    tempi = librosa.tempo_frequencies(len(tempogram), sr=rate, hop_length=hop)
    edges = np.geomspace(SLOWEST_BPM, FASTEST_BPM, 13)
    bands = np.zeros((12, tempogram.shape[1]))
    for band, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        inside = (tempi >= low) & (tempi < high)
        if inside.any():
            bands[band] = tempogram[inside].max(axis=0)
    return bands
