"""Labels of recordings: artists and tags, in the form in which they are compared."""

import numpy as np
import pandas as pd

from simlib.core import KNOWN_COLUMNS, RESERVED_COLUMNS
from simlib.relevance.artists import artist_name, link_artists


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


def tag_sets(column: pd.Series) -> list[frozenset[str]]:
    """Split a text column at `;` into the set of case-folded tags of each track.

    Parameters
    ----------
    column : pandas.Series
        Text; several values are separated by `;`.

    Returns
    -------
    list of frozenset of str
    """
    return [
        frozenset(v.strip().casefold() for v in str(cell).split(";") if v.strip())
        for cell in column.to_numpy(dtype=object)
    ]


def tag_columns(tracks: pd.DataFrame) -> list[str]:
    """Find the tag columns: text columns with a value that two artists share.

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
        owner: dict[str, str] = {}
        for artist, tags in zip(artists, tag_sets(tracks[name]), strict=True):
            if any(owner.setdefault(tag, artist) != artist for tag in tags):
                columns.append(name)
                break
    return columns


def tag_matrix(column: pd.Series) -> np.ndarray:
    """Mark which track has which tag.

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
    matrix = np.zeros((len(sets), len(names)), dtype=np.float32)
    for row, tags in enumerate(sets):
        matrix[row, [names[tag] for tag in tags]] = 1.0
    return matrix


def jaccard(tags: np.ndarray) -> np.ndarray:
    """Compute the Jaccard index |A n B| / |A u B| of the tag sets of every pair of tracks.

    Parameters
    ----------
    tags : numpy.ndarray of float32, shape (n_tracks, n_tags)
        From `tag_matrix`.

    Returns
    -------
    numpy.ndarray of float32, shape (n_tracks, n_tracks)
        0 if both sets are empty.
    """
    shared = tags @ tags.T
    sizes = tags.sum(axis=1)
    union = sizes[:, None] + sizes[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


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
