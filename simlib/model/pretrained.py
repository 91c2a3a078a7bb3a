"""The weights that come with simlib: what they have heard, and where training may begin with them.

They embed where nothing was trained yet, and training may begin with them. What they learned from
goes with them, so that they are never scored on it.
"""

from simlib.model.embedder import Embedder

# So much of a file's digest tells recordings apart and keeps the list short.
DIGITS = 16


def shorten_digests(digests):
    """Shorten digests of files for the metadata of weights.

    Parameters
    ----------
    digests : iterable of str

    Returns
    -------
    list of str
        Sorted.
    """
    return sorted(digest[:DIGITS] for digest in digests)


def load_pretrained(path, front_end, digests):
    """Load the weights, if they can be used on a catalogue whose test artists they have not heard.

    Parameters
    ----------
    path : pathlib.Path
        Of the weights that come with simlib.
    front_end : simlib.features.FrontEnd
        Of the catalogue's log-mel spectrograms.
    digests : iterable of str
        Of the catalogue's files.

    Returns
    -------
    model : simlib.model.Embedder or None
        None where they cannot be used.
    remark : str
        A sentence on why, or that they have heard nothing of the catalogue.
    """
    folder = path.parent.name
    if not path.exists():
        return None, f"There are no weights in {folder}/."
    model = Embedder.load(path)
    if model.front_end != front_end:
        return None, f"The weights in {folder}/ hear another log-mel front-end."
    heard = set(model.provenance["learned_from"])
    shared = sum(digest in heard for digest in shorten_digests(digests))
    if shared:
        return None, (
            f"Of this catalogue's recordings, the weights in {folder}/ learned from {shared}: "
            "scored here they would look better than they are."
        )
    return model, f"The weights in {folder}/ have heard nothing of this catalogue."
