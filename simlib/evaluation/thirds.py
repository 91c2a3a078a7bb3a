"""Recordings cut into an excerpt and the rest: what is measured if there are no tags.

The module is on its own, because embeddings of parts are kept for as long as its code stays the
same.
"""

from simlib.features import DESCRIPTOR_BLOCK_SECONDS, FrontEnd, RecordingFeatures


def thirds(
    features: RecordingFeatures, front_end: FrontEnd
) -> tuple[RecordingFeatures, RecordingFeatures] | None:
    """Cut a recording's features after a third of its descriptor's blocks.

    Parameters
    ----------
    features : simlib.features.RecordingFeatures
    front_end : simlib.features.FrontEnd
        Of the log-mel frames.

    Returns
    -------
    tuple of (excerpt, rest), or None
        None if the descriptor has one block, which both would share.
    """
    blocks = len(features.descriptor)
    first, cut = -(-blocks // 3), -(-blocks // 3) * DESCRIPTOR_BLOCK_SECONDS
    seconds = len(features.log_mel) / front_end.frame_rate
    if first == blocks or cut >= seconds:
        return None
    return features.between(0.0, cut, front_end), features.between(cut, seconds, front_end)
