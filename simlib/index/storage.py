"""The files of an index, and the record of what made it.

A search must use the weights and the settings that the index was made with, so both are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pandas as pd

from simlib.core import SimlibError, read_json, write_json, written_aside
from simlib.index.fingerprints import Fingerprints
from simlib.index.neighbour_table import NeighbourTable
from simlib.index.settings import INDEX_HINT, IndexSettings
from simlib.model import Aspects

TABLES = ("tracks", "segments", "auto_tags")
PENALTIES = "hub_penalties.npy"


@dataclass(frozen=True)
class IndexOrigin:
    """What an index was made with.

    Attributes
    ----------
    model_digest : str
        Of the weights that embedded the catalogue.
    aspects : simlib.model.Aspects
        How the vectors of tracks are made up.
    settings : simlib.index.IndexSettings
        Those that every search in the index uses.
    """

    model_digest: str
    aspects: Aspects
    settings: IndexSettings


def write_index(
    folder: Path, tables: Mapping[str, pd.DataFrame], by_track: faiss.Index,
    by_segment: faiss.Index, fingerprints: Fingerprints, origin: IndexOrigin,
) -> None:  # fmt: skip
    """Write the parameters of `Index`, the tables by their names; see `Index.save`."""
    for name, table in tables.items():
        with written_aside(folder / f"{name}.parquet") as aside:
            table.to_parquet(aside, index=False)
    for name, vectors in (("tracks", by_track), ("segments", by_segment)):
        with written_aside(folder / f"{name}.faiss") as aside:
            faiss.write_index(vectors, str(aside))
    fingerprints.save(folder)
    made_with = {
        "model": origin.model_digest,
        # In their order, which the keys of JSON would lose.
        "subspaces": list(origin.aspects.sizes),
        "sizes": origin.aspects.sizes,
        "default": origin.aspects.default,
        "settings": origin.settings.as_dict(),
    }
    write_json(folder / "made_with.json", made_with)


def read_index(folder: Path, model_digest: str) -> dict[str, Any]:
    """Read what `write_index` wrote: the parameters of `Index`; see `Index.load`."""
    made_with = read_json(folder / "made_with.json", INDEX_HINT)
    if made_with.get("model") != model_digest:
        raise SimlibError(folder, "was made with other weights than models/", INDEX_HINT)
    try:
        sizes, default = (
            {name: made_with[key][name] for name in made_with["subspaces"]}
            for key in ("sizes", "default")
        )
        settings = _settings(folder, made_with)
        return {
            **{name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES},
            # Mapped, so that a large index is loaded at once and a search reads what it needs.
            "by_track": faiss.read_index(str(folder / "tracks.faiss"), faiss.IO_FLAG_MMAP_IFC),
            "by_segment": faiss.read_index(str(folder / "segments.faiss"), faiss.IO_FLAG_MMAP_IFC),
            "fingerprints": Fingerprints.load(folder, settings.fingerprints),
            "origin": IndexOrigin(model_digest, Aspects(sizes, default), settings),
        }
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise SimlibError(folder, f"cannot be read ({reason})", INDEX_HINT) from None


@dataclass(frozen=True, eq=False)
class Stored:
    """What an index computed of its neighbours when it was made.

    Attributes
    ----------
    folder : pathlib.Path
        Where the table of neighbours is, which most searches need not read.
    penalties : numpy.ndarray of float64, shape (n_tracks,)
        Hub penalties under the index's own weights.
    """

    folder: Path
    penalties: np.ndarray


def write_stored(folder: Path, neighbours: NeighbourTable, penalties: np.ndarray) -> None:
    """Write the table of neighbours and the hub penalties beside an index."""
    neighbours.save(folder)
    with written_aside(folder / PENALTIES) as aside, open(aside, "wb") as stream:
        np.save(stream, penalties, allow_pickle=False)


def read_stored(folder: Path, count: int) -> Stored | None:
    """Read what `write_stored` wrote of `count` tracks; None if it is not there, or broken."""
    try:
        penalties = np.load(folder / PENALTIES, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return Stored(folder, penalties) if len(penalties) == count else None


def _settings(folder, made_with):
    try:
        return IndexSettings.of(made_with.get("settings"))
    except SimlibError:
        cause = "cannot be read (another version of simlib made it)"
        raise SimlibError(folder, cause, INDEX_HINT) from None
