"""All features of a recording from one decoding: what extraction and a query share."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from os import PathLike

import numpy as np

from simlib.core import BACKBONE_PREFIX, SimlibError
from simlib.features.audio import mono_blocks
from simlib.features.backbones.activations import WaveformActivations
from simlib.features.backbones.backbone import Backbone
from simlib.features.backbones.loading import load_backbone
from simlib.features.backbones.onnx_backbone import OnnxBackbone
from simlib.features.descriptor import Descriptor
from simlib.features.settings import FrontEnd
from simlib.features.spectrogram import Feature, LogMel, feed

BOTH = ("log_mel", "descriptor")


def compute_features(
    path: str | PathLike,
    front_end: FrontEnd,
    *,
    kinds: Collection[str] = BOTH,
    backbones: Mapping[str, str | None] | None = None,
    start: float = 0.0,
    end: float | None = None,
) -> dict[str, np.ndarray]:
    """Decode a recording, or seconds of it, once, and compute features of it.

    Parameters
    ----------
    path : path-like
    front_end : simlib.features.FrontEnd
    kinds : collection of str
        `log_mel`, `descriptor`, or both.
    backbones : mapping of str to str or None, optional
        Names of backbones, and the variant of each; see `load_backbone`.
    start, end : float, optional
        Seconds; the whole recording by default.

    Returns
    -------
    dict of str to numpy.ndarray
        `log_mel`: float16, shape (n_frames, n_mels), see `compute_log_mel`; `descriptor`: float32,
        shape (n_blocks, 102), see `compute_descriptor`; `backbone.<name>`: float16, shape
        (n_patches, size), see `Backbone` and `OnnxBackbone`.

    Raises
    ------
    SimlibError
        If the recording cannot be decoded, or is too short.
    """
    blocks = mono_blocks(path, start=start, end=end)
    return features_of_blocks(path, blocks, front_end, kinds, backbones or {})


def features_of_blocks(
    path: str | PathLike,
    blocks: Iterator[tuple[np.ndarray, int]],
    front_end: FrontEnd,
    kinds: Collection[str],
    backbones: Mapping[str, str | None],
) -> dict[str, np.ndarray]:
    """Compute features of decoded blocks; see `compute_features`.

    Parameters
    ----------
    path : path-like
        Named if there is an error.
    blocks : iterator of (numpy.ndarray of float32, int)
        Mono samples and their rate in Hz. All are read, even if nothing is to be computed.
    front_end : simlib.features.FrontEnd
    kinds : collection of str
    backbones : mapping of str to str or None

    Returns
    -------
    dict of str to numpy.ndarray

    Raises
    ------
    SimlibError
        If the recording is too short.
    """
    known: dict[str, Feature] = {"log_mel": LogMel(front_end), "descriptor": Descriptor()}
    wanted: dict[str, Feature | WaveformActivations] = {
        kind: feature for kind, feature in known.items() if kind in kinds
    }
    for name, variant in backbones.items():
        wanted[BACKBONE_PREFIX + name] = load_backbone(name, variant).feature()
    _feed_all(blocks, wanted.values())
    arrays = {}
    for kind, feature in wanted.items():
        arrays[kind] = feature.array()
        seconds = len(arrays[kind]) / front_end.frame_rate
        if kind == "log_mel" and seconds < front_end.min_seconds:
            cause = f"is {seconds:.2f} s long, shorter than {front_end.min_seconds:g} s"
            raise SimlibError(path, cause, "use a longer excerpt, or lower extract.min_seconds")
    return arrays


def compute_activations(path: str | PathLike, backbone: Backbone | OnnxBackbone) -> np.ndarray:
    """Decode a recording and compute the activations of one backbone.

    Parameters
    ----------
    path : path-like
    backbone : Backbone or OnnxBackbone

    Returns
    -------
    numpy.ndarray of float16, shape (n_patches, size)

    Raises
    ------
    SimlibError
        If the recording cannot be decoded, or the network fails.
    """
    feature = backbone.feature()
    _feed_all(mono_blocks(path), [feature])
    return feature.array()


def _feed_all(blocks, features):
    """Add a recording to features of both kinds, in one reading."""
    waveforms = [feature for feature in features if isinstance(feature, WaveformActivations)]
    blocks = _passed_on(blocks, waveforms)
    feed(blocks, *(feature for feature in features if feature not in waveforms))
    # With no spectrum to compute nothing was read yet, and who records the samples needs them.
    deque(blocks, maxlen=0)


def _passed_on(blocks, waveforms):
    """Yield the blocks, each after it was added to some features."""
    for samples, rate in blocks:
        for feature in waveforms:
            feature.add(samples, rate)
        yield samples, rate
