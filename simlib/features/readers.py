"""Decoders of audio files: libsndfile and PyAV, block by block, channels and rate as they are."""

import sys
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import av
import numpy as np
import soundfile as sf

from simlib.core import SimlibError
from simlib.features.truncation import is_truncated

# Everything else goes to PyAV: libsndfile is faster, and exact about lengths.
SOUNDFILE_SUFFIXES = frozenset([".wav", ".flac", ".ogg", ".opus", ".mp3"])
BLOCK_SECONDS = 10.0
SEEK_SECONDS = 30.0

_HINT = "check that it plays, or convert it to flac or mp3"


def native_blocks(
    path: str | PathLike, start: float = 0.0, end: float | None = None
) -> Iterator[tuple[np.ndarray, int]]:
    """Decode a recording block by block, channels and sampling rate as they are.

    Parameters
    ----------
    path : path-like
    start, end : float, optional
        Seconds to begin and to end at; the whole recording by default.

    Yields
    ------
    samples : numpy.ndarray of float32, shape (n_samples, n_channels)
        About ten seconds.
    rate : int
        Hz.

    Raises
    ------
    SimlibError
        If the file is no audio, or truncated.
    """
    path = Path(path)
    require_readable(path)
    reader = _soundfile_blocks if path.suffix.lower() in SOUNDFILE_SUFFIXES else _av_blocks
    yield from reader(path, start, end)


def sample_range(start: float, end: float | None, rate: int) -> tuple[int, int]:
    """Return the first sample and the number of samples of an excerpt given in seconds."""
    return int(start * rate), sys.maxsize if end is None else int((end - start) * rate)


def require_readable(path: Path) -> None:
    """Raise SimlibError for what no decoder must open: reading a pipe would never end."""
    try:
        if not path.exists():
            raise SimlibError(path, "is not there", "check the name")
        if not path.is_file():
            raise SimlibError(path, "is not a regular file", "give an audio file")
        if not path.stat().st_size:
            raise SimlibError(path, "is empty (0 bytes)", "replace it by a whole copy")
        path.open("rb").close()
        str(path).encode()
    except UnicodeEncodeError:
        raise SimlibError(path, "has a name that is not valid UTF-8", "rename it") from None
    except OSError as error:
        cause = f"cannot be read ({error.strerror})"
        raise SimlibError(path, cause, "check its name and permissions") from None


class _Stream(sf.SoundFile):
    """A file that is read without seeking.

    The base class seeks after every read, to the place where it already is. An MP3 decoder then
    loses the bits that its frames share, and a low bit rate comes out with holes.
    """

    def seekable(self):
        return False


def _soundfile_blocks(path, start, end):
    try:
        with _Stream(path) as file:
            rate, size = file.samplerate, int(BLOCK_SECONDS * file.samplerate)
            first, count = sample_range(start, end, rate)
            if first:
                # Frames after a jump depend on the frames before it, so decoding begins earlier.
                early = max(0.0, start - SEEK_SECONDS)
                file.seek(min(int(early * rate), file.frames))
                file.read(min(first, file.frames) - file.tell())
            read = 0
            while read < count:
                block = file.read(min(size, count - read), dtype="float32", always_2d=True)
                if not len(block):
                    break
                read += len(block)
                yield block, rate
            declared = file.frames
    except (sf.SoundFileError, RuntimeError) as error:
        if is_truncated(path, shortfall=1):
            raise _truncated(path) from None
        reason = str(error).partition("': ")[2].strip(" .")
        if not reason or "does not exist" in reason:  # libsndfile's text for an MP3 with no frame
            reason = "not audio, or damaged"
        raise SimlibError(path, f"cannot be decoded ({reason})", _HINT) from None
    if end is None and is_truncated(path, shortfall=declared - read - first):
        raise _truncated(path)


def _truncated(path):
    return SimlibError(path, "is truncated: its end is missing", "copy or download it again")


def _av_blocks(path, start, end):
    """Decode with PyAV; an excerpt is cut here, since PyAV seeks to packets only."""
    try:
        with av.open(str(path)) as container:
            stream = _audio_stream(path, container)
            rate = stream.codec_context.sample_rate
            first, count = sample_range(start, end, rate)
            decoded, held, size = 0, [], 0
            for samples in _packets(container, stream):
                held.append(samples[max(first - decoded, 0) : max(first + count - decoded, 0)])
                decoded += len(samples)
                size += len(held[-1])
                if size >= BLOCK_SECONDS * rate:
                    yield np.concatenate(held), rate
                    held, size = [], 0
                if decoded >= first + count:
                    break
            if size:
                yield np.concatenate(held), rate
            declared = (container.duration or 0) / av.time_base
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SimlibError(path, f"cannot be decoded ({reason})", _HINT) from None
    if end is None and declared - decoded / rate > max(1.0, 0.05 * declared):
        raise _truncated(path)


def _audio_stream(path, container):
    if not container.streams.audio:
        raise SimlibError(path, "holds no audio", _HINT)
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise SimlibError(path, "cannot be decoded (its header is damaged)", _HINT)
    return stream


def _packets(container, stream):
    """Yield the samples of one packet after the other: float32, shape (n_samples, n_channels)."""
    converter = av.AudioResampler(format="fltp", rate=stream.codec_context.sample_rate)
    for packet in container.demux(stream):
        frames = [part for frame in packet.decode() for part in converter.resample(frame)]
        if frames:
            yield np.concatenate([f.to_ndarray().T for f in frames]).astype(np.float32)
