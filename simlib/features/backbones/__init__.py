"""Backbones: frozen pretrained networks whose activations are features of a recording."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
