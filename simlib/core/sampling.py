"""Samples of recordings that do not depend on their order in a table.

Recordings are ordered by a digest of their ids. If others arrive, only those with a lower digest
join a sample, so most of it stays.
"""

from collections.abc import Iterable

import numpy as np

from simlib.core.digests import digest_of


def digest_order(ids: Iterable[str]) -> np.ndarray:
    """Order recordings by the digests of their ids, in effect at random.

    Parameters
    ----------
    ids : iterable of str
        Track ids, each once.

    Returns
    -------
    numpy.ndarray of int64, shape (n_tracks,)
        Rows, the lowest digest first.
    """
    return np.argsort([digest_of(str(one)) for one in ids])


def stable_sample(ids: Iterable[str], most: int) -> np.ndarray:
    """Choose the recordings whose ids have the lowest digests.

    Parameters
    ----------
    ids : iterable of str
        Track ids, each once.
    most : int
        Recordings to choose at most.

    Returns
    -------
    numpy.ndarray of int64, shape (min(n_tracks, most),)
        Rows, rising.
    """
    ids = list(ids)
    if len(ids) <= most:
        return np.arange(len(ids))
    return np.sort(digest_order(ids)[:most])
