from .backbone import Backbone as Backbone
from .cards import SHIPPED as SHIPPED
from .cards import Card as Card
from .devices import best_device as best_device
from .devices import compute_dtype as compute_dtype
from .loading import load_backbone as load_backbone
from .names import is_backbone as is_backbone
from .names import load_card as load_card
from .onnx_backbone import OnnxBackbone as OnnxBackbone
from .onnx_backbone import load_onnx as load_onnx
from .onnx_card import OnnxCard as OnnxCard

__all__ = [
    "Backbone",
    "Card",
    "OnnxBackbone",
    "OnnxCard",
    "SHIPPED",
    "best_device",
    "compute_dtype",
    "is_backbone",
    "load_backbone",
    "load_card",
    "load_onnx",
]
