"""The weights that come with simlib, and whether a catalogue may use them.

They embed files before anything was trained, and training may begin with them. The digests of the
recordings that they learned from go with them, so that they are never scored on these.
"""

from collections.abc import Iterable
from pathlib import Path

from simlib.features import FrontEnd
from simlib.model.embedder import Embedder

# This much of a file's digest tells recordings apart and keeps the list short.
DIGITS = 16


def shorten_digests(digests: Iterable[str]) -> list[str]:
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


def load_pretrained(
    path: Path, front_end: FrontEnd, digests: Iterable[str]
) -> tuple[Embedder | None, str]:
    """Load the weights, unless they were trained on recordings of the catalogue.

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
        None if they cannot be used.
    remark : str
        A sentence on why not, or that they are new to the catalogue.

    Raises
    ------
    SimlibError
        If the file holds no weights of this version.
    """
    folder = path.parent.name
    if not path.exists():
        return None, f"There are no weights in {folder}/."
    model = Embedder.load(
        path, "restore it with 'git restore pretrained', or make it anew: 'make pretrained'"
    )
    if model.front_end != front_end:
        return None, f"The weights in {folder}/ have another log-mel front-end."
    learned = set(model.provenance["learned_from"])
    shared = sum(digest in learned for digest in shorten_digests(digests))
    if shared:
        return None, (
            f"Of this catalogue's recordings, the weights in {folder}/ learned from {shared}: "
            "scored here they would look better than they are."
        )
    return model, f"The weights in {folder}/ were not trained on any recording of this catalogue."
