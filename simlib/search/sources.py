"""What one searches with: a track of the catalogue, a file, bytes, samples, or seconds of them."""

import math
import tempfile
from contextlib import contextmanager
from numbers import Real
from pathlib import Path

import numpy as np
import soundfile as sf

from simlib.core import SimlibError

# What samples may come with; of more channels, the axes are the wrong way round.
MOST_CHANNELS, HIGHEST_RATE = 32, 768_000


@contextmanager
def as_file(source):
    """Give bytes of an audio file, or samples with their rate, a path while they are decoded.

    Parameters
    ----------
    source : bytes or (numpy.ndarray, int)
        An audio file; or samples, shape (n_samples,) or (n_samples, n_channels), float with full
        scale at 1 or signed integers, and Hz.

    Yields
    ------
    pathlib.Path

    Raises
    ------
    SimlibError
        If it is neither; those of decoding name no file that is gone afterwards.
    """
    name = "the uploaded file" if isinstance(source, bytes) else "the samples"
    with tempfile.TemporaryDirectory(prefix="simlib-") as folder:
        path = Path(folder) / "reference"
        try:
            if isinstance(source, bytes):
                path.write_bytes(source)
            else:
                path = path.with_suffix(".wav")
                _write(path, *source)
            yield path
        except SimlibError as error:
            raise SimlibError(name, error.cause, error.hint) from None
        except (TypeError, ValueError, OverflowError) as error:
            hint = "give an array of shape (n_samples,) or (n_samples, n_channels), and a rate"
            raise SimlibError(name, f"cannot be used ({error})", hint) from None


def _write(path, samples, rate):
    samples = np.asarray(samples)
    if samples.dtype.kind == "i":
        # As they come from a WAV file: full scale is the lowest number.
        samples = samples / -float(np.iinfo(samples.dtype).min)
    samples = samples.astype(np.float32)
    if samples.ndim not in (1, 2) or samples.ndim == 2 and samples.shape[1] > MOST_CHANNELS:
        raise ValueError(f"an array of shape {samples.shape}")
    if not 0 < int(rate) <= HIGHEST_RATE:
        raise ValueError(f"a rate of {rate} Hz")
    sf.write(path, samples, int(rate), subtype="FLOAT")


def check_seconds(start, end):
    start, end = start or 0.0, math.inf if end is None else end
    numbers = isinstance(start, Real) and isinstance(end, Real)
    # Not the other way round: nothing is true of NaN.
    if not (numbers and 0 <= start < end and start < math.inf):
        cause = f"are no stretch of time ({start} to {end})"
        raise SimlibError("seconds", cause, "let it end after it starts")
