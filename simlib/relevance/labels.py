"""Tags of recordings, in the form in which they are compared."""

import numpy as np
import pandas as pd

from simlib.core import KNOWN_COLUMNS, is_reserved
from simlib.relevance.artists import artist_keys


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
        known = name in KNOWN_COLUMNS or is_reserved(name)
        if known or pd.api.types.is_numeric_dtype(tracks[name]):
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


def jaccard(tags: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
    """Compute the Jaccard index |A n B| / |A u B| of the tag sets of every pair of tracks.

    Parameters
    ----------
    tags : numpy.ndarray of float32, shape (..., n_tracks, n_tags)
        From `tag_matrix`.
    others : numpy.ndarray of float32, shape (..., n_others, n_tags), optional
        Of the tracks to compare them with; by default the same ones.

    Returns
    -------
    numpy.ndarray of float32, shape (..., n_tracks, n_others)
        0 if both sets are empty.
    """
    others = tags if others is None else others
    shared = tags @ np.swapaxes(others, -1, -2)
    union = tags.sum(axis=-1)[..., :, None] + others.sum(axis=-1)[..., None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
