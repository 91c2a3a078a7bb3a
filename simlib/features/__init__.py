"""Features of recordings: decoding, log-mel spectrograms, descriptors, tempograms and their store.

The extract stage.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
