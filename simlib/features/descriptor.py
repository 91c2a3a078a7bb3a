"""Log-mel spectrograms, the hand-picked baseline descriptor, and the store that keeps both.

Everything is computed over a stream of blocks, so that memory does not grow with a recording's
length; the log-mel frames are those of the whole signal all the same.
"""

import librosa
import numpy as np

from simlib.features.audio import decode
from simlib.features.degrade import degrade_randomly
from simlib.features.spectrogram import power_frames

# The descriptor has settings of its own: a change of the network's front-end must not move the
# baseline that it is compared with.
DESCRIPTOR_RATE, DESCRIPTOR_FFT, DESCRIPTOR_HOP = 22050, 2048, 512
DESCRIPTOR_BLOCK_SECONDS = 5.0
# Mean and deviation of: MFCC, spectral contrast, chroma, tempo bands.
DESCRIPTOR_GROUPS = (2 * 20, 2 * 7, 2 * 12, 2 * 12)
# Of a longer recording, so much of its middle is worn.
DEGRADED_SECONDS = 30.0


def compute_descriptor(blocks):
    """The traditional description by hand-picked features, a row for about each five seconds.

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
    length = round(DESCRIPTOR_BLOCK_SECONDS * DESCRIPTOR_RATE / DESCRIPTOR_HOP)
    rows, held = [], None
    for power in power_frames(blocks, DESCRIPTOR_FFT, DESCRIPTOR_HOP):
        held = power if held is None else np.concatenate([held, power])
        # A rest shorter than half a block joins the block before it.
        while len(held) >= 1.5 * length:
            rows.append(_describe(held[:length].T))
            held = held[length:]
    rows.append(_describe(held.T))
    return np.stack(rows)


def _describe(power):
    rate, hop = DESCRIPTOR_RATE, DESCRIPTOR_HOP
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=rate))
    onsets = librosa.onset.onset_strength(S=mel, sr=rate, hop_length=hop)
    parts = [
        librosa.feature.mfcc(S=mel, n_mfcc=20),
        librosa.feature.spectral_contrast(S=np.sqrt(power), sr=rate),
        librosa.feature.chroma_stft(S=power, sr=rate, tuning=0.0),
        _tempo_bands(onsets, rate, hop),
    ]
    stacked = [f(part, axis=1) for part in parts for f in (np.mean, np.std)]
    return np.concatenate(stacked).astype(np.float32)


def _tempo_bands(onsets, rate, hop):
    """Fold a tempogram's lags into 12 bands, equal in log tempo, from 40 to 320 bpm."""
    window = min(len(onsets), round(4.0 * rate / hop))
    tempogram = librosa.feature.tempogram(onset_envelope=onsets, win_length=max(window, 2))
    tempi = librosa.tempo_frequencies(len(tempogram), sr=rate, hop_length=hop)
    edges = np.geomspace(40, 320, 13)
    bands = np.zeros((12, tempogram.shape[1]))
    for band, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        inside = (tempi >= low) & (tempi < high)
        if inside.any():
            bands[band] = tempogram[inside].max(axis=0)
    return bands


def compute_degraded_descriptor(path, seconds, seed):
    """Describe a recording as it would be over a telephone, in noise or in a room.

    Training learns from it what does not count: the hand-picked features of a degraded copy cannot
    be made from those of the original.

    Parameters
    ----------
    path : path-like
    seconds : float
        Its length.
    seed : int
        Which of the three, and how much.

    Returns
    -------
    numpy.ndarray of float32, shape (n_blocks, 102)
        See `compute_descriptor`; of at most 30 s from the middle.
    """
    start = max(0.0, (seconds - DEGRADED_SECONDS) / 2)
    samples = decode(path, DESCRIPTOR_RATE, start=start, end=start + DEGRADED_SECONDS)
    degraded = degrade_randomly(samples, DESCRIPTOR_RATE, np.random.default_rng(seed))
    return compute_descriptor([degraded])
