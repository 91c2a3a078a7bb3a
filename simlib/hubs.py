"""Hub correction: how near two recordings are, as both of them see it.

In a space of many dimensions some points come to lie near everything; such hubs stand in every
list. Two remedies, both without a tag: vectors are taken relative to the catalogue's centre, which
hubs are near (Suzuki et al. 2013), and mutual proximity (Schnitzer et al. 2012) asks from both
ends: of all other recordings, how many are nearer to either of the two than they are to each other?
A recording by the artist of either is not counted: it would not stand in the same list.

Which recordings become hubs depends on who else is there: proximities counted over recordings
other than the candidates correct nothing. So they are counted over the candidates, in search and
in the evaluation alike.
"""

import numpy as np

# Recordings that proximities are counted over. More cost time and say little more.
REFERENCES = 1_000


class Crowd:
    """The recordings that proximities are counted over: the catalogue, or an even sample of it.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_references, embedding)
        Of unit length.
    artists : numpy.ndarray, shape (n_references,)
        Anything that is equal for recordings by one artist.
    """

    def __init__(self, vectors, artists):
        self.centre = vectors.mean(axis=0)
        self.vectors = self.relative(vectors)
        self.artists = artists

    def relative(self, vectors):
        """Take vectors relative to the centre, at unit length: float32, of the same shape."""
        relative = vectors - self.centre
        length = np.linalg.norm(relative, axis=-1, keepdims=True)
        return relative / np.maximum(length, 1e-6)

    def proximity(self, query, candidates, artists, artist=None):
        """Empirical mutual proximity of a query to every candidate.

        The share of the crowd that is nearer neither to the query nor to the candidate than these
        two are to each other; Schnitzer, Flexer, Schedl and Widmer (2012), equation 6.
        Candidates that tie in it are ordered by their cosines.

        Parameters
        ----------
        query : numpy.ndarray of float32, shape (embedding,)
        candidates : numpy.ndarray of float32, shape (n_candidates, embedding)
        artists : numpy.ndarray, shape (n_candidates,)
        artist : optional
            The query's; None for a reference from outside.

        Returns
        -------
        numpy.ndarray of float64, shape (n_candidates,)
            Between 0 and 1; 1 for the query itself.
        """
        query, candidates = self.relative(query), self.relative(candidates)
        similarity = candidates @ query
        nearer = (self.vectors @ query)[None, :] > similarity[:, None]
        nearer |= candidates @ self.vectors.T > similarity[:, None]
        counts = artists[:, None] != self.artists[None, :]
        if artist is not None:
            counts &= (self.artists != artist)[None, :]
        below_one = (1 - np.clip(similarity.astype(np.float64), -1, 1)) / 2
        return 1 - ((nearer & counts).sum(axis=1) + below_one) / (counts.sum(axis=1) + 1)


def corrected(vectors, artists):
    """Mutual proximity of every pair of recordings, as search ranks them if these are all.

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, embedding)
        Of unit length.
    artists : numpy.ndarray, shape (n_tracks,)
        Anything that is equal for recordings by one artist.

    Returns
    -------
    numpy.ndarray of float64, shape (n_tracks, n_tracks)
        Symmetric.
    """
    # Numbers compare faster than texts.
    artists = np.unique(artists.astype(str), return_inverse=True)[1]
    rows = spread(len(vectors), REFERENCES)
    crowd = Crowd(vectors[rows], artists[rows])
    each = zip(vectors, artists, strict=True)
    return np.stack([crowd.proximity(one, vectors, artists, artist) for one, artist in each])


def spread(count, most):
    """Rows of a table, spread evenly over it: int64, shape (min(count, most),)."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
