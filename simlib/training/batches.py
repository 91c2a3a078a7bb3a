"""Siamese training: pairs of segments, the loop, the checkpoint."""

import numpy as np
from pytorch_metric_learning.samplers import MPerClassSampler
from pytorch_metric_learning.utils import common_functions

from simlib.model import cut_segment
from simlib.training.augmentation import augment, cut_frames


class SegmentBatches:
    """Random segments of the training recordings, in batches of pairs.

    Everything random follows from the seed and the epoch, so that a resumed run draws what an
    undisturbed one would have drawn.

    Parameters
    ----------
    log_mels : list of numpy.ndarray of float16, shape (n_frames, n_mels)
    frames : int
        Of a segment.
    settings : simlib.training.TrainSettings
    """

    def __init__(self, log_mels, frames, settings):
        self.log_mels, self.frames, self.settings = log_mels, frames, settings
        self.augmentation = settings.augmentation
        self.batch = min(settings.batch_size, 2 * len(log_mels))
        length = max(self.batch, settings.segments_per_track * len(log_mels))
        self.sampler = MPerClassSampler(range(len(log_mels)), 2, self.batch, length)

    def __len__(self):
        return len(self.sampler) // self.batch

    def epoch(self, number):
        """Yield (segments float32 (batch, frames, n_mels), rows int64 (batch,))."""
        rng = np.random.default_rng([self.settings.seed, number])
        common_functions.NUMPY_RANDOM = np.random.RandomState(rng.integers(2**31))
        self.sampler.labels.sort()
        rows = np.array(list(self.sampler)).reshape(-1, self.batch)
        margin = cut_frames(self.frames, self.augmentation)
        for batch in rows:
            cuts = []
            for log_mel in (self.log_mels[row] for row in batch):
                start = rng.integers(0, max(1, len(log_mel) - margin + 1))
                cuts.append(cut_segment(log_mel, start, margin))
            yield augment(np.stack(cuts), self.frames, self.augmentation, rng), batch
