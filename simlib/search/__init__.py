"""A query recording to a ranked list, a timeline or a playlist."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
