"""Decoding of audio files with FFmpeg, by PyAV: block by block, at their own rate.

The content of a file picks the decoder, as in a player, and its name does not. Decoding goes on
behind damage. Only then is it judged what is missing, since headers often claim too much.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

import av
import numpy as np

from simlib.core import SimlibError
from simlib.features.completeness import Tally, require_complete

BLOCK_SECONDS = 10.0
# Decoding begins this much before an excerpt, because frames need those before them.
PREROLL_SECONDS = 1.0
# Errors of a container in a row after which its rest counts as lost. Each skips about 64 KB.
ATTEMPTS = 1000
# Containers of audio. FFmpeg also opens playlists, which name other files, and text as subtitles.
FORMATS = (
    "aac ac3 aiff amr ape asf au avi caf eac3 flac flv matroska mov mp3 mpc mpc8 mpeg mpegts ogg"
    " rm tak tta w64 wav webm wv"
)
_OPTIONS = {"format_whitelist": FORMATS.replace(" ", ","), "protocol_whitelist": "file"}
_HINT = "check that it plays, or convert it to flac or mp3"


def native_blocks(
    path: str | PathLike, start: float = 0.0, end: float | None = None
) -> Iterator[tuple[np.ndarray, int]]:
    """Decode a recording block by block: the mean of its channels, at its own sampling rate.

    Parameters
    ----------
    path : path-like
    start, end : float, optional
        Seconds to begin and to end at; the whole recording by default.

    Yields
    ------
    samples : numpy.ndarray of float32, shape (n_samples,)
        Ten seconds, the last ones fewer.
    rate : int
        Hz, the same for all blocks.

    Raises
    ------
    SimlibError
        If the file is no audio, damaged or truncated.
    """
    path = Path(path)
    require_readable(path)
    with _opened(path) as (container, stream):
        rate, tally = stream.codec_context.sample_rate, Tally()
        first, count = sample_range(start, end, rate)
        block, held, size = int(BLOCK_SECONDS * rate), [], 0
        for position, samples in _frames(container, stream, start, tally):
            held.append(samples[max(first - position, 0) : max(first + count - position, 0)])
            size += len(held[-1])
            while size >= block:
                joined = np.concatenate(held)
                yield joined[:block], rate
                held, size = [joined[block:]], size - block
            if position + len(samples) >= first + count:
                break
        if size:
            yield np.concatenate(held), rate
        if not tally.seconds and tally.error:
            raise SimlibError(path, f"cannot be decoded ({tally.error})", _HINT)
        if end is None and not start:
            require_complete(path, container, stream, tally)


def packet_seconds(path: Path) -> float:
    """Return the seconds that the packets of a recording last, without decoding them."""
    require_readable(path)
    with _opened(path) as (container, stream):
        tally = Tally()
        starts = [tally.count(packet) for packet in _packets(container, stream, tally)]
        return tally.clock - min(starts, default=0.0)


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


@contextmanager
def _opened(path):
    """Open a file and yield its container and audio stream; FFmpeg's errors become SimlibError."""
    try:
        # The prefix keeps FFmpeg from reading a name such as "http:x" as a protocol.
        with av.open(f"file:{path}", options=_OPTIONS, metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise SimlibError(path, "holds no audio", _HINT)
            stream = container.streams.best("audio") or container.streams.audio[0]
            context = stream.codec_context
            if context is None or not context.sample_rate or not context.channels:
                raise SimlibError(path, "cannot be decoded (its header is damaged)", _HINT)
            yield container, stream
    except av.EOFError:
        cause = "is truncated: not even its first second is there"
        raise SimlibError(path, cause, "copy or download it again") from None
    except av.InvalidDataError:
        raise SimlibError(path, "cannot be decoded (is not audio, or damaged)", _HINT) from None
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SimlibError(path, f"cannot be decoded ({reason})", _HINT) from None


def _frames(container, stream, start, tally):
    """Yield (position in samples, mono samples) frame by frame, from a little before `start`."""
    rate = stream.codec_context.sample_rate
    converter, origin, position, skipped = _Converter(rate), None, 0, False
    for packet in _packets(container, stream, tally):
        seconds = tally.count(packet)
        if origin is not None and seconds - origin < start - PREROLL_SECONDS:
            skipped = True
            continue
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            # A player goes on with the next packet.
            tally.fail(packet, error)
            continue
        for frame in frames:
            if origin is None:
                origin = frame.time or 0.0
            if skipped:
                position, skipped = max(0, round((seconds - origin) * rate)), False
            samples = converter.mono(frame)
            tally.seconds += len(samples) / rate
            yield position, samples
            position += len(samples)


def _packets(container, stream, tally):
    """Yield the packets of a stream; behind damage of the container, look for the next one."""
    packets, attempts = container.demux(stream), 0
    while attempts < ATTEMPTS:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            tally.interrupted, tally.error = True, tally.error or error.strerror
            packets, attempts = container.demux(stream), attempts + 1
            continue
        if packet is None:
            return
        attempts = 0
        yield packet


class _Converter:
    """Frames of any format as mono float32 at one rate, which joined files may change."""

    def __init__(self, rate):
        self.rate, self.made_for, self.resampler = rate, None, None

    def mono(self, frame):
        made_for = frame.format.name, frame.layout.name, frame.sample_rate
        if made_for[0] == "fltp" and frame.sample_rate == self.rate:
            return _mean(frame.to_ndarray())
        if made_for != self.made_for:
            self.made_for = made_for
            self.resampler = av.AudioResampler("fltp", frame.layout, self.rate)
        parts = [_mean(part.to_ndarray()) for part in self.resampler.resample(frame)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


def _mean(channels):
    # A product with equal weights is many times faster than a mean over the short axis.
    return np.full(len(channels), 1 / len(channels), dtype=np.float32) @ channels
