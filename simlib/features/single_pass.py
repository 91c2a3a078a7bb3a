"""All features of a recording from one decoding: what extraction and a query share."""

from collections import deque
from collections.abc import Collection
from os import PathLike

import numpy as np

from simlib.core import SimlibError
from simlib.features.audio import SILENCE_DBFS, mono_blocks
from simlib.features.degraded import MiddleOfRecording
from simlib.features.descriptor import Descriptor
from simlib.features.settings import FrontEnd
from simlib.features.spectrogram import Feature, LogMel, feed


def compute_features(
    path: str | PathLike,
    front_end: FrontEnd,
    *,
    kinds: Collection[str] = ("log_mel", "descriptor"),
    start: float = 0.0,
    end: float | None = None,
    middle: MiddleOfRecording | None = None,
    silence_dbfs: float = SILENCE_DBFS,
) -> dict[str, np.ndarray]:
    """Decode a recording, or seconds of it, once, and compute features of it.

    Parameters
    ----------
    path : path-like
    front_end : simlib.features.FrontEnd
    kinds : collection of str
        `log_mel`, `descriptor`, or both.
    start, end : float, optional
        Seconds; the whole recording by default.
    middle : MiddleOfRecording, optional
        Records the samples on the way.
    silence_dbfs : float
        See `mono_blocks`.

    Returns
    -------
    dict of str to numpy.ndarray
        `log_mel`: float16, shape (n_frames, n_mels), see `compute_log_mel`; `descriptor`: float32,
        shape (n_blocks, 102), see `compute_descriptor`.

    Raises
    ------
    SimlibError
        If the recording cannot be decoded, or is too short.
    """
    blocks = mono_blocks(path, start=start, end=end, silence_dbfs=silence_dbfs)
    if middle is not None:
        blocks = middle.record(blocks)
    known: dict[str, Feature] = {"log_mel": LogMel(front_end), "descriptor": Descriptor()}
    wanted = {kind: feature for kind, feature in known.items() if kind in kinds}
    feed(blocks, *wanted.values())
    # With no feature to compute nothing was read yet, and `middle` needs the samples.
    deque(blocks, maxlen=0)
    arrays = {}
    for kind, feature in wanted.items():
        arrays[kind] = feature.array()
        seconds = len(arrays[kind]) / front_end.frame_rate
        if kind == "log_mel" and seconds < front_end.min_seconds:
            cause = f"is {seconds:.2f} s long, shorter than {front_end.min_seconds:g} s"
            raise SimlibError(path, cause, "use a longer excerpt, or lower extract.min_seconds")
    return arrays
