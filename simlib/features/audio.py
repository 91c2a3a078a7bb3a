"""Audio files as mono float32 at one rate: checked, and in blocks, so that any length fits."""

from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path

import numpy as np
import soxr

from simlib.core import SimlibError
from simlib.features.readers import native_blocks, packet_seconds

# From this level on, in times full scale, samples are no sound: their power overflows.
LOUDEST = 1e9
# For what is no recording of the catalogue; `extract.silence_dbfs` is for those.
SILENCE_DBFS = -80.0


def mono_blocks(
    path: str | PathLike,
    *,
    start: float = 0.0,
    end: float | None = None,
    silence_dbfs: float = SILENCE_DBFS,
) -> Iterator[tuple[np.ndarray, int]]:
    """Decode a recording block by block: mono, at its own rate.

    Parameters
    ----------
    path : path-like
    start, end : float, optional
        Seconds to begin and to end at; the whole recording by default.
    silence_dbfs : float
        A recording is silent if its highest sample is below this level, in dB of full scale.

    Yields
    ------
    samples : numpy.ndarray of float32, shape (n_samples,)
        About ten seconds.
    rate : int
        Hz.

    Raises
    ------
    SimlibError
        If the file is no audio, truncated, silent, or holds samples that are not numbers.
    """
    path = Path(path)
    peak, total = 0.0, 0
    for block, rate in native_blocks(path, start, end):
        if not np.isfinite(block).all():
            raise SimlibError(path, "holds samples that are not numbers", "export it once more")
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
        if peak > LOUDEST:
            cause = f"holds samples of {peak:.2g} times full scale"
            raise SimlibError(path, cause, "export it once more")
        total += len(block)
        yield block, rate
    if not total and start:
        raise SimlibError(path, f"ends before {start:g} s", "choose earlier seconds of it")
    if not total:
        raise SimlibError(path, "holds no samples", "replace it by a whole copy")
    require_sound(path, peak, silence_dbfs)


def require_sound(path: str | PathLike, peak: float, silence_dbfs: float) -> None:
    """Raise SimlibError if a recording's highest absolute sample is below a level in dBFS."""
    if peak < 10 ** (silence_dbfs / 20):
        cause = f"is silent (below {silence_dbfs:g} dBFS throughout)"
        raise SimlibError(path, cause, "replace or remove it")


def resampled(blocks: Iterable[tuple[np.ndarray, int]], sample_rate: int) -> Iterator[np.ndarray]:
    """Resample the blocks of a recording with soxr, high quality.

    Parameters
    ----------
    blocks : iterable of (numpy.ndarray of float32, int)
        Mono samples and their rate in Hz, which stays the same.
    sample_rate : int
        Hz of the samples that come out.

    Yields
    ------
    numpy.ndarray of float32, shape (n_samples,)
    """
    resampler = None
    for samples, rate in blocks:
        if rate == sample_rate:
            yield samples
            continue
        if resampler is None:
            resampler = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32")
        yield resampler.resample_chunk(samples)
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


def decode_blocks(
    path: str | PathLike, sample_rate: int, *, start: float = 0.0, end: float | None = None
) -> Iterator[np.ndarray]:
    """Decode a recording block by block: mono, at a given rate.

    Parameters and errors are those of `mono_blocks`; `sample_rate` is in Hz.

    Yields
    ------
    numpy.ndarray of float32, shape (n_samples,)
        About ten seconds each; together the recording.
    """
    yield from resampled(mono_blocks(path, start=start, end=end), sample_rate)


def decode(
    path: str | PathLike, sample_rate: int, *, start: float = 0.0, end: float | None = None
) -> np.ndarray:
    """Decode a recording, or seconds `start` to `end` of it, into one array.

    Parameters and errors are those of `decode_blocks`.

    Returns
    -------
    numpy.ndarray of float32, shape (n_samples,)
    """
    return np.concatenate(list(decode_blocks(path, sample_rate, start=start, end=end)))


def duration(path: str | PathLike) -> float:
    """Return the length of a recording in seconds, which its packets add up to.

    Raises
    ------
    SimlibError
        If it is no audio.
    """
    return packet_seconds(Path(path))
