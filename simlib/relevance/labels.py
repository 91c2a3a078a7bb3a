"""The tracks table: read, checked, completed from the files' own tags, and split by artist.

A catalogue is a folder with `audio/**` and `tracks.csv`. Nothing here looks at samples.
"""

import unicodedata

import numpy as np
import pandas as pd

from simlib.core import KNOWN_COLUMNS, RESERVED_COLUMNS


def artist_keys(tracks):
    """Return the artists as they are compared: stripped, case-folded, a missing one unique.

    Parameters
    ----------
    tracks : pandas.DataFrame
        With `artist` and `track_id`.

    Returns
    -------
    numpy.ndarray of object, shape (n_tracks,)
    """
    artists = tracks["artist"].to_numpy(dtype=object)
    ids = tracks["track_id"].to_numpy(dtype=object)
    names = [unicodedata.normalize("NFKC", str(a)).strip().casefold() for a in artists]
    keys = [f"a:{n}" if n else f"t:{i}" for n, i in zip(names, ids, strict=True)]
    return np.array(keys, dtype=object)


def tag_sets(column):
    """Split a text column at `;` into one frozenset of case-folded tags a track.

    Parameters
    ----------
    column : pandas.Series
        Text, several values separated by `;`.

    Returns
    -------
    list of frozenset of str
    """
    return [
        frozenset(v.strip().casefold() for v in str(cell).split(";") if v.strip())
        for cell in column.to_numpy(dtype=object)
    ]


def tag_columns(tracks):
    """Name the tag columns: text columns with a value that two artists share.

    Parameters
    ----------
    tracks : pandas.DataFrame

    Returns
    -------
    list of str
        In the table's order.
    """
    artists = artist_keys(tracks)
    columns = []
    for name in tracks.columns:
        if name in (*KNOWN_COLUMNS, *RESERVED_COLUMNS) or pd.api.types.is_numeric_dtype(
            tracks[name]
        ):
            continue
        owner = {}
        for artist, tags in zip(artists, tag_sets(tracks[name]), strict=True):
            if any(owner.setdefault(tag, artist) != artist for tag in tags):
                columns.append(name)
                break
    return columns


def tag_matrix(column):
    """Which track carries which tag.

    Parameters
    ----------
    column : pandas.Series
        A tag column.

    Returns
    -------
    numpy.ndarray of float32, shape (n_tracks, n_tags)
        0 or 1; tags in alphabetical order.
    """
    sets = tag_sets(column)
    names = {tag: i for i, tag in enumerate(sorted(frozenset().union(*sets)))}
    member = np.zeros((len(sets), len(names)), dtype=np.float32)
    for row, tags in enumerate(sets):
        member[row, [names[tag] for tag in tags]] = 1.0
    return member


def jaccard(member):
    """Overlap |A n B| / |A u B| of the tag sets of every pair of tracks.

    Parameters
    ----------
    member : numpy.ndarray of float32, shape (n_tracks, n_tags)
        From `tag_matrix`.

    Returns
    -------
    numpy.ndarray of float32, shape (n_tracks, n_tracks)
        0 where both sets are empty.
    """
    shared = member @ member.T
    sizes = member.sum(axis=1)
    union = sizes[:, None] + sizes[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def artist_filter(artists):
    """Which pairs may meet in a ranked list: those by different artists (the artist filter).

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
    """Number artists, so that they compare quickly.

    Parameters
    ----------
    artists : numpy.ndarray of object, shape (n_tracks,)
        From `artist_keys`.

    Returns
    -------
    numpy.ndarray of int64, shape (n_tracks,)
        Equal where the artists are.
    """
    return np.unique(artists.astype(str), return_inverse=True)[1]
