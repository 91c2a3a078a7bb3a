"""Artists in the form in which they are compared, and the artist filter.

A recording by Anna and Ben counts as one by Anna and as one by Ben. So artists who recorded
together are one artist for the split and the artist filter.
"""

import re
import unicodedata
from collections.abc import Iterator

import numpy as np
import pandas as pd

# These always separate artists.
_PLAIN = re.compile(r";|[\s(\[]+(?:feat|ft|featuring|with)\b\.?\s*(?=[^\s.,;&/+])")
# These also stand in the names of bands.
_AMBIGUOUS = re.compile(
    r"\s*[,/|+&\\]\s*|\s+(?:and|und|et|y|e|og|och|con|mit|x|×|vs\.?|versus|meets|presents|pres\.?)\s+"
)
_DASHES_AND_QUOTES = str.maketrans("‐‑‒–—−’‘ʼ`´", "------'''''")
# Many artists have one, and it is not the same.
_BACKING = re.compile(
    r"(?:(?:his|her|their|the|a|an|some)\s+)?(?:all[- ]?stars?|band|choir|chorus|company|ensemble|"
    r"friends|guests?|orchestra|others|quartet|quintet|sextet|strings|trio)"
)
_MOST_PARTS = 12


def artist_name(artist: str) -> str:
    """Return an artist's name in Unicode form NFKC, stripped and case-folded."""
    return unicodedata.normalize("NFKC", str(artist)).strip().casefold()


def own_artist_keys(tracks: pd.DataFrame) -> np.ndarray:
    """Return the artists as the table has them, stripped and case-folded.

    Parameters
    ----------
    tracks : pandas.DataFrame
        With `artist` and `track_id`.

    Returns
    -------
    numpy.ndarray of object, shape (n_tracks,)
        `a:` and the name; `t:` and the track's id for a missing artist, which is one of its own.
    """
    artists = tracks["artist"].to_numpy(dtype=object)
    ids = tracks["track_id"].to_numpy(dtype=object)
    names = map(artist_name, artists)
    keys = [f"a:{n}" if n else f"t:{i}" for n, i in zip(names, ids, strict=True)]
    return np.array(keys, dtype=object)


def artist_keys(tracks: pd.DataFrame) -> np.ndarray:
    """Return the artists in the form in which they are compared.

    Artists who recorded together, or whose spellings differ only by case, blanks or Unicode form,
    are one: see `link_artists`. Each missing artist is one of its own.

    Parameters
    ----------
    tracks : pandas.DataFrame
        With `artist` and `track_id`.

    Returns
    -------
    numpy.ndarray of object, shape (n_tracks,)
        The first of the linked keys of `own_artist_keys`, in alphabetical order.
    """
    own = own_artist_keys(tracks)
    keys = sorted({key for key in own if key.startswith("a:")})
    first: dict[int, str] = {}
    groups = link_artists([key.removeprefix("a:") for key in keys])
    key_of = {key: first.setdefault(group, key) for key, group in zip(keys, groups, strict=True)}
    return np.array([key_of.get(key, key) for key in own], dtype=object)


def artist_filter(artists: np.ndarray) -> np.ndarray:
    """Make the candidate mask of the artist filter: pairs by different artists.

    Parameters
    ----------
    artists : numpy.ndarray of object, shape (n_tracks,)
        From `artist_keys`.

    Returns
    -------
    numpy.ndarray of bool, shape (n_tracks, n_tracks)
    """
    codes = artist_codes(artists)
    return codes[:, None] != codes[None, :]


def artist_codes(artists: np.ndarray) -> np.ndarray:
    """Return a number for each artist, so that comparisons are fast.

    Parameters
    ----------
    artists : numpy.ndarray of object, shape (n_tracks,)
        From `artist_keys`.

    Returns
    -------
    numpy.ndarray of int64, shape (n_tracks,)
        Equal if the artists are equal.
    """
    return np.unique(artists.astype(str), return_inverse=True)[1]


def link_artists(names: list[str]) -> np.ndarray:
    """Group the artists that share a person or differ in spelling only.

    Blanks, Unicode form and typographic dashes and apostrophes do not count. `;`, `feat.`, `ft.`,
    `featuring` and `with` separate artists. `&`, `and`, `,`, `/`, `x`, `vs.` and the like stand in
    names of bands too. A part between them counts if it is an artist by itself in `names`. The same
    parts in another order are the same artists.

    Parameters
    ----------
    names : list of str
        From `artist_name`.

    Returns
    -------
    numpy.ndarray of int, shape (n_names,)
        Equal if a chain of joint recordings links the artists.
    """
    solo = {_spelling(part) for name in names for part in _plain_parts(name)}
    # Union-find: each name points to one of its group, in the end to the first. SciPy's connected
    # components take a third of a second to import, and every search filters artists.
    group = list(range(len(names)))

    def first(row):
        while group[row] != row:
            group[row] = row = group[group[row]]
        return row

    holders: dict[str, int] = {}
    for row, name in enumerate(names):
        for node in _nodes(name, solo):
            one, other = first(row), first(holders.setdefault(node, row))
            group[max(one, other)] = min(one, other)
    return np.array([first(row) for row in range(len(names))], dtype=np.int64)


def _plain_parts(name):
    parts = [part.strip(" ()[]") for part in _PLAIN.split(name)]
    return [part for part in parts if part and not _BACKING.fullmatch(part)] or [name]


def _nodes(name: str, solo: set[str]) -> Iterator[str]:
    """Yield what a name shares with those that it is linked with."""
    for part in _plain_parts(name):
        yield _spelling(part)
        marks = list(_AMBIGUOUS.finditer(part))[:_MOST_PARTS]
        starts = [0, *(mark.end() for mark in marks)]
        ends = [*(mark.start() for mark in marks), len(part)]
        for first, start in enumerate(starts if marks else ()):
            for end in ends[first:]:
                piece = part[start:end]
                if _spelling(piece) in solo and not _BACKING.fullmatch(piece):
                    yield _spelling(piece)
        if marks:
            pieces = {_spelling(part[s:e]) for s, e in zip(starts, ends, strict=True)}
            yield "\0".join(sorted(pieces))


def _spelling(name):
    """Return a name without what does not count when two are compared."""
    form = unicodedata.normalize("NFKC", name).translate(_DASHES_AND_QUOTES)
    visible = (c for c in form if unicodedata.category(c) != "Cf" and not c.isspace())
    return "".join(visible) or name
