from .audio import decode as decode
from .audio import decode_blocks as decode_blocks
from .audio import duration as duration
from .backbones.backbone import Backbone as Backbone
from .backbones.cards import SHIPPED as SHIPPED
from .backbones.devices import best_device as best_device
from .backbones.devices import compute_dtype as compute_dtype
from .backbones.loading import load_backbone as load_backbone
from .backbones.names import load_card as load_card
from .backbones.onnx_backbone import OnnxBackbone as OnnxBackbone
from .backbones.onnx_backbone import load_onnx as load_onnx
from .degrade import DEGRADATIONS as DEGRADATIONS
from .degrade import clip as clip
from .degrade import excerpt as excerpt
from .degrade import mp3 as mp3
from .degrade import noise as noise
from .degrade import reverberate as reverberate
from .degrade import telephone as telephone
from .degraded import degrade_randomly as degrade_randomly
from .descriptor import DESCRIPTOR_BLOCK_SECONDS as DESCRIPTOR_BLOCK_SECONDS
from .descriptor import DESCRIPTOR_GROUPS as DESCRIPTOR_GROUPS
from .descriptor import DESCRIPTOR_RATE as DESCRIPTOR_RATE
from .descriptor import compute_descriptor as compute_descriptor
from .encoding import fade as fade
from .encoding import mp3_bytes as mp3_bytes
from .extraction import extract as extract
from .readers import native_blocks as native_blocks
from .recording import RecordingFeatures as RecordingFeatures
from .settings import BackboneNames as BackboneNames
from .settings import BackboneSettings as BackboneSettings
from .settings import DegradedSettings as DegradedSettings
from .settings import ExtractSettings as ExtractSettings
from .settings import FrontEnd as FrontEnd
from .single_pass import compute_activations as compute_activations
from .single_pass import compute_features as compute_features
from .single_pass import features_of_blocks as features_of_blocks
from .spectrogram import compute_log_mel as compute_log_mel
from .spectrogram import power_frames as power_frames
from .store import FEATURE_KINDS as FEATURE_KINDS
from .store import FeatureStore as FeatureStore
from .tempogram import COARSE_BINS as COARSE_BINS
from .tempogram import CYCLIC_BINS as CYCLIC_BINS
from .tempogram import OCTAVES as OCTAVES
from .tempogram import compute_tempogram as compute_tempogram
from .tempogram import cyclic_tempogram as cyclic_tempogram
from .tempogram import estimate_bpm as estimate_bpm
from .tempogram import octave_tempogram as octave_tempogram

__all__ = [
    "Backbone",
    "BackboneNames",
    "BackboneSettings",
    "COARSE_BINS",
    "CYCLIC_BINS",
    "DEGRADATIONS",
    "DESCRIPTOR_BLOCK_SECONDS",
    "DESCRIPTOR_GROUPS",
    "DESCRIPTOR_RATE",
    "DegradedSettings",
    "ExtractSettings",
    "FEATURE_KINDS",
    "FeatureStore",
    "FrontEnd",
    "OCTAVES",
    "OnnxBackbone",
    "RecordingFeatures",
    "SHIPPED",
    "best_device",
    "clip",
    "compute_activations",
    "compute_descriptor",
    "compute_dtype",
    "compute_features",
    "compute_log_mel",
    "compute_tempogram",
    "cyclic_tempogram",
    "decode",
    "decode_blocks",
    "degrade_randomly",
    "duration",
    "estimate_bpm",
    "excerpt",
    "features_of_blocks",
    "extract",
    "fade",
    "load_backbone",
    "load_card",
    "load_onnx",
    "mp3",
    "mp3_bytes",
    "native_blocks",
    "noise",
    "octave_tempogram",
    "power_frames",
    "reverberate",
    "telephone",
]
