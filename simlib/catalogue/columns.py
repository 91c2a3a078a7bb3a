"""Names of the columns of a tracks table: which ones mean the same, and which ones are no tags."""

import difflib
import re
import unicodedata

from simlib.catalogue.csv_table import is_unnamed
from simlib.core import is_reserved, printable

# Keys are compared without case, blanks and punctuation.
_SPELLINGS = {
    "track_id": "trackid",
    "path": "path file filename filenames filepath audiofile audiopath audiofilepath audiofilename "
    "location relativepath fullpath trackpath songpath",
    "title": "title tracktitle trackname songtitle songname",
    "artist": "artist artists artistname artistnames trackartist songartist interpret",
    "album": "album albumtitle albumname releasetitle releasename",
    "album_artist": "albumartist albumartists albumartistname",
    "genre": "genre genres",
    "bpm": "bpm beatsperminute",
}
_MEANING = {key: name for name, keys in _SPELLINGS.items() for key in keys.split()}
# These mean something else in some tables, so a plainer name beside them comes first.
_WEAK = {"name": "title", "song": "title", "track": "title"} | dict.fromkeys(
    ["performer", "performers"], "artist"
)
_NO_TAGS = frozenset(
    "comment comments description remarks lyrics isrc iswc barcode upc ean asin catalog "
    "catalognumber catalogno tracknumber trackno tracknum tracknr track no nr number index "
    "discnumber discno discnr disc disk tracktotal totaltracks trackcount disctotal totaldiscs "
    "disccount duration length time playtime bitrate samplerate channels bitdepth size filesize "
    "filetype fileformat format codec kind encoder encodedby encoding encodersettings copyright "
    "date releasedate dateadded datemodified lastplayed lastmodified playcount plays skips "
    "skipcount name song performer performers titlesort artistsort albumsort sorttitle sortartist "
    "sortname albumartistsort cover artwork website link".split()
)
_NO_TAG_ENDS = frozenset(
    "id ids mbid uuid guid uri url md5 sha1 hash checksum path file filename".split()
)


def column_key(name: str) -> str:
    """Return a column's name as it is compared: case, blanks and punctuation do not count."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if c.isalnum()) or folded


def is_known_column(name: str) -> bool:
    """Tell whether a name is one of those that a tracks table is expected to have."""
    return column_key(name) in _MEANING


def is_no_tag(name: str) -> bool:
    """Tell whether a text column is no tag by its name: a comment, a number, an identifier."""
    words = re.split(r"[\W_]+|(?<=[a-z])(?=[A-Z])", name.strip(" .:#"))
    ends = words[-1].casefold() in _NO_TAG_ENDS
    return ends or column_key(name) in _NO_TAGS or column_key(name) == "#"


def rename_columns(header: list[str], rows: list[dict]) -> tuple[list[str], list[str]]:
    """Give the known columns of a table their own names, in place.

    Parameters
    ----------
    header : list of str
    rows : list of dict
        Column to text; their keys are changed.

    Returns
    -------
    header : list of str
    problems : list of str
        Columns that mean the same, names that are nearly those of known columns, reserved names.
    """
    names = _meanings(header, rows)
    problems = _name_problems(header, names)
    if any(name != meaning for name, meaning in names.items()):
        for row in rows:
            cells = {names[name]: cell for name, cell in row.items()}
            row.clear()
            row.update(cells)
    return list(dict.fromkeys(names[name] for name in header)), problems


def _name_problems(header, names):
    problems = []
    for position, name in enumerate(header, start=1):
        if is_unnamed(name):
            problems.append(f"column {position} has no name")
        elif is_reserved(name):
            problems.append(f"column '{name}' is a name that the pipeline uses itself")
        elif names[name] == name and (near := _near_miss(name)):
            problems.append(f"column '{printable(name)}' is not known: is it '{near}'?")
    if "path" not in names.values():
        problems.append("there is no column 'path'")
    for name in sorted({n for n in header if n and header.count(n) > 1}):
        problems.append(f"{header.count(name)} columns are called '{printable(name)}'")
    same: dict[str, list[str]] = {}
    for name, meaning in names.items():
        same.setdefault(_MEANING.get(column_key(meaning), column_key(meaning)), []).append(name)
    for spellings in same.values():
        if len(spellings) > 1:
            quoted = " and ".join(f"'{printable(name)}'" for name in spellings)
            problems.append(f"columns {quoted} mean the same: keep one")
    return problems


def _meanings(header, rows):
    """Return {name: the known column that it stands for, else the name itself}."""
    names = {name: _MEANING.get(column_key(name), name) for name in header}
    for weak, meaning in _WEAK.items():
        for name in header:
            if column_key(name) == weak and meaning not in names.values():
                cells = [row.get(name, "") for row in rows]
                if not all(re.fullmatch(r"([a-d]?\d+(\D+\d+)?)?", c, re.IGNORECASE) for c in cells):
                    names[name] = meaning
    return names


def _near_miss(name):
    """Return the known column that a name differs from by a letter or two, or None."""
    key = column_key(name)
    if key in _MEANING or is_no_tag(name):
        return None
    known = [k for k in ("path", "title", "artist", "album", "genre", "trackid", "albumartist",
                         "filename") if abs(len(k) - len(key)) < 2]  # fmt: skip
    found = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
    return _MEANING[found[0]] if found else None
