import io
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import samples
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from simlib.core import SimlibError
from simlib.features import decode, decode_blocks, duration, fade, mp3_bytes

SOUNDFILE_FORMATS = {
    ".wav": {},
    ".flac": {},
    ".ogg": {},
    ".opus": {"format": "OGG", "subtype": "OPUS"},
    ".mp3": {},
}
RATES = {".opus": 48000, ".mp3": 44100}


def written(folder, suffix, seconds=3.0):
    """A whole recording, a sine of 440 Hz, in the format of the suffix."""
    path = folder / f"whole{suffix}"
    if suffix in samples.AV_FORMATS:
        return samples.write_av(path, seconds)
    rate = RATES.get(suffix, 22050)
    sound = samples.tone(seconds, 440, rate)
    return samples.write(path, sound, rate, **SOUNDFILE_FORMATS[suffix])


@pytest.mark.parametrize("suffix", [*SOUNDFILE_FORMATS, *samples.AV_FORMATS])
def test_every_format_decodes_whole_at_the_wanted_rate(tmp_path, suffix):
    path = written(tmp_path, suffix)
    sound = decode(path, 16000)
    assert sound.dtype == np.float32
    # Lossy formats pad to whole frames, and WMA drops the last one.
    tolerance = 0 if suffix in (".wav", ".flac") else 0.08
    assert len(sound) / 16000 == pytest.approx(3.0, abs=tolerance)
    assert duration(path) == pytest.approx(3.0, abs=tolerance + 1e-6)
    middle = sound[16000:32000]
    assert samples.peak_frequency(middle, 16000) == pytest.approx(440, abs=2)
    # A sine of level 0.3; two equal channels come out as loud as one.
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("suffix", [".WAV", ".Mp3"])
def test_the_case_of_a_suffix_does_not_count(tmp_path, suffix):
    path = written(tmp_path, suffix.lower()).rename(tmp_path / f"x{suffix}")
    assert len(decode(path, 8000)) > 20000


@pytest.mark.parametrize(("rate", "frequency"), [(8000, 440), (22050, 440), (48000, 3300)])
def test_resampling_keeps_a_sines_frequency_and_level(tmp_path, rate, frequency):
    path = samples.write(tmp_path / "a.wav", samples.tone(2, frequency, rate), rate)
    sound = decode(path, 16000)
    assert len(sound) == pytest.approx(32000, abs=1)
    assert samples.peak_frequency(sound[8000:24000], 16000) == pytest.approx(frequency, abs=1)
    assert np.abs(sound[8000:24000]).max() == pytest.approx(0.3, rel=0.02)


def test_resampling_leaves_out_what_the_rate_cannot_hold(tmp_path):
    sound = samples.tone(2, 7000, 48000) + samples.tone(2, 500, 48000)
    path = samples.write(tmp_path / "a.wav", sound, 48000)
    low = decode(path, 8000)[2000:14000]
    assert samples.peak_frequency(low, 8000) == pytest.approx(500, abs=1)
    assert np.sqrt(np.mean(low**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.02), "it aliases"


def test_several_channels_become_their_mean(tmp_path):
    left, right = samples.tone(1, 300), samples.tone(1, 700)
    path = samples.write(tmp_path / "a.wav", np.stack([left, right], axis=1), subtype="FLOAT")
    np.testing.assert_allclose(decode(path, 8000), (left + right) / 2, atol=1e-6)


def test_samples_at_the_wanted_rate_come_out_as_they_are(tmp_path):
    sound = samples.bursts(1.5)
    path = samples.write(tmp_path / "a.wav", sound, subtype="FLOAT")
    np.testing.assert_array_equal(decode(path, 8000), sound)


@pytest.mark.parametrize("rate", [8000, 6000])
@given(seconds=st.floats(0.01, 0.9), length=st.floats(0.003, 0.3))
def test_the_blocks_of_a_stream_join_without_a_seam(tmp_path_factory, rate, seconds, length):
    path = tmp_path_factory.mktemp("a") / "a.wav"
    samples.write(path, samples.bursts(seconds, seed=1), subtype="FLOAT")
    whole = decode(path, rate)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simlib.features.readers.BLOCK_SECONDS", length)
        parts = list(decode_blocks(path, rate))
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


def test_a_long_recording_comes_in_blocks(tmp_path):
    path = samples.write(tmp_path / "a.wav", samples.chord(35))
    lengths = [len(block) for block in decode_blocks(path, 8000)]
    assert max(lengths) <= 10 * 8000
    assert sum(lengths) == 35 * 8000


def low_rate_mp3(folder, seconds=4.0):
    """An MP3 whose frames lean on the bits of those before."""
    sound = samples.bursts(seconds, 44100) + samples.chord(seconds, rate=44100)
    options = {"bitrate_mode": "CONSTANT", "compression_level": 0.99}
    return samples.write(folder / "low.mp3", sound, 44100, **options)


def test_an_mp3_has_no_holes_between_blocks(tmp_path, monkeypatch):
    path = low_rate_mp3(tmp_path)
    whole = decode(path, 44100)
    monkeypatch.setattr("simlib.features.readers.BLOCK_SECONDS", 0.1)
    np.testing.assert_allclose(decode(path, 44100), whole, atol=1e-4)


def test_an_excerpt_of_an_mp3_is_that_part_of_it(tmp_path, monkeypatch):
    path = low_rate_mp3(tmp_path)
    whole = decode(path, 44100)
    cut = decode(path, 44100, start=2.0, end=3.0)
    np.testing.assert_allclose(cut, whole[2 * 44100 : 3 * 44100], atol=1e-4)
    # Decoding begins early enough to know the bits that frames share.
    monkeypatch.setattr("simlib.features.readers.PREROLL_SECONDS", 9.0)
    np.testing.assert_allclose(decode(path, 44100, start=2.0, end=3.0), cut, atol=1e-4)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".m4a", ".webm"])
@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 2.5), (2.0, None), (2.5, 9.0)])
def test_an_excerpt_holds_its_seconds_and_no_others(tmp_path, suffix, start, end):
    """Every half second has its own pitch: 400, 500, ... Hz."""
    rate = 48000 if suffix == ".webm" else 44100
    pitches = [samples.tone(0.5, 400 + 100 * i, rate) for i in range(6)]
    sound = np.concatenate(pitches)
    path = tmp_path / f"a{suffix}"
    if suffix in samples.AV_FORMATS:
        samples.write_av(path, sound=sound)
    else:
        samples.write(path, sound, rate)
    cut = decode(path, 8000, start=start, end=end)
    until = min(3.0, 3.0 if end is None else end)
    assert len(cut) / 8000 == pytest.approx(until - start, abs=0.06)
    for half in range(int((until - start) * 2)):
        middle = cut[half * 4000 + 800 : half * 4000 + 3200]
        expected = 400 + 100 * (int(start * 2) + half)
        assert samples.peak_frequency(middle, 8000) == pytest.approx(expected, abs=12)


def test_an_excerpt_from_behind_the_end_is_refused(tmp_path):
    path = samples.write(tmp_path / "a.wav", samples.tone(1))
    with pytest.raises(SimlibError, match="ends before 5 s; choose earlier seconds"):
        decode(path, 8000, start=5.0)


# --- broken files: each gets a sentence of its own -------------------------------------------


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".opus", ".mp3"])
def test_a_truncated_file_is_called_truncated(tmp_path, suffix, share):
    whole = written(tmp_path, suffix)
    content = whole.read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SimlibError, match="truncated.*copy or download it again"):
        decode(path, 8000)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", ["CONSTANT", "VARIABLE", "no header"])
def test_every_kind_of_mp3_tells_that_its_end_is_missing(tmp_path, kind, share):
    whole = tmp_path / "whole.mp3"
    if kind == "no header":
        samples.write_constant_mp3(whole)
        assert b"Xing" not in whole.read_bytes()
        assert b"Info" not in whole.read_bytes()
    else:
        sound = samples.bursts(3, 44100) + samples.chord(3, rate=44100)
        samples.write(whole, sound, 44100, bitrate_mode=kind, compression_level=0.5)
    assert len(decode(whole, 8000)) > 23_000
    content = whole.read_bytes()
    # Off any frame's border: a file that ends with a whole frame and says nothing is no witness.
    path = tmp_path / "cut.mp3"
    path.write_bytes(content[: int(len(content) * share) // 209 * 209 + 100])
    with pytest.raises(SimlibError, match="truncated"):
        decode(path, 8000)


@pytest.mark.parametrize("suffix", [".m4a", ".mp4", ".aac", ".wma", ".webm"])
def test_half_a_file_that_pyav_decodes_is_refused(tmp_path, suffix):
    whole = written(tmp_path, suffix)
    content = whole.read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SimlibError, match="cannot be decoded|truncated|holds no audio"):
        decode(path, 8000)


@pytest.mark.parametrize("suffix", [*SOUNDFILE_FORMATS, *samples.AV_FORMATS])
@pytest.mark.parametrize("content", [b"Dear diary, today I ...\n" * 400, b"\0" * 9000, b"x"])
def test_what_is_no_audio_is_refused_whatever_its_name(tmp_path, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(SimlibError, match="cannot be decoded|holds no|truncated") as error:
        decode(path, 8000)
    assert error.value.subject == str(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".m4a"])
def test_an_empty_file_is_called_empty(tmp_path, suffix):
    (tmp_path / f"a{suffix}").touch()
    with pytest.raises(SimlibError, match=r"empty \(0 bytes\); replace"):
        decode(tmp_path / f"a{suffix}", 8000)


def test_a_header_without_samples_is_refused(tmp_path):
    path = samples.write(tmp_path / "a.wav", samples.tone(0))
    with pytest.raises(SimlibError, match="holds no samples"):
        decode(path, 8000)


@pytest.mark.parametrize("level", [0.0, 5e-5])
def test_silence_is_refused_and_quiet_music_is_not(tmp_path, level):
    silent = samples.write(tmp_path / "a.wav", samples.tone(level=level), subtype="FLOAT")
    with pytest.raises(SimlibError, match="is silent"):
        decode(silent, 8000)
    quiet = samples.write(tmp_path / "b.wav", samples.tone(level=2e-4), subtype="FLOAT")
    assert len(decode(quiet, 8000)) == 8000


def test_a_recording_that_begins_with_silence_is_fine(tmp_path):
    sound = np.concatenate([np.zeros(15 * 8000, dtype=np.float32), samples.tone()])
    assert len(decode(samples.write(tmp_path / "a.wav", sound), 8000)) == 16 * 8000


@pytest.mark.parametrize("level", [1e10, 1e30, 3e38])
def test_samples_far_above_full_scale_are_refused_by_their_level(tmp_path, level):
    path = samples.write(tmp_path / "a.wav", samples.tone(1) * level, subtype="FLOAT")
    with pytest.raises(SimlibError, match="times full scale.*export it once more"):
        decode(path, 8000)


def test_integers_that_were_stored_as_floats_are_sound(tmp_path):
    sound = samples.tone(1)
    path = samples.write(tmp_path / "a.wav", sound * 32_768, subtype="FLOAT")
    np.testing.assert_allclose(decode(path, 8000), sound * 32_768, rtol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, value):
    sound = samples.tone()
    sound[4000] = value
    path = samples.write(tmp_path / "a.wav", sound, subtype="FLOAT")
    with pytest.raises(SimlibError, match="samples that are not numbers"):
        decode(path, 16000)


def patched(path, position, content):
    raw = bytearray(path.read_bytes())
    raw[position : position + len(content)] = content
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(("field", "position"), [("channels", 22), ("sample rate", 24)])
@pytest.mark.parametrize("suffix", [".wav", ".m4a"])
def test_a_header_that_claims_zero_is_refused(tmp_path, field, position, suffix):
    path = samples.write(tmp_path / "a.wav", samples.tone())
    patched(path, position, b"\0\0" if field == "channels" else b"\0\0\0\0")
    with pytest.raises(SimlibError, match="cannot be decoded"):
        decode(path.rename(tmp_path / f"zero{suffix}"), 8000)


def test_a_wav_from_a_stream_that_claims_nothing_is_whole(tmp_path):
    """Recorders that write to a pipe leave the largest number as the length."""
    path = samples.write(tmp_path / "a.wav", samples.tone())
    patched(patched(path, 4, b"\xff" * 4), 40, b"\xff" * 4)
    assert len(decode(path, 8000)) == 8000


def test_what_follows_the_samples_of_a_wav_is_no_sound(tmp_path):
    path = samples.write(tmp_path / "a.wav", samples.tone())
    path.write_bytes(path.read_bytes() + b"ID3 and other trailers")
    assert len(decode(path, 8000)) == 8000


@pytest.mark.parametrize("suffix", [".wav", ".m4a"])
def test_a_folder_with_an_audio_files_name_is_refused(tmp_path, suffix):
    (tmp_path / f"x{suffix}").mkdir()
    with pytest.raises(SimlibError, match="is not a regular file"):
        decode(tmp_path / f"x{suffix}", 8000)


@pytest.mark.parametrize("suffix", [".wav", ".m4a"])
def test_a_pipe_is_refused_and_never_waited_for(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    os.mkfifo(path)
    with pytest.raises(SimlibError, match="is not a regular file"):
        decode(path, 8000)


@pytest.mark.parametrize("suffix", [".wav", ".m4a"])
def test_a_name_that_is_not_utf8_is_refused(tmp_path, suffix):
    path = samples.write(tmp_path / "a.wav", samples.tone(1.0))
    strange = tmp_path / os.fsdecode(b"caf\xe9" + suffix.encode())
    path.rename(strange)
    with pytest.raises(SimlibError, match="is not valid UTF-8; rename it"):
        decode(strange, 8000)


@pytest.mark.parametrize("name", ["absent.wav", "absent.m4a", "dangling.wav", "x" * 300 + ".wav"])
def test_a_file_that_is_not_there_is_called_so(tmp_path, name):
    (tmp_path / "dangling.wav").symlink_to(tmp_path / "nowhere.wav")
    with pytest.raises(SimlibError, match="is not there|cannot be read"):
        decode(tmp_path / name, 8000)


@pytest.mark.parametrize("suffix", [".wav", ".m4a"])
def test_a_file_that_may_not_be_read_is_called_so(suffix, unprivileged):
    # Not below tmp_path, which nobody but its owner may enter.
    with tempfile.TemporaryDirectory() as folder:
        path = samples.write(Path(folder) / "a.wav", samples.tone())
        path = path.rename(path.with_name(f"b{suffix}"))
        path.parent.chmod(0o755)
        path.chmod(0)
        with unprivileged(), pytest.raises(SimlibError, match="cannot be read.*permissions"):
            decode(path, 8000)


def test_the_length_of_a_broken_file_is_an_error_too(tmp_path):
    for name in ("a.wav", "a.m4a"):
        (tmp_path / name).write_bytes(b"no audio at all")
        with pytest.raises(SimlibError):
            duration(tmp_path / name)
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(SimlibError, match="not a regular file"):
        duration(tmp_path / "pipe.wav")


# --- what listeners get ----------------------------------------------------------------------


@given(st.integers(0, 3000))
def test_fading_touches_the_ends_only(count):
    sound = np.ones(count, dtype=np.float32)
    faded = fade(sound, 8000)
    assert (sound == 1).all(), "the input was changed"
    edge = min(400, count // 2)
    assert (faded[edge : count - edge] == 1).all()
    if edge:
        assert faded[0] == faded[-1] == 0
        assert (np.diff(faded[:edge]) > 0).all()
        np.testing.assert_allclose(faded, faded[::-1])


def test_an_embedded_excerpt_is_a_small_mp3_of_the_same_sound():
    sound = samples.tone(2, 440, 22050, level=2.0)  # clipped, not wrapped around
    content = mp3_bytes(sound, 22050)
    assert len(content) < sound.nbytes / 8
    decoded, rate = sf.read(io.BytesIO(content))
    assert rate == 22050
    assert np.abs(decoded).max() < 1.2
    assert samples.peak_frequency(decoded[5000:35000], rate) == pytest.approx(440, abs=2)


# --- real recordings, where there are some ---------------------------------------------------


def test_real_recordings_decode_as_long_as_they_say(real_catalogue):
    table = pd.read_csv(real_catalogue / "tracks.csv")
    for name in table["path"].sample(3, random_state=0):
        path = real_catalogue / name
        sound = decode(path, 22050)
        assert len(sound) / 22050 == pytest.approx(duration(path), abs=0.1)
        assert 0.01 < np.abs(sound).max() < 2


def test_half_a_real_recording_is_refused(real_catalogue, tmp_path):
    table = pd.read_csv(real_catalogue / "tracks.csv")
    whole = real_catalogue / table["path"].iloc[0]
    content = whole.read_bytes()
    path = tmp_path / f"half{whole.suffix}"
    path.write_bytes(content[: len(content) // 2 + 1])
    with pytest.raises(SimlibError, match="truncated"):
        decode(path, 22050)
