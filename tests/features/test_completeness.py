"""Files that lie about themselves: what a player plays is read, and what is missing is said."""

import contextlib
import struct

import numpy as np
import pytest
import samples

from simlib.core import SimlibError
from simlib.features import decode, duration

RATE = 44100
SECONDS = 6.0
# Chords with bursts: no two frames are alike, so that bit rates vary.
SOUND = samples.bursts(SECONDS, RATE) * 0.5 + samples.chord(SECONDS, rate=RATE) * 0.5
STEREO = np.stack([SOUND, SOUND[::-1]])


def seconds_of(path):
    return len(decode(path, 8000)) / 8000


def is_whole(path, seconds=SECONDS):
    assert seconds_of(path) == pytest.approx(seconds, abs=0.1)
    assert duration(path) == pytest.approx(seconds, abs=0.1)
    excerpt = decode(path, 8000, start=seconds - 1.5, end=seconds - 0.5)
    assert len(excerpt) == pytest.approx(8000, abs=8)


def refused(path, cause):
    with pytest.raises(SimlibError, match=f"{cause}.*; copy or download it again") as error:
        decode(path, 8000)
    return error.value.cause


# One file of each container: name, codec, options of the muxer.
FORMATS = {
    "a.mp3": ("libmp3lame", {}),
    "plain.mp3": ("libmp3lame", {"write_xing": "0"}),
    "a.flac": ("flac", {}),
    "a.opus": ("libopus", {}),
    "a.m4a": ("aac", {"movflags": "faststart"}),
    "fragments.m4a": ("aac", {"movflags": "frag_keyframe+empty_moov"}),
    "a.aac": ("aac", {}),
    "a.wma": ("wmav2", {}),
    "a.webm": ("libopus", {}),
    "a.mka": ("flac", {}),
    "a.wav": ("pcm_s16le", {}),
    "a.aiff": ("pcm_s16be", {}),
    "a.au": ("pcm_s16be", {}),
    "a.caf": ("pcm_s16be", {}),
    "a.w64": ("pcm_s16le", {}),
    "a.wv": ("wavpack", {}),
    "a.tta": ("tta", {}),
    "a.oga": ("flac", {}),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name, (codec, options) in FORMATS.items():
        rate = 48000 if codec == "libopus" else RATE
        count = int(SECONDS * rate)
        channels = np.stack([np.interp(np.arange(count) / rate, np.arange(len(c)) / RATE, c)
                             for c in STEREO])  # fmt: skip
        samples.mux(folder / name, channels, rate, codec, options, bit_rate=128_000)
    return folder


def changed(files, tmp_path, name, change):
    path = tmp_path / name
    path.write_bytes(change(bytearray((files / name).read_bytes())))
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_a_whole_file_is_whole(files, name):
    is_whole(files / name)


@pytest.mark.parametrize("share", [0.35, 0.7, 0.93])
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_whose_end_is_missing_is_refused_with_what_is_there(files, tmp_path, name, share):
    path = changed(files, tmp_path, name, lambda b: b[: int(share * len(b)) + 61])
    cause = refused(path, "is truncated")
    there = float(cause.split()[2])
    assert there == pytest.approx(share * SECONDS, abs=1.2)
    if " of " in cause:
        assert float(cause.split(" of ")[1].split()[0]) == pytest.approx(SECONDS, abs=0.2)


@pytest.mark.parametrize("name", ["a.mp3", "plain.mp3", "a.flac", "a.opus", "a.aac", "a.oga"])
def test_reading_goes_on_behind_stray_bytes(files, tmp_path, name):
    noise = np.random.default_rng(0).bytes(400)
    path = changed(files, tmp_path, name, lambda b: b[: len(b) // 2] + noise + b[len(b) // 2 :])
    assert seconds_of(path) == pytest.approx(SECONDS, abs=1.1)


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.opus", "a.m4a", "a.wma", "a.wv", "a.oga"])
def test_one_bad_packet_is_left_out(files, tmp_path, name):
    noise = np.random.default_rng(1).bytes(200)
    middle = lambda b: b[: len(b) // 2] + noise + b[len(b) // 2 + 200 :]  # noqa: E731
    assert seconds_of(changed(files, tmp_path, name, middle)) == pytest.approx(SECONDS, abs=1.1)


@pytest.mark.parametrize(
    "name", ["a.mp3", "a.flac", "a.opus", "a.m4a", "a.wma", "a.webm", "a.mka", "a.oga"]
)
def test_a_third_that_is_lost_is_never_lost_without_a_word(files, tmp_path, name):
    third = lambda b: b[: len(b) // 3] + bytes(len(b) // 3) + b[2 * (len(b) // 3) :]  # noqa: E731
    cause = refused(changed(files, tmp_path, name, third), "is damaged")
    lost = float(cause.split(", ")[1].split()[0])
    assert lost == pytest.approx(SECONDS / 3, abs=1.3)


@pytest.mark.parametrize("name", ["a.mp3", "plain.mp3", "a.flac", "a.opus", "a.aac"])
def test_joined_files_are_read_to_the_end_of_the_last(files, tmp_path, name):
    path = changed(files, tmp_path, name, lambda b: b + b)
    assert seconds_of(path) == pytest.approx(2 * SECONDS, abs=0.1)
    assert len(decode(path, 8000, start=SECONDS + 2, end=SECONDS + 3)) == pytest.approx(8000, abs=8)


def test_a_joined_file_at_another_rate_is_read_or_the_rest_is_said_to_be_missing(files, tmp_path):
    low = samples.mux(tmp_path / "low.mp3", STEREO[:, ::2], RATE // 2, "libmp3lame")
    path = changed(files, tmp_path, "a.mp3", lambda b: b + low.read_bytes())
    assert seconds_of(path) == pytest.approx(2 * SECONDS, abs=0.2)
    samples.write(tmp_path / "high.ogg", SOUND, RATE)
    samples.write(tmp_path / "low.ogg", SOUND[::2], RATE // 2)
    chained = tmp_path / "chained.ogg"
    chained.write_bytes(b"".join((tmp_path / f"{n}.ogg").read_bytes() for n in ("high", "low")))
    assert "cannot be decoded" in refused(chained, "is damaged")


@pytest.mark.parametrize(
    ("name", "codec", "form"),
    [
        ("a.flac", "flac", "flac"),
        ("a.mp3", "libmp3lame", "mp3"),
        ("a.wav", "pcm_s16le", "wav"),
        ("a.au", "pcm_s16be", "au"),
        ("a.caf", "pcm_s16be", "caf"),
        ("a.wma", "wmav2", "asf"),
        ("a.mka", "flac", "matroska"),
    ],
)
def test_what_was_encoded_to_a_pipe_knows_no_length_and_is_whole(tmp_path, name, codec, form):
    is_whole(
        samples.mux(tmp_path / name, STEREO, RATE, codec, format=form, pipe=True, bit_rate=128_000)
    )


# --- headers that are wrong ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("riff", "data"),
    [
        (0, 0),
        (0x7FFFFFFF, 0x7FFFFFFF),
        (0x80000024, 0x80000000),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFDB),
        (8, None),
        (1, None),
        (-1, None),
        (9, 8),
        (1, 1),
        (44, 44),
    ],
)
def test_sizes_that_recorders_leave_in_a_wav_do_not_count(files, tmp_path, riff, data):
    """Absolute, or relative to the true size if they are small."""

    def with_sizes(content):
        at = content.index(b"data") + 4
        sizes = {4: (riff, len(content) - 8), at: (data, len(content) - at - 4)}
        for place, (size, true) in sizes.items():
            if size is not None:
                size = true + size if abs(size) < 100 and size else size
                content[place : place + 4] = struct.pack("<I", size)
        return content

    is_whole(changed(files, tmp_path, "a.wav", with_sizes))


@pytest.mark.parametrize("factor", [0.3, 3])
@pytest.mark.parametrize("name", ["a.mp3", "a.flac"])
def test_a_count_that_is_wrong_does_not_count(files, tmp_path, name, factor):
    def recounted(content):
        if name == "a.mp3":
            [at] = [content.index(tag) + 8 for tag in (b"Xing", b"Info") if tag in content]
            [count] = struct.unpack(">I", content[at : at + 4])
            content[at : at + 4] = struct.pack(">I", int(count * factor))
        else:
            [word] = struct.unpack(">Q", content[18:26])
            count = word & (1 << 36) - 1
            content[18:26] = struct.pack(">Q", word - count + int(count * factor))
        return content

    is_whole(changed(files, tmp_path, name, recounted))


def ogg_checksum(page):
    """RFC 3533: a CRC with the polynomial 0x04c11db7."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
    return struct.pack("<I", value)


@pytest.mark.parametrize("name", ["a.opus", "a.oga"])
def test_an_ogg_without_the_flag_of_its_last_page_is_whole(files, tmp_path, name):
    def unflagged(content):
        last = content.rindex(b"OggS")
        content[last + 5] &= ~4
        content[last + 22 : last + 26] = bytes(4)
        content[last + 22 : last + 26] = ogg_checksum(content[last:])
        return content

    is_whole(changed(files, tmp_path, name, unflagged))


@pytest.mark.parametrize(
    "name", ["a.mp3", "a.flac", "a.opus", "a.m4a", "a.wav", "a.aac", "a.wma", "a.oga"]
)
@pytest.mark.parametrize("padding", [bytes(300), bytes(70_000), b"TAG" + bytes(125)])
def test_what_stands_behind_the_recording_is_no_damage(files, tmp_path, name, padding):
    is_whole(changed(files, tmp_path, name, lambda b: b + padding))


@pytest.mark.parametrize("name", ["film.webm", "film.mp4", "film.mkv", "film.avi"])
def test_pictures_may_go_on_after_the_sound(tmp_path, name):
    codec, rate = ("libopus", 48000) if name.endswith("webm") else ("aac", RATE)
    sound = samples.tone(SECONDS, 440, rate)[None]
    path = samples.mux(tmp_path / name, sound, rate, codec, pictures=SECONDS + 3)
    assert seconds_of(path) == pytest.approx(SECONDS, abs=0.1)


# --- the content picks the decoder -----------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("suffix", [".mp3", ".wav", ".m4a", ".opus", ".flac"])
def test_the_suffix_does_not_matter(files, tmp_path, name, suffix):
    path = tmp_path / f"called{suffix}"
    path.write_bytes((files / name).read_bytes())
    np.testing.assert_array_equal(decode(path, 8000), decode(files / name, 8000))


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXTINF:6,\nwhole.wav\n",
        "ffconcat version 1.0\nfile whole.wav\n",
        "[playlist]\nFile1=whole.wav\n",
    ],
)
def test_a_playlist_that_is_called_audio_opens_no_other_file(files, tmp_path, text):
    (tmp_path / "whole.wav").write_bytes((files / "a.wav").read_bytes())
    (tmp_path / "list.mp3").write_text(text)
    with pytest.raises(SimlibError, match="cannot be decoded"):
        decode(tmp_path / "list.mp3", 8000)


@pytest.mark.parametrize("name", ["a%03d.mp3", "a:b.mp3", "http:c.mp3", "d?e#f.mp3", "ä ö.mp3"])
def test_names_are_names_and_no_patterns_or_addresses(files, tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes((files / "a.mp3").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert seconds_of(name) == pytest.approx(SECONDS, abs=0.1)


def test_decoders_do_not_write_to_the_terminal(files, tmp_path, capfd):
    for name in ("a.mp3", "a.flac", "a.opus", "a.m4a", "a.oga"):
        noise = np.random.default_rng(2).bytes(5000)
        path = changed(files, tmp_path, name, lambda b, n=noise: b[:9000] + n + b[15_000:])
        with contextlib.suppress(SimlibError):
            decode(path, 8000)
    assert capfd.readouterr() == ("", "")
