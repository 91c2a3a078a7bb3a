"""The Siamese encoder, its small branches, and the embedding that they make up together."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
