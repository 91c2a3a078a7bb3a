"""What counts as alike, and how well a ranking finds it: labels, artist splits, tempo, metrics."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
