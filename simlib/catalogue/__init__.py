"""The files in `data/`: the tracks table, audio tags, triplets, and importing a folder of music."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
