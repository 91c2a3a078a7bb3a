"""Errors, files, digests, paths and settings that all other subpackages build on.

It imports nothing of simlib.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
