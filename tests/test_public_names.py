import pytest

from simlib.core import (
    SimlibError,
)


def test_the_package_offers_its_public_names_on_first_use():
    import simlib

    assert {"Searcher", "SimlibError", "embed", "query"} <= set(simlib.__all__)
    assert {"core", "features", "training", "search"} <= set(simlib.__all__)
    assert simlib.Searcher is simlib.search.Searcher
    assert simlib.SimlibError is SimlibError
    assert (simlib.embed, simlib.query) == (simlib.search.embed, simlib.search.query)
    with pytest.raises(AttributeError, match="nothing"):
        _ = simlib.nothing
