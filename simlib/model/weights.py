"""The file of weights: what it says about itself, and how a file that cannot be used is refused."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from safetensors import SafetensorError, safe_open

from simlib.core import SimlibError

TRAIN_HINT = "run 'make repro' to train one"
# What reading a file that is no encoder, or one of another version, may raise.
UNFIT = (SafetensorError, SimlibError, OSError, ValueError, TypeError, KeyError, RuntimeError)


@contextmanager
def unfit_refused(path: str | os.PathLike, hint: str) -> Iterator[None]:
    """Raise a SimlibError with a hint if the block cannot read a file of weights."""
    try:
        yield
    except FileNotFoundError:
        raise SimlibError(path, "is not there", hint) from None
    except UNFIT as error:
        reason = str(error).splitlines()[0]
        raise SimlibError(path, f"holds no encoder of this version ({reason})", hint) from None


def read_metadata(path: str | os.PathLike, hint: str = TRAIN_HINT) -> dict[str, Any]:
    """Read what `Embedder.save` wrote beside the weights; torch is not loaded.

    Parameters
    ----------
    path : path-like
    hint : str, optional
        How to fix a file that cannot be read.

    Returns
    -------
    dict
        `front_end`, `segment_seconds`, `architecture`, `subspaces` and `provenance`.

    Raises
    ------
    SimlibError
        If the file is absent, or holds no weights of simlib.
    """
    with unfit_refused(path, hint), safe_open(path, framework="np") as file:
        return dict(json.loads((file.metadata() or {})["simlib"]))
