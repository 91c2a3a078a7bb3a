"""Find songs that sound alike: a Siamese encoder, an index and an honest evaluation.

The public names are imported on first use (PEP 562), so that a pipeline stage loads, and depends
on, only the modules that it really uses.
"""

from importlib import import_module

_HOME = {
    "SimlibError": "artefacts",
    "Searcher": "search",
    "query": "search",
    "embed": "embedding",
}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        return getattr(import_module(f"simlib.{_HOME[name]}"), name)
    raise AttributeError(f"module 'simlib' has no attribute {name!r}")
