"""Tags in audio files: read by mutagen, and what it lacks by FFmpeg."""

from os import PathLike
from pathlib import Path

import av
import mutagen
from mutagen.apev2 import APEv2

from simlib.catalogue.scanning import is_audio_name

TAGS = ("title", "artist", "album", "genre")

# mutagen has no common names for the tags of WMA, WAV, AIFF and WavPack.
_SPELLINGS = {
    "title": ("title", "Title", "TIT2"),
    "artist": ("artist", "Author", "TPE1", "author"),
    "album_artist": ("albumartist", "album_artist", "album artist", "WM/AlbumArtist", "TPE2"),
    "album": ("album", "WM/AlbumTitle", "TALB"),
    "genre": ("genre", "WM/Genre", "TCON"),
}

_NOBODY = frozenset(
    "various artists|various|various artist|va|v.a.|v/a|v. a.|compilation|compilations|soundtrack|"
    "soundtracks|"
    "unknown artist|unknown artists|unknown|no artist|<unknown>|[unknown]|verschiedene interpreten|"
    "diverse interpreten|verschiedene künstler|artistes divers|varios artistas|artisti vari|"
    "unbekannter künstler|unbekannter interpret|artiste inconnu|artista desconocido".split("|")
)


def is_nobody(artist: str) -> bool:
    """Tell whether a name stands for several artists or an unknown one, such as `VA`."""
    return " ".join(artist.split()).casefold() in _NOBODY


def read_tags(path: str | PathLike) -> dict[str, str]:
    """Read a file's own tags.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict
        `title, artist, album, genre`, each in one line, several values joined by `;`; unknown ones
        are "". The artist is the album's artist if there is no other; names such as "Various
        Artists" are none.
    """
    found = dict.fromkeys(_SPELLINGS, "")
    for read in (_mutagen_tags, _ape_tags, _ffmpeg_tags):
        if all(found[name] for name in TAGS):
            break
        try:
            tags = read(Path(path))
        except Exception:  # noqa: BLE001 - a tag parser fed untrusted bytes; decoding judges the file
            continue
        for name, spellings in _SPELLINGS.items():
            found[name] = found[name] or _first_text(tags, spellings)
    artists = [a for a in (found["artist"], found.pop("album_artist")) if not is_nobody(a)]
    return found | {"artist": next(filter(None, artists), "")}


def _mutagen_tags(path):
    file = mutagen.File(path, easy=True)
    return {} if file is None or file.tags is None else file.tags


def _ape_tags(path):
    """Return the APEv2 tags of an MPEG stream, where mutagen looks for ID3 alone."""
    return APEv2(path) if path.suffix.lower() in (".mp3", ".aac") else {}


def _ffmpeg_tags(path):
    if not is_audio_name(path.name):
        return {}
    try:
        return _container_tags(path, "utf-8", "strict")
    except UnicodeDecodeError:
        # Windows programs write RIFF INFO in the system's code page.
        return _container_tags(path, "cp1252", "replace")


def _container_tags(path, encoding, errors):
    # A playlist inside a file must not make FFmpeg open other files or addresses.
    options = {"protocol_whitelist": "file"}
    with av.open(
        str(path), metadata_encoding=encoding, metadata_errors=errors, options=options
    ) as container:
        sources = [stream.metadata for stream in container.streams.audio[:1]]
        tags = {}
        for source in [*sources, container.metadata]:
            tags |= {key.casefold(): value for key, value in source.items()}
    return tags


def _first_text(tags, spellings):
    """Return the first tag that has a value, in one line; several values are joined by `;`."""
    for spelling in spellings:
        try:
            values = tags.get(spelling)
        except (KeyError, ValueError):
            values = None
        # ID3 genres may be numbers, which mutagen translates.
        for attribute in ("genres", "text"):
            values = getattr(values, attribute, values)
        if isinstance(values, str) or not hasattr(values, "__iter__"):
            values = [] if values is None else [values]
        parts = [part for value in values for part in str(value).replace("\0", ";").split(";")]
        lines = [" ".join(part.split()) for part in parts]
        text = ";".join(dict.fromkeys(filter(None, lines)))
        if text:
            return text
    return ""
