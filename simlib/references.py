"""What one searches with: a track of the catalogue, a file, bytes, samples, or seconds of them."""

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

from simlib import audio, copies, features
from simlib.artefacts import SimlibError


@dataclass(frozen=True)
class Reference:
    """A recording, or a passage of one, as the encoder hears it.

    Attributes
    ----------
    name : str
        To be shown.
    row : int or None
        Of the index, if it is a track of the catalogue.
    start, end : float
        Seconds of the recording that are meant.
    vector : numpy.ndarray of float32, shape (dimensions,)
        Of unit length.
    segments : numpy.ndarray of float32, shape (n_segments, embedding)
        Of unit length.
    starts : numpy.ndarray of float, shape (n_segments,)
        Seconds from the beginning of the recording.
    print : numpy.ndarray of int8, shape (n_frames, n_bands)
        From `simlib.copies.print_of`.
    """

    name: str
    row: int | None
    start: float
    end: float
    vector: np.ndarray
    segments: np.ndarray
    starts: np.ndarray
    print: np.ndarray


def heard(model, path, start=0.0, end=None):
    """Make of an audio file what the model looks at.

    Parameters
    ----------
    model : simlib.model.Model
    path : path-like
    start, end : float, optional
        Seconds; the whole recording by default.

    Returns
    -------
    log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
    descriptor : numpy.ndarray of float32, shape (n_blocks, 102)

    Raises
    ------
    SimlibError
        If it cannot be decoded, or is too short.
    """
    front_end = model.front_end
    blocks = audio.blocks(path, front_end.sample_rate, start=start, end=end)
    log_mel = np.concatenate(list(features.log_mel(blocks, front_end)))
    seconds = len(log_mel) / front_end.frame_rate
    if seconds < front_end.min_seconds:
        cause = f"is {seconds:.2f} s long, shorter than {front_end.min_seconds:g} s"
        raise SimlibError(path, cause, "use a longer excerpt")
    blocks = audio.blocks(path, features.DESCRIPTOR_RATE, start=start, end=end)
    return log_mel, features.descriptor(blocks)


def of_file(model, path, hop_seconds, name=None, start=None, end=None):
    """Make a reference of an audio file, or of seconds of it.

    Parameters
    ----------
    model : simlib.model.Model
    path : path-like
    hop_seconds : float
        Step between two segments.
    name : str, optional
        By default that of the file.
    start, end : float, optional
        Seconds.

    Returns
    -------
    Reference

    Raises
    ------
    SimlibError
        See `heard`.
    """
    log_mel, descriptor = heard(model, path, start or 0.0, end)
    name = Path(path).name if name is None else name
    return of_frames(model, log_mel, descriptor, hop_seconds, name, None, start or 0.0)


def of_frames(model, log_mel, descriptor, hop_seconds, name, row, start):
    """Make a reference of features, from `start` seconds of a recording on; see `Reference`."""
    vector, segments, starts = model.track(log_mel, descriptor, hop_seconds)
    front_end = model.front_end
    end = start + len(log_mel) / front_end.frame_rate
    shown = copies.print_of(log_mel, front_end)
    return Reference(name, row, start, end, vector, segments, starts + start, shown)


@contextmanager
def as_file(source):
    """Give bytes of an audio file, or samples with their rate, a path while they are decoded.

    Parameters
    ----------
    source : bytes or (numpy.ndarray, int)
        An audio file; or samples, float, shape (n_samples,) or (n_samples, n_channels), and Hz.

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
                samples, rate = source
                path = path.with_suffix(".wav")
                sf.write(path, np.asarray(samples, dtype=np.float32), int(rate), subtype="FLOAT")
            yield path
        except SimlibError as error:
            raise SimlibError(name, error.cause, error.mend) from None
        except (TypeError, ValueError, sf.SoundFileError) as error:
            mend = "give an array of shape (n_samples,) or (n_samples, n_channels), and a rate"
            raise SimlibError(name, f"cannot be used ({error})", mend) from None
