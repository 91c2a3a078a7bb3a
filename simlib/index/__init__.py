"""The searchable catalogue: FAISS, hub penalty, fingerprints, calibration, the map.

The index stage.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
