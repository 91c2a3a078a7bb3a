import av
import mutagen.id3
import pytest
import samples
import soundfile as sf
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.mp4 import MP4
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from simlib.catalogue.file_tags import is_nobody, read_tags
from simlib.core import AUDIO_SUFFIXES
from simlib.features import decode

TAGS = {"title": "Song", "artist": "Anna", "album": "Tree", "genre": "Folk"}


def id3(tags):
    frames = {"title": "TIT2", "artist": "TPE1", "album": "TALB", "genre": "TCON"}
    found = mutagen.id3.ID3()
    for name, text in tags.items():
        found.add(getattr(mutagen.id3, frames[name])(encoding=3, text=[text]))
    return found


def riff_info(path, tags=TAGS):
    """A WAV with a LIST INFO chunk, as most programs write it."""
    with sf.SoundFile(path, "w", 44100, 1) as file:
        for name, text in tags.items():
            setattr(file, name, text)
        file.write(samples.tone(0.3, rate=44100))


def container(path, codec="libopus", rate=48000):
    """A file that PyAV writes with tags of the container."""
    with av.open(str(path), "w") as output:
        output.metadata.update(TAGS)
        stream = output.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.tone(0.3, rate=rate)[None], "fltp", "mono")
        frame.sample_rate, frame.pts = rate, 0
        fifo, size = av.AudioFifo(), stream.codec_context.frame_size or 1024
        fifo.write(frame)
        resampler = av.AudioResampler(stream.codec_context.format, "mono", rate)
        while part := fifo.read(size, partial=True):
            for each in resampler.resample(part):
                output.mux(stream.encode(each))
        output.mux(stream.encode(None))


def adts(path):
    samples.write_av(path, 0.3)
    id3(TAGS).save(path)


def ape(path):
    samples.write(path, samples.tone(0.3, rate=44100), 44100)
    tags = APEv2()
    tags.update({name.title(): text for name, text in TAGS.items()})
    tags.save(path)


def wma(path):
    samples.write_av(path, 0.3)
    file = ASF(path)
    names = {"title": "Title", "artist": "Author", "album": "WM/AlbumTitle", "genre": "WM/Genre"}
    for name, text in TAGS.items():
        file[names[name]] = [text, text] if name == "artist" else [text]
    file.save()


def aiff(path):
    samples.write(path, samples.tone(0.3, rate=44100), 44100, format="AIFF")
    file = AIFF(path)
    file.add_tags()
    file.tags.update(id3(TAGS))
    file.save()


def vorbis(path):
    samples.write(path, samples.tone(0.3, rate=44100), 44100, format="OGG")
    file = OggVorbis(path)
    file.update(TAGS)
    file.save()


def wave_id3(path):
    samples.write(path, samples.tone(0.3, rate=44100), 44100)
    file = WAVE(path)
    file.add_tags()
    file.tags.update(id3(TAGS))
    file.save()


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("riff.wav", riff_info),
        ("id3.wav", wave_id3),
        ("a.webm", container),
        ("a.mka", container),
        ("a.opus", container),
        ("a.oga", vorbis),
        ("a.wv", lambda path: container(path, "wavpack")),
        ("a.caf", lambda path: container(path, "pcm_s16be")),
        ("a.au", lambda path: container(path, "pcm_s16be")),
        ("a.m4a", lambda path: container(path, "aac")),
        ("a.aac", adts),
        ("a.mp3", ape),
        ("a.wma", wma),
        ("a.aiff", aiff),
        ("a.aif", aiff),
    ],
)
def test_tags_that_a_player_shows_are_read(tmp_path, name, write):
    write(tmp_path / name)
    assert read_tags(tmp_path / name) == TAGS
    assert tmp_path.joinpath(name).suffix in AUDIO_SUFFIXES
    assert len(decode(tmp_path / name, 8000)) > 1500


def test_what_one_kind_of_tags_lacks_another_has(tmp_path):
    riff_info(tmp_path / "a.wav")
    file = WAVE(tmp_path / "a.wav")
    file.add_tags()
    file.tags.update(id3({"title": "ID3 title"}))
    file.save()
    assert read_tags(tmp_path / "a.wav") == TAGS | {"title": "ID3 title"}


@pytest.mark.parametrize(
    ("artist", "album_artist", "expected"),
    [
        ([], ["Anna"], "Anna"),
        (["Anna"], ["Ben"], "Anna"),
        (["Various Artists"], ["Anna"], "Anna"),
        ([], ["Various Artists"], ""),
        (["Unknown Artist"], [], ""),
        (["Anna", "Ben", "Anna"], [], "Anna;Ben"),
        (["Anna;Ben"], [], "Anna;Ben"),
        ([" "], ["Anna"], "Anna"),
    ],
)
def test_the_albums_artist_counts_if_there_is_no_other(tmp_path, artist, album_artist, expected):
    path = samples.write(tmp_path / "a.flac", samples.tone(0.2))
    file = FLAC(path)
    file.update({"artist": artist, "albumartist": album_artist})
    file.save()
    assert read_tags(path)["artist"] == expected
    path = samples.write_av(tmp_path / "a.m4a", 0.2)
    file = MP4(path)
    file.update({"\xa9ART": artist, "aART": album_artist})
    file.save()
    assert read_tags(path)["artist"] == expected


def test_genres_that_are_numbers_get_their_names(tmp_path):
    path = samples.write(tmp_path / "a.aiff", samples.tone(0.2))
    file = AIFF(path)
    file.add_tags()
    file.tags.update(id3({"genre": "(17)"}))
    file.save()
    assert read_tags(path)["genre"] == "Rock"


def test_tags_in_the_code_page_of_windows_are_read(tmp_path):
    riff_info(tmp_path / "a.wav", {"artist": "Motxrhead"})
    content = (tmp_path / "a.wav").read_bytes().replace(b"Motxrhead", b"Mot\xf6rhead")
    (tmp_path / "a.wav").write_bytes(content)
    assert read_tags(tmp_path / "a.wav")["artist"] == "Motörhead"


@pytest.mark.parametrize("name", ["a.mp3", "a.wav", "a.webm", "notes.txt", "a.mp4"])
@pytest.mark.parametrize(
    "content", [b"", b"ID3\x04\x00" + b"\xff" * 60, b"#EXTM3U\nhttp://127.0.0.1:9/x.mp3\n"]
)
def test_broken_files_have_no_tags_and_stop_nobody(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert read_tags(tmp_path / name) == dict.fromkeys(TAGS, "")
    assert read_tags(tmp_path / "absent.mp3") == dict.fromkeys(TAGS, "")


@pytest.mark.parametrize("name", ["Various Artists", "VA", " various  artists", "Unknown Artist"])
def test_some_names_are_nobodys(name):
    assert is_nobody(name)
    assert not is_nobody(name + " Inc")
