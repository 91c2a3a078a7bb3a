"""Audio files, bytes and samples, decoded to recordings that a search can use."""

import dataclasses
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import soundfile as sf

from simlib.core import SimlibError
from simlib.features import RecordingFeatures, compute_features
from simlib.model import Embedder
from simlib.search.queries import Recording

# Limits of samples. An array with more channels has its axes the wrong way round.
MOST_CHANNELS, HIGHEST_RATE = 32, 768_000


def load_recording(
    model: Embedder,
    path: str | os.PathLike,
    start: float = 0.0,
    end: float | None = None,
    variants: Mapping[str, str] | None = None,
) -> Recording:
    """Decode an audio file and compute its features.

    Parameters
    ----------
    model : simlib.model.Embedder
    path : path-like
    start, end : float, optional
        Seconds; the whole recording by default.
    variants : mapping of str to str, optional
        Of the model's backbones; see `FeatureStore.backbones`. By default what is quick here.

    Returns
    -------
    Recording
        Named after the file.

    Raises
    ------
    SimlibError
        If it cannot be decoded, or is too short.
    """
    backbones = {name: (variants or {}).get(name) for name in model.backbones}
    arrays = compute_features(path, model.front_end, backbones=backbones, start=start, end=end)
    return Recording(Path(path).name, None, RecordingFeatures.of(arrays), start)


def load_unnamed(
    source: bytes | tuple[np.ndarray, int], load: Callable[[Path], Recording]
) -> Recording:
    """Decode bytes of an audio file, or samples with their rate.

    Parameters
    ----------
    source : bytes or (numpy.ndarray, int)
        An audio file; or samples, shape (n_samples,) or (n_samples, n_channels), float with full
        scale at 1 or signed integers, and Hz.
    load : callable
        Loads a file; see `load_recording`.

    Returns
    -------
    Recording

    Raises
    ------
    SimlibError
        If it is neither, or cannot be decoded. It names no file that is gone afterwards.
    """
    in_file = isinstance(source, bytes)
    subject = "the uploaded file" if in_file else "the samples"
    with tempfile.TemporaryDirectory(prefix="simlib-") as folder:
        path = Path(folder) / ("query" if in_file else "query.wav")
        try:
            if isinstance(source, bytes):
                path.write_bytes(source)
            else:
                _write(path, *source)
            recording = load(path)
        except SimlibError as error:
            raise SimlibError(subject, error.cause, error.hint) from None
        except (TypeError, ValueError, OverflowError) as error:
            hint = "give an array of shape (n_samples,) or (n_samples, n_channels), and a rate"
            raise SimlibError(subject, f"cannot be used ({error})", hint) from None
    return dataclasses.replace(recording, name="upload" if in_file else "samples")


def _write(path, samples, rate):
    samples = np.asarray(samples)
    if samples.dtype.kind == "i":
        # Integers as a WAV file has them: full scale is the lowest number.
        samples = samples / -float(np.iinfo(samples.dtype).min)
    samples = samples.astype(np.float32)
    if samples.ndim not in (1, 2) or samples.ndim == 2 and samples.shape[1] > MOST_CHANNELS:
        raise ValueError(f"an array of shape {samples.shape}")
    if not 0 < int(rate) <= HIGHEST_RATE:
        raise ValueError(f"a rate of {rate} Hz")
    sf.write(path, samples, int(rate), subtype="FLOAT")
