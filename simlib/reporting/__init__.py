"""Figures, HTML and text for reports. It knows neither evaluation nor search."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
