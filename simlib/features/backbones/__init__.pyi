from .backbone import Backbone as Backbone
from .backbone import load_backbone as load_backbone
from .cards import SHIPPED as SHIPPED
from .cards import Card as Card
from .cards import load_card as load_card
from .devices import best_device as best_device
from .devices import compute_dtype as compute_dtype

__all__ = [
    "Backbone",
    "Card",
    "SHIPPED",
    "best_device",
    "compute_dtype",
    "load_backbone",
    "load_card",
]
