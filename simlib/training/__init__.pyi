from .augmentation import SILENCE_DB as SILENCE_DB
from .augmentation import augment as augment
from .augmentation import cut_frames as cut_frames
from .augmentation import degrade_spectrogram as degrade_spectrogram
from .batches import SegmentBatches as SegmentBatches
from .branches import fit_branch as fit_branch
from .branches import fit_subspaces as fit_subspaces
from .data import TrainingData as TrainingData
from .fit import pretrain as pretrain
from .fit import train as train
from .initial import describe_training as describe_training
from .initial import initial_embedder as initial_embedder
from .losses import GradedSupConLoss as GradedSupConLoss
from .losses import Objective as Objective
from .losses import TagHeads as TagHeads
from .positives import PairWeights as PairWeights
from .run import TrainingRun as TrainingRun
from .settings import AugmentSettings as AugmentSettings
from .settings import DegradeSettings as DegradeSettings
from .settings import PositiveSettings as PositiveSettings
from .settings import TrainSettings as TrainSettings
from .validation import Validation as Validation

__all__ = [
    "AugmentSettings",
    "DegradeSettings",
    "GradedSupConLoss",
    "Objective",
    "PairWeights",
    "PositiveSettings",
    "SILENCE_DB",
    "SegmentBatches",
    "TagHeads",
    "TrainSettings",
    "TrainingData",
    "TrainingRun",
    "Validation",
    "augment",
    "cut_frames",
    "degrade_spectrogram",
    "describe_training",
    "fit_branch",
    "fit_subspaces",
    "initial_embedder",
    "pretrain",
    "train",
]
