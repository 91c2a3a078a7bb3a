"""Relevance of one recording to another, and how well a ranking finds it.

Tags, artist splits and tempi are the ground truth. Training makes pairs of it, the evaluation
makes gains of it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
