"""Log-mel spectrograms, the hand-picked baseline descriptor, and the store that keeps both.

Everything is computed over a stream of blocks, so that memory does not grow with a recording's
length; the log-mel frames are those of the whole signal all the same.
"""

from itertools import chain

import librosa
import numpy as np
import scipy.fft

from simlib.core import SimlibError, written_aside
from simlib.features.audio import decode_blocks

FLOOR_DB = -100.0


def power_frames(blocks, n_fft, hop_length):
    """Short-time power spectra of a stream of samples.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray of float32, shape (n_samples,)
    n_fft, hop_length : int
        Samples.

    Yields
    ------
    numpy.ndarray of float32, shape (n_frames, 1 + n_fft // 2)
        Together the frames of `librosa.stft(y, center=True)`, zero-padded, squared.
    """
    window = librosa.filters.get_window("hann", n_fft).astype(np.float32)
    pad = np.zeros(n_fft // 2, dtype=np.float32)
    held = np.zeros(0, dtype=np.float32)
    for block in chain([pad], blocks, [pad]):
        held = np.concatenate([held, block])
        if len(held) < n_fft:
            continue
        # Frames as rows: a third quicker than librosa's columns, and training reads rows.
        frames = np.lib.stride_tricks.sliding_window_view(held, n_fft)[::hop_length]
        spectra = scipy.fft.rfft(frames * window, axis=1)
        yield spectra.real**2 + spectra.imag**2
        held = held[len(frames) * hop_length :]


def compute_log_mel(blocks, settings):
    """Log-mel frames of a stream of samples.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray of float32
        Mono samples at `settings.sample_rate`.
    settings : simlib.features.ExtractSettings

    Yields
    ------
    numpy.ndarray of float16, shape (n_frames, n_mels)
        dB of mel power (Slaney's filters, as in librosa), never below -100.
    """
    filters = librosa.filters.mel(
        sr=settings.sample_rate,
        n_fft=settings.n_fft,
        n_mels=settings.n_mels,
        fmin=settings.f_min,
        fmax=settings.f_max,
    )
    for power in power_frames(blocks, settings.n_fft, settings.hop_length):
        mel = power @ filters.T
        yield (10.0 * np.log10(np.maximum(mel, 10 ** (FLOOR_DB / 10)))).astype(np.float16)


def store_log_mel(source, target, settings):
    """Decode a recording and store its log-mel spectrogram, block by block.

    Parameters
    ----------
    source : path-like
        An audio file.
    target : path-like
        The `.npy` file to write: float16, shape (n_frames, n_mels).
    settings : simlib.features.ExtractSettings

    Raises
    ------
    SimlibError
        If the recording cannot be used.
    """
    frames = 0

    def header(stream):
        stream.seek(0)
        # NumPy leaves room in the header for the first axis to grow.
        np.lib.format.write_array_header_1_0(
            stream,
            {"descr": "<f2", "fortran_order": False, "shape": (frames, settings.n_mels)},
        )

    with written_aside(target) as aside, open(aside, "wb") as stream:
        header(stream)
        for part in compute_log_mel(decode_blocks(source, settings.sample_rate), settings):
            stream.write(np.ascontiguousarray(part).tobytes())
            frames += len(part)
        header(stream)
        seconds = frames / settings.frame_rate
        if seconds < settings.min_seconds:
            cause = f"is {seconds:.2f} s long, shorter than {settings.min_seconds:g} s"
            raise SimlibError(source, cause, "use a longer excerpt, or lower extract.min_seconds")
