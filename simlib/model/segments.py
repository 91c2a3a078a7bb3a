"""Segments of a recording: where they start, how they are cut and pooled."""

import numpy as np

from simlib.features import FrontEnd


def segment_frames(seconds: float, front_end: FrontEnd) -> int:
    """Return the number of spectrogram frames in a segment of a length in seconds."""
    return round(seconds * front_end.frame_rate)


def segment_starts(available: int, frames: int, hop: int) -> list[int]:
    """Return the first frames of the segments: every `hop`, and one that ends with the recording.

    Parameters
    ----------
    available, frames, hop : int
        Frames of the recording, of a segment, and between two segments.

    Returns
    -------
    list of int
    """
    last = max(0, available - frames)
    starts = list(range(0, last + 1, hop))
    return starts if starts[-1] == last else [*starts, last]


def cut_segment(log_mel: np.ndarray, start: int, frames: int) -> np.ndarray:
    """Cut a segment; a recording that is too short is repeated.

    Parameters
    ----------
    log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
    start, frames : int

    Returns
    -------
    numpy.ndarray of float32, shape (frames, n_mels)
    """
    segment = np.asarray(log_mel[start : start + frames], dtype=np.float32)
    if len(segment) < frames:
        segment = np.resize(segment, (frames, segment.shape[1]))
    return segment


def pool_segments(embeddings: np.ndarray) -> np.ndarray:
    """Pool the segments of one recording: their mean, scaled to unit length.

    Parameters
    ----------
    embeddings : numpy.ndarray of float32, shape (n_segments, embedding)

    Returns
    -------
    numpy.ndarray of float32, shape (embedding,)
    """
    mean = embeddings.mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-12)
