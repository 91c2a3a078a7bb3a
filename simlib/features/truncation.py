"""Signs in a container that its end is missing: each format has its own."""

from pathlib import Path

import av
from mutagen import MutagenError
from mutagen.mp3 import MP3


def is_truncated(path: Path, shortfall: int = 0) -> bool:
    """Find whether a container promises more than the file holds.

    Parameters
    ----------
    path : pathlib.Path
    shortfall : int
        Samples that the header declares and that were not decoded.

    Returns
    -------
    bool
    """
    suffix = path.suffix.lower()
    size = path.stat().st_size
    with open(path, "rb") as stream:
        head = stream.read(12)
        if suffix == ".wav" and head[:4] == b"RIFF":
            declared = int.from_bytes(head[4:8], "little") + 8
            # Streaming writers leave 0 or the largest number, which promises nothing.
            return size < declared < 0xFFFFFFFF
        if head[:4] == b"OggS":
            stream.seek(max(0, size - 65_536))
            return not _ends_an_ogg(stream.read().rpartition(b"OggS")[2])
    if head[:4] == b"fLaC":
        return shortfall > 0
    return suffix == ".mp3" and shortfall > 0 and _ends_inside_a_frame(path)


def _ends_an_ogg(page):
    """Find whether a page (RFC 3533, less its capture pattern) is whole and the last."""
    if len(page) < 23:
        return False
    end_of_stream, lengths = page[1] & 0x04, page[23 : 23 + page[22]]
    return bool(end_of_stream) and len(page) >= 23 + page[22] + sum(lengths)


def _ends_inside_a_frame(path):
    """Find whether an MP3's last frame is cut, or frames that its header promises are missing."""
    try:
        info = MP3(path).info
        with av.open(str(path)) as container:
            sizes = [packet.size for packet in container.demux(audio=0) if packet.size]
            rate = container.streams.audio[0].codec_context.sample_rate
    except (av.FFmpegError, MutagenError, IndexError):
        return False
    if info.bitrate_mode:  # A Xing or VBRI header counts the frames.
        promised = info.length * rate / (1152 if rate >= 32_000 else 576)
        return promised - len(sizes) > 2
    constant = max(sizes[:-1], default=0) - min(sizes[:-1], default=0) <= 1
    return constant and sizes[-1] < min(sizes[:-1], default=0)
