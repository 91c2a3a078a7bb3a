"""What one searches with: a track of the catalogue, a file, bytes, samples, or seconds of them."""

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

from simlib import audio, copies, features
from simlib.artefacts import SimlibError
from simlib.features import DESCRIPTOR_BLOCK

# What samples may come with; of more channels, the axes are the wrong way round.
MOST_CHANNELS, HIGHEST_RATE = 32, 768_000


@dataclass(frozen=True)
class Recording:
    """What the model looks at of a recording; to take seconds of it decodes nothing again.

    Attributes
    ----------
    name : str
        To be shown.
    row : int or None
        Of the index, if it is a track of the catalogue.
    log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
    descriptor : numpy.ndarray of float32, shape (n_blocks, 102)
    begins : float
        Seconds of the file that were left out before the first frame.
    """

    name: str
    row: int | None
    log_mel: np.ndarray
    descriptor: np.ndarray
    begins: float = 0.0


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
    Recording
        By the name of the file.

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
    return Recording(Path(path).name, None, log_mel, features.descriptor(blocks), start)


def passage(model, recording, hop_seconds, start=None, end=None):
    """Make a reference of a recording, or of seconds of it.

    Parameters
    ----------
    model : simlib.model.Model
    recording : Recording
    hop_seconds : float
        Step between two segments.
    start, end : float, optional
        Seconds of the file.

    Returns
    -------
    Reference

    Raises
    ------
    SimlibError
        If it has no such seconds, or too few of them.
    """
    front_end, begins = model.front_end, recording.begins
    rate, ends = front_end.frame_rate, begins + len(recording.log_mel) / front_end.frame_rate
    start = begins if start is None else start
    end = ends if end is None else min(end, ends)
    if end - start < front_end.min_seconds:
        cause = f"has {max(end - start, 0):.2f} s from {start:g} s on"
        mend = f"choose {front_end.min_seconds:g} s or more of its {ends:.1f} s"
        raise SimlibError(recording.name, cause, mend)
    log_mel = recording.log_mel[round((start - begins) * rate) : round((end - begins) * rate)]
    described = _blocks(recording.descriptor, start - begins, end - begins)
    vector, segments, starts = model.track(log_mel, described, hop_seconds)
    shown = copies.print_of(log_mel, front_end)
    return Reference(
        recording.name, recording.row, start, end, vector, segments, starts + start, shown
    )


def _blocks(descriptor, start, end):
    """Take the rows of a descriptor that hold these seconds."""
    first = int(min(start // DESCRIPTOR_BLOCK, len(descriptor) - 1))
    return descriptor[first : max(int(np.ceil(end / DESCRIPTOR_BLOCK)), first + 1)]


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
            raise SimlibError(name, error.cause, error.mend) from None
        except (TypeError, ValueError, OverflowError) as error:
            mend = "give an array of shape (n_samples,) or (n_samples, n_channels), and a rate"
            raise SimlibError(name, f"cannot be used ({error})", mend) from None


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
