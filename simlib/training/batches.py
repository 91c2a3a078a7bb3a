"""Training batches: augmented segments, two from each of some recordings."""

from collections.abc import Iterator

import numpy as np

from simlib.model import cut_segment
from simlib.training.augmentation import augment, cut_frames
from simlib.training.settings import TrainSettings


class SegmentBatches:
    """Random segments of the training recordings, in batches of pairs.

    The seed and the epoch determine all random draws. A resumed run therefore draws what an
    uninterrupted one draws.

    Parameters
    ----------
    log_mels : list of numpy.ndarray of float16, shape (n_frames, n_mels)
    frames : int
        Length of a segment.
    settings : simlib.training.TrainSettings
    """

    def __init__(self, log_mels: list[np.ndarray], frames: int, settings: TrainSettings):
        self.log_mels, self.frames, self.settings = log_mels, frames, settings
        self.augmentation = settings.augmentation
        self.batch = min(settings.batch_size, 2 * len(log_mels))

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return max(1, self.settings.segments_per_track * len(self.log_mels) // self.batch)

    def epoch(self, number: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the batches of an epoch.

        Parameters
        ----------
        number : int
            From 0.

        Yields
        ------
        segments : numpy.ndarray of float32, shape (batch, frames, n_mels)
            In dB.
        rows : numpy.ndarray of int64, shape (batch,)
            Positions of their recordings; each recording of a batch has two segments.
        """
        rng = np.random.default_rng([self.settings.seed, number])
        margin = cut_frames(self.frames, self.augmentation)
        for _ in range(len(self)):
            rows = np.repeat(rng.choice(len(self.log_mels), self.batch // 2, replace=False), 2)
            cuts = []
            for log_mel in (self.log_mels[row] for row in rows):
                start = int(rng.integers(0, max(1, len(log_mel) - margin + 1)))
                cuts.append(cut_segment(log_mel, start, margin))
            yield augment(np.stack(cuts), self.frames, self.augmentation, rng), rows
