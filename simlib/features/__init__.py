"""Audio to numbers: decoding, log-mel spectrograms, the hand-crafted descriptor, the feature store.

The extract stage.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
