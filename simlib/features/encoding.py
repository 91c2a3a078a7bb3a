"""Audio for listeners: excerpts without clicks, small enough for a web page."""

import io

import numpy as np
import soundfile as sf


def fade(samples: np.ndarray, sample_rate: int, seconds: float = 0.05) -> np.ndarray:
    """Fade both ends of an excerpt, so that the cut does not click.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n_samples,)
    sample_rate : int
        Hz.
    seconds : float
        Length of each fade.

    Returns
    -------
    numpy.ndarray of float32, shape (n_samples,)
    """
    count = min(int(seconds * sample_rate), len(samples) // 2)
    ramp = np.linspace(0, 1, count, dtype=np.float32)
    samples = samples.copy()
    samples[:count] *= ramp
    samples[len(samples) - count :] *= ramp[::-1]
    return samples


def mp3_bytes(samples: np.ndarray, sample_rate: int) -> bytes:
    """Encode mono samples as MP3, small enough to embed in a page.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n_samples,)
    sample_rate : int
        Hz.

    Returns
    -------
    bytes
    """
    stream = io.BytesIO()
    samples = np.clip(samples, -1.0, 1.0)
    sf.write(stream, samples, sample_rate, format="MP3", subtype="MPEG_LAYER_III",
             compression_level=0.8)  # fmt: skip
    return stream.getvalue()
