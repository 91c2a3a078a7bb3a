"""How good the ranked lists are: systems, intervals, robustness, reliability, tag studies.

The evaluate stage.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
