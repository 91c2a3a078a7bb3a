"""Degradations of a recording: codecs, bands, noise, rooms, other pitches and tempi.

Every degradation takes mono samples (float32, shape (n_samples,)), their rate in Hz and a
`numpy.random.Generator`, and returns mono samples (float32) at the same rate. All randomness comes
from the generator. The degrees are fixed in code, so that figures of two revisions compare.
"""

import io
from functools import partial

import librosa
import numpy as np
import scipy.fft
import scipy.signal
import soundfile as sf
import soxr
from numpy.random import Generator

# Hz, and libsndfile's number for 32 kbit/s: 8 to 160 kbit/s are 1 to 0 at this rate.
MP3_RATE, MP3_LEVEL = 22050, (160 - 32) / (160 - 8)
# Hz.
TELEPHONE_RATE, TELEPHONE_BAND = 8000, (300.0, 3400.0)
NOISE_DB = 10.0
# The tilt begins at this frequency, in Hz.
TILT_DB, TILT_FROM = 6.0, 50.0
# The share of the samples that clipping cuts.
CLIPPED = 0.05
EXCERPT_SECONDS = 5.0
# The time in which the reverberation falls by 60 dB.
RT60 = 1.0
SEMITONES = 1
TEMPO = 0.06


def mp3(samples: np.ndarray, rate: int, rng: Generator) -> np.ndarray:
    """Encode as MP3 at 32 kbit/s, and decode."""
    stream = io.BytesIO()
    narrow = np.clip(soxr.resample(samples, rate, MP3_RATE), -1.0, 1.0)
    sf.write(stream, narrow, MP3_RATE, format="MP3", subtype="MPEG_LAYER_III",
             bitrate_mode="CONSTANT", compression_level=MP3_LEVEL)  # fmt: skip
    stream.seek(0)
    return soxr.resample(sf.read(stream, dtype="float32")[0], MP3_RATE, rate)


def telephone(samples: np.ndarray, rate: int, rng: Generator) -> np.ndarray:
    """Send through a telephone: 300 to 3400 Hz, sampled at 8 kHz."""
    narrow = soxr.resample(samples, rate, TELEPHONE_RATE)
    band = scipy.signal.butter(4, TELEPHONE_BAND, "bandpass", fs=TELEPHONE_RATE, output="sos")
    filtered = scipy.signal.sosfilt(band, narrow).astype(np.float32)
    return soxr.resample(filtered, TELEPHONE_RATE, rate)


def noise(
    samples: np.ndarray, rate: int, rng: Generator, *, decibel: float = NOISE_DB
) -> np.ndarray:
    """Add white noise whose power is `decibel` below the recording's."""
    level = np.sqrt(np.mean(samples**2) / 10 ** (decibel / 10))
    return samples + level * rng.standard_normal(len(samples), dtype=np.float32)


def tilt(samples: np.ndarray, rate: int, rng: Generator, *, decibel: float) -> np.ndarray:
    """Raise the highest frequencies over the lowest by `decibel`, linearly in log frequency."""
    size = scipy.fft.next_fast_len(len(samples), real=True)
    frequencies = np.maximum(scipy.fft.rfftfreq(size, 1 / rate), TILT_FROM)
    height = np.log(frequencies / TILT_FROM) / np.log(rate / 2 / TILT_FROM)
    gain = 10 ** (decibel * (height - 0.5) / 20)
    spectrum = scipy.fft.rfft(samples, size) * gain.astype(np.float32)
    return scipy.fft.irfft(spectrum, size)[: len(samples)]


def clip(samples: np.ndarray, rate: int, rng: Generator) -> np.ndarray:
    """Clip the loudest twentieth of the samples."""
    limit = np.quantile(np.abs(samples), 1 - CLIPPED)
    return np.clip(samples, -limit, limit)


def excerpt(samples: np.ndarray, rate: int, rng: Generator) -> np.ndarray:
    """Take five seconds from a random place."""
    length = min(len(samples), round(EXCERPT_SECONDS * rate))
    start = rng.integers(0, len(samples) - length + 1)
    return samples[start : start + length]


def reverberate(
    samples: np.ndarray, rate: int, rng: Generator, *, seconds: float = RT60
) -> np.ndarray:
    """Add the reverberation of a room, as loud as the direct sound; it takes `seconds` to decay."""
    times = np.arange(round(seconds * rate)) / rate
    room = rng.standard_normal(len(times)) * 10 ** (-3 * times / seconds)
    room = (room / np.linalg.norm(room)).astype(np.float32)
    return samples + scipy.signal.oaconvolve(samples, room)[: len(samples)]


def transpose(samples: np.ndarray, rate: int, rng: Generator, *, semitones: float) -> np.ndarray:
    """Transpose by `semitones`, at the same tempo."""
    return librosa.effects.pitch_shift(samples, sr=rate, n_steps=semitones)


def stretch(samples: np.ndarray, rate: int, rng: Generator, *, factor: float) -> np.ndarray:
    """Play `factor` times as fast, at the same pitch."""
    return librosa.effects.time_stretch(samples, rate=factor)


DEGRADATIONS = {
    "mp3 at 32 kbit/s": mp3,
    "telephone": telephone,
    "noise at 10 dB": noise,
    "6 dB brighter": partial(tilt, decibel=TILT_DB),
    "6 dB darker": partial(tilt, decibel=-TILT_DB),
    "clipping": clip,
    "5 s excerpt": excerpt,
    "reverberation": reverberate,
    "a semitone up": partial(transpose, semitones=SEMITONES),
    "a semitone down": partial(transpose, semitones=-SEMITONES),
    "6% faster": partial(stretch, factor=1 + TEMPO),
    "6% slower": partial(stretch, factor=1 - TEMPO),
}
