"""Siamese training, the train stage: data, batches, augmentation, losses, validation, branches."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
