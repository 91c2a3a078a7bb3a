"""What a file holds beside what was decoded, so that nothing is missing without a word.

Headers claim too much or too little: recorders leave placeholders, encoders that write to a pipe
know no length, and programs that cut leave the old one. A recording counts as truncated if the
stream itself ends inside a frame, a page or a chunk, and as damaged if seconds inside it are lost.
"""

import contextlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import av
from mutagen.mp3 import HeaderNotFoundError, MPEGFrame

from simlib.core import SimlibError

# Seconds by which decoders and containers differ on the length of a whole recording.
TOLERANCE = 0.25
# What damage may cost: seconds, or a share of the recording if that is more.
LOST_SECONDS, LOST_SHARE = 1.0, 0.05
# Packets are missing if their times step by more than this, in seconds.
GAP_SECONDS = 0.1
# From this size on, the size of a chunk is a placeholder of a writer that could not know it.
PLACEHOLDER = 0x7FFF_0000
# Containers whose lengths are guesses, or may be wrong: the last packet shows whether they end too
# early. The second ones know the size of that packet. Of an MP3, FFmpeg knows the length if its
# header also tells the delay of the encoder, which then is left out at the start.
INDEXED = ("mov,mp4,m4a,3gp,3g2,mj2", "w64")
STREAMS = ("aac", "asf", "flac", "mp3", "ogg", *INDEXED)
# Bytes by which writers miscount a chunk: padding, or a header that was counted too.
MISCOUNTED = 64


@dataclass
class Tally:
    """What was read of a file.

    Attributes
    ----------
    seconds : float
        Decoded.
    size : int
        Bytes of the packets.
    clock : float
        Where the last packet ends, in seconds; it also rises through joined recordings.
    gaps : list of (float, int)
        Steps in the time of the packets: seconds, and bytes that lie between the packets.
    failed : list of (float, int)
        Seconds and bytes of packets that could not be decoded.
    last : av.Packet or None
        The last packet that is not empty.
    last_failed, interrupted : bool
        Whether the last packet could not be decoded, and whether the container had an error.
    error : str
        The first error of a decoder; "" for none.
    """

    seconds: float = 0.0
    size: int = 0
    clock: float = 0.0
    gaps: list[tuple[float, int]] = field(default_factory=list)
    failed: list[tuple[float, int]] = field(default_factory=list)
    last: av.Packet | None = None
    last_failed: bool = False
    interrupted: bool = False
    error: str = ""

    def count(self, packet: av.Packet) -> float:
        """Count a packet before it is decoded, and return its time in seconds."""
        if not packet.size:
            return self.clock
        start, length = self.clock, _length(packet)
        if packet.pts is not None:
            start = float(packet.pts * packet.time_base)
            if self.last is not None and start < self.clock - 1:
                # The times of a joined recording begin anew.
                start = self.clock
        if self.last is not None and start - self.clock > GAP_SECONDS:
            between = (packet.pos or 0) - (self.last.pos or 0) - self.last.size
            self.gaps.append((start - self.clock, between))
        self.clock, self.last, self.last_failed = start + length, packet, False
        self.size += packet.size
        return start

    def fail(self, packet: av.Packet, error: av.FFmpegError) -> None:
        """Count a packet that could not be decoded."""
        self.failed.append((_length(packet), packet.size))
        self.last_failed, self.error = True, self.error or error.strerror


def _length(packet):
    """Return the seconds of a packet; FFmpeg wraps a negative length of the last one of an Ogg."""
    length = packet.duration or 0
    return float((length - 2**32 if length >= 2**31 else length) * packet.time_base)


def require_complete(
    path: Path, container: av.container.InputContainer, stream: av.AudioStream, tally: Tally
) -> None:
    """Raise SimlibError if a recording that was decoded to its end lacks seconds.

    Parameters
    ----------
    path : pathlib.Path
    container : av.container.InputContainer
    stream : av.AudioStream
    tally : Tally
    """
    whole = _promised(path, container, stream, tally)
    if whole:
        there = f"{tally.seconds:.1f} s are there, and its end is missing"
        if whole > tally.seconds + TOLERANCE:
            there = f"{tally.seconds:.1f} of {whole:.1f} s are there"
        raise SimlibError(path, f"is truncated: {there}", "copy or download it again")
    lost = _lost(path, container.format.name, tally)
    if lost > max(LOST_SECONDS, LOST_SHARE * (tally.seconds + lost)):
        cause = f"is damaged: of {tally.seconds + lost:.1f} s, {lost:.1f} s cannot be decoded"
        raise SimlibError(path, cause, "copy or download it again")


def _lost(path, name, tally):
    """Return the seconds of packets that were lost inside a recording."""
    rate = tally.size / max(tally.seconds, 1e-9)
    # In most containers a recorder may pause: a gap is damage if there are bytes for it. Packets
    # of FLAC and Ogg are numbered, and the bytes between them are not known.
    numbered = name in ("flac", "ogg")
    lost = sum(gap for gap, between in tally.gaps if numbered or between > 0.5 * gap * rate)
    failed = tally.failed[:-1] if tally.last_failed else tally.failed
    # Bytes that fit no packet come as one packet, which may stand for many.
    lost += sum(max(seconds, size / rate if rate else 0.0) for seconds, size in failed)
    if tally.interrupted and tally.last is not None and rate:
        with open(path, "rb") as stream:
            stream.seek((tally.last.pos or 0) + tally.last.size)
            lost += len(stream.read().rstrip(b"\0")) / rate
    return lost


def _promised(path, container, stream, tally):
    """Return the seconds that a truncated recording had, about; 0 for a whole one."""
    name, claimed, packet = container.format.name, _claimed(container, stream), tally.last
    if name in ("wav", "caf"):
        share = _chunk_share(path)
        return tally.seconds / share if share < 1 else 0.0
    if name not in STREAMS:
        # These containers hold the length of the longest of their streams.
        return claimed if tally.last_failed or _lacks_its_end(container, claimed, tally) else 0.0
    if name == "ogg":
        cut = _ends_inside_a_page(path)
    elif name in ("mp3", "aac") and packet is not None:
        cut = packet.size < _frame_size(name, bytes(packet))
    else:
        cut = tally.last_failed or (name in INDEXED and packet is not None and packet.is_corrupt)
    exact = name == "flac" or name in INDEXED or (name == "mp3" and stream.start_time)
    return max(claimed * bool(exact), tally.seconds, TOLERANCE) if cut else 0.0


def _claimed(container, stream):
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


def _lacks_its_end(container, claimed, tally):
    """Find whether no stream of a container reaches the length that it claims."""
    if claimed <= tally.seconds + TOLERANCE:
        return False
    end = tally.clock
    # What follows damage does not count.
    with contextlib.suppress(av.FFmpegError):
        container.seek(0)
        for packet in container.demux():
            if packet.pts is not None and packet.size:
                end = max(end, float(packet.pts * packet.time_base) + _length(packet))
    return claimed > end + TOLERANCE


def _chunk_share(path):
    """Return the share of a WAV's or CAF's samples that is in the file; 1 if the size is unknown.

    Both are chunks (RIFF; Apple Core Audio Format) with an identifier and a size.
    """
    whole = path.stat().st_size
    with open(path, "rb") as stream:
        riff = stream.read(12)[:4] == b"RIFF"
        stream.seek(12 if riff else 8)
        while True:
            header = stream.read(8 if riff else 12)
            size = int.from_bytes(header[4:], "little" if riff else "big")
            if len(header) < 8 or header[:4] == b"data":
                break
            stream.seek(size + (size % 2 if riff else 0), io.SEEK_CUR)
        there = whole - stream.tell()
    known = MISCOUNTED < size < PLACEHOLDER
    return there / size if known and there < size - MISCOUNTED else 1.0


def _ends_inside_a_page(path):
    """Find whether the last page of an Ogg file (RFC 3533) is cut, or its last packet goes on.

    That the page is marked as the last one says nothing: recorders of streams do not mark it.
    """
    size = path.stat().st_size
    with open(path, "rb") as stream:
        stream.seek(max(0, size - 1_000_000))
        page = stream.read().rpartition(b"OggS")[2]
    lengths = page[23 : 23 + page[22]] if len(page) > 22 else b""
    if not lengths or len(lengths) < page[22] or len(page) < 23 + page[22] + sum(lengths):
        return True
    return lengths[-1] == 255 and not page[1] & 0x04


def _frame_size(name, frame):
    """Return the bytes that the header of an MP3's or AAC's frame tells; 0 if it is no frame."""
    if name == "aac":  # ADTS, ISO/IEC 14496-3: 13 bits from the 31st on.
        return int.from_bytes(frame[3:6], "big") >> 5 & 0x1FFF if frame[:1] == b"\xff" else 0
    stream = io.BytesIO(frame)
    try:
        MPEGFrame(stream)
    except HeaderNotFoundError:
        return 0
    return stream.tell()
