"""Decode any audio file to mono float32, safely and in blocks."""

import io
from pathlib import Path

import av
import numpy as np
import soundfile as sf
import soxr
from mutagen import MutagenError
from mutagen.mp3 import MP3

from simlib.core import SimlibError

# Everything else goes to PyAV: libsndfile is quicker, and exact about lengths.
SOUNDFILE_SUFFIXES = frozenset([".wav", ".flac", ".ogg", ".opus", ".mp3"])
BLOCK_SECONDS = 10.0
SEEK_SECONDS = 30.0
SILENCE = 10 ** (-80 / 20)


def decode_blocks(path, sample_rate, *, start=0.0, end=None):
    """Decode a recording block by block: mono, at one rate, whatever its length.

    Parameters
    ----------
    path : path-like
    sample_rate : int
        Hz of the samples that come out (soxr, high quality).
    start, end : float, optional
        Seconds to begin and to end at; the whole recording by default.

    Yields
    ------
    numpy.ndarray of float32, shape (n_samples,)
        About ten seconds each; together the recording.

    Raises
    ------
    SimlibError
        If the file is no audio, truncated, silent, or holds samples that are no numbers.
    """
    path = Path(path)
    peak, total = 0.0, 0
    resampler = None
    for block, rate in native_blocks(path, start, end):
        # A product with equal weights is twenty times quicker than a mean over the short axis.
        mono = block @ np.full(block.shape[1], 1 / block.shape[1], dtype=np.float32)
        if not np.isfinite(mono).all():
            raise SimlibError(path, "holds samples that are not numbers", "export it once more")
        peak = max(peak, float(np.abs(mono).max(initial=0.0)))
        total += len(mono)
        if rate == sample_rate:
            yield mono
            continue
        if resampler is None:
            resampler = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32")
        yield resampler.resample_chunk(mono)
    if not total and start:
        raise SimlibError(path, f"ends before {start:g} s", "choose earlier seconds of it")
    if not total:
        raise SimlibError(path, "holds no samples", "replace it by a whole copy")
    if peak < SILENCE:
        raise SimlibError(path, "is silent (below -80 dBFS throughout)", "replace or remove it")
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


def decode(path, sample_rate, *, start=0.0, end=None):
    """Decode a recording, or seconds `start` to `end` of it, into one array.

    Parameters and errors are those of `decode_blocks`.

    Returns
    -------
    numpy.ndarray of float32, shape (n_samples,)
    """
    return np.concatenate(list(decode_blocks(path, sample_rate, start=start, end=end)))


def duration(path):
    """Return the length of a recording in seconds, as its header or a full decoding tells."""
    _require_readable(Path(path))
    try:
        with sf.SoundFile(path) as file:
            return file.frames / file.samplerate
    except (sf.SoundFileError, RuntimeError):
        return sum(len(block) / rate for block, rate in native_blocks(path))


def fade(samples, sample_rate, seconds=0.05):
    """Fade both ends of an excerpt, so that cutting it does not click."""
    count = min(int(seconds * sample_rate), len(samples) // 2)
    ramp = np.linspace(0, 1, count, dtype=np.float32)
    samples = samples.copy()
    samples[:count] *= ramp
    samples[len(samples) - count :] *= ramp[::-1]
    return samples


def mp3_bytes(samples, sample_rate):
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


def native_blocks(path, start=0.0, end=None):
    """Decode a recording block by block, channels and sampling rate as they are.

    Parameters
    ----------
    path : path-like
    start, end : float, optional
        Seconds.

    Yields
    ------
    samples : numpy.ndarray of float32, shape (n_samples, n_channels)
    rate : int
        Hz.

    Raises
    ------
    SimlibError
        If the file is no audio, or truncated.
    """
    path = Path(path)
    _require_readable(path)
    reader = _soundfile_blocks if path.suffix.lower() in SOUNDFILE_SUFFIXES else _av_blocks
    yield from reader(path, start, end)


def _require_readable(path):
    """Raise SimlibError for what no decoder should be given: a pipe would wait for ever."""
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
    """A file that is read on and on.

    The base class seeks after every read, to where it is already: an MP3 decoder then loses the
    bits that its frames share, and a low bit rate comes out with holes.
    """

    def seekable(self):
        return False


def _soundfile_blocks(path, start, end):
    try:
        with _Stream(path) as file:
            rate, size = file.samplerate, int(BLOCK_SECONDS * file.samplerate)
            if start:
                # Well before, and read on: the frames after a jump lean on those before.
                early = max(0.0, start - SEEK_SECONDS)
                file.seek(min(int(early * rate), file.frames))
                file.read(min(int(start * rate), file.frames) - file.tell())
            wanted = None if end is None else int((end - start) * rate)
            read = 0
            while wanted is None or read < wanted:
                count = size if wanted is None else min(size, wanted - read)
                block = file.read(count, dtype="float32", always_2d=True)
                if not len(block):
                    break
                read += len(block)
                yield block, rate
            declared = file.frames
    except (sf.SoundFileError, RuntimeError) as error:
        if _is_truncated(path, shortfall=1):
            raise _truncated(path) from None
        reason = str(error).partition("': ")[2].strip(" .")
        if not reason or "does not exist" in reason:  # what libsndfile says of an MP3 with no frame
            reason = "not audio, or damaged"
        raise SimlibError(path, f"cannot be decoded ({reason})", _MEND) from None
    if end is None and _is_truncated(path, shortfall=declared - read - int(start * rate)):
        raise _truncated(path)


_MEND = "check that it plays, or convert it to flac or mp3"


def _truncated(path):
    return SimlibError(path, "is truncated: its end is missing", "copy or download it again")


def _is_truncated(path, shortfall=0):
    """Tell whether a container says that more should follow; each says it in its own way."""
    suffix = path.suffix.lower()
    size = path.stat().st_size
    with open(path, "rb") as stream:
        head = stream.read(12)
        if suffix == ".wav" and head[:4] == b"RIFF":
            declared = int.from_bytes(head[4:8], "little") + 8
            # Streaming writers leave 0 or the largest number: no claim at all.
            return size < declared < 0xFFFFFFFF
        if head[:4] == b"OggS":
            stream.seek(max(0, size - 65_536))
            return not _ends_an_ogg(stream.read().rpartition(b"OggS")[2])
    if head[:4] == b"fLaC":
        return shortfall > 0
    return suffix == ".mp3" and shortfall > 0 and _ends_inside_a_frame(path)


def _ends_an_ogg(page):
    """Tell whether a page (RFC 3533, less its capture pattern) is whole and ends its stream."""
    if len(page) < 23:
        return False
    end_of_stream, lengths = page[1] & 0x04, page[23 : 23 + page[22]]
    return bool(end_of_stream) and len(page) >= 23 + page[22] + sum(lengths)


def _ends_inside_a_frame(path):
    """Tell whether an MP3's last frame is cut, or frames that its header promises are missing."""
    try:
        info = MP3(path).info
        with av.open(str(path)) as container:
            sizes = [packet.size for packet in container.demux(audio=0) if packet.size]
            rate = container.streams.audio[0].codec_context.sample_rate
    except (av.FFmpegError, MutagenError, IndexError):
        return False
    if info.bitrate_mode:  # a Xing or VBRI header counts the frames
        promised = info.length * rate / (1152 if rate >= 32_000 else 576)
        return promised - len(sizes) > 2
    constant = max(sizes[:-1], default=0) - min(sizes[:-1], default=0) <= 1
    return constant and sizes[-1] < min(sizes[:-1], default=0)


def _av_blocks(path, start, end):
    """Decode with PyAV; what it yields is cut to size here, since it seeks to packets only."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise SimlibError(path, "holds no audio", _MEND)
            stream = container.streams.audio[0]
            if stream.codec_context is None:
                raise SimlibError(path, "cannot be decoded (its header is damaged)", _MEND)
            rate = stream.codec_context.sample_rate
            converter = av.AudioResampler(format="fltp", rate=rate)
            skip = int(start * rate)
            left = None if end is None else int((end - start) * rate)
            decoded = 0
            pending, held = [], 0
            for packet in container.demux(stream):
                for frame in packet.decode():
                    for part in converter.resample(frame):
                        samples = part.to_ndarray().T.astype(np.float32)
                        decoded += len(samples)
                        cut = min(skip, len(samples))
                        skip, samples = skip - cut, samples[cut:]
                        if left is not None:
                            samples = samples[:left]
                            left -= len(samples)
                        pending.append(samples)
                        held += len(samples)
                if held >= BLOCK_SECONDS * rate:
                    yield np.concatenate(pending), rate
                    pending, held = [], 0
                if left == 0:
                    break
            if held:
                yield np.concatenate(pending), rate
            declared = (container.duration or 0) / av.time_base
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SimlibError(path, f"cannot be decoded ({reason})", _MEND) from None
    if left is None and declared - decoded / rate > max(1.0, 0.05 * declared):
        raise _truncated(path)
