"""Find songs that sound alike: a Siamese encoder, an index and an honest evaluation.

Subpackages and public names are imported on first use (PEP 562), so that a pipeline stage loads
only what it uses.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
