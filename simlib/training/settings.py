"""One frozen dataclass for each section of `params.yaml`, with its checks."""

from dataclasses import dataclass
from numbers import Real

from simlib.core import Section
from simlib.model import BranchSettings

# What training may begin with.
INITS = ("auto", "random", "pretrained")


@dataclass(frozen=True)
class TrainSettings(Section):
    """The Siamese training.

    Attributes
    ----------
    init : str
        The weights to begin with. `random`; `pretrained`, those in `pretrained/`; `auto`, those
        too, unless they have heard recordings of this catalogue.
    segment_seconds : float
        Length of the segments that the encoder hears.
    channels : list of int
        Output channels of each convolution.
    embedding : int
        Dimensions of the embedding.
    dropout : float
        Share of the pooled activations that training drops.
    positives : dict
        The ground truth: how strongly each relation makes two segments a positive pair.
        `recording`: cut from one recording; `artist`: by one artist; `tags`: a weight for each
        tag column, times the overlap |A n B| / |A u B| of the two tag sets, `default` for the
        columns that are not named.
    temperature : float
        Of the supervised contrastive loss; lower looks more at the nearest negatives.
    tag_loss_weight : float
        Weight of the loss that predicts tags, beside the contrastive loss.
    descriptor_branch, tag_subspaces, tempo_subspace : dict
        The branch on hand-picked features, those that learn one tag column each, and the one that
        learns tempi; see `BranchSettings`.
    augmentation : dict
        `gain_db`, `tilt_db`, `pitch_bands`, `stretch`, `time_mask`, `band_mask`,
        `mix_probability`, `degrade_probability`; see `simlib.training.augmentation`.
    epochs : int
        At most so many; in each every training recording is drawn about `segments_per_track` times.
    segments_per_track : int
        Segments drawn from a recording in an epoch.
    batch_size : int
        Segments a batch; they come in pairs, two from one recording.
    learning_rate, weight_decay : float
        Of AdamW; the rate falls along a half cosine after a short warm-up.
    ema_decay : float
        Decay a step of the exponential moving average of the weights, which is what is kept.
    validate_every : int
        Epochs between two looks at the validation artists.
    patience : int
        Looks without improvement, in the second half of the epochs, after which training stops.
    seed : int
        Of initial weights, batches and augmentation.
    """

    section = "train"
    init: str
    segment_seconds: float
    channels: list
    embedding: int
    dropout: float
    positives: dict
    temperature: float
    tag_loss_weight: float
    descriptor_branch: dict
    tag_subspaces: dict
    tempo_subspace: dict
    augmentation: dict
    epochs: int
    segments_per_track: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    ema_decay: float
    validate_every: int
    patience: int
    seed: int

    def __post_init__(self):
        self._require("init", self.init in INITS, f"one of {', '.join(INITS)}")
        self._require("segment_seconds", self.segment_seconds >= 0.5, "at least 0.5")
        self._require(
            "channels",
            self.channels and all(isinstance(c, int) and c > 0 for c in self.channels),
            "a list of positive whole numbers",
        )
        self._require("embedding", self.embedding >= 2, "at least 2")
        self._require("dropout", 0 <= self.dropout < 1, "at least 0 and below 1")
        self._require("temperature", self.temperature > 0, "above 0")
        self._require("tag_loss_weight", self.tag_loss_weight >= 0, "at least 0")
        self._require("epochs", self.epochs >= 1, "at least 1")
        self._require("segments_per_track", self.segments_per_track >= 1, "at least 1")
        self._require(
            "batch_size", self.batch_size >= 4 and self.batch_size % 2 == 0, "even and at least 4"
        )
        self._require("learning_rate", self.learning_rate > 0, "above 0")
        self._require("weight_decay", self.weight_decay >= 0, "at least 0")
        self._require("ema_decay", 0 <= self.ema_decay < 1, "at least 0 and below 1")
        self._require("validate_every", self.validate_every >= 1, "at least 1")
        self._require("patience", self.patience >= 1, "at least 1")
        PositiveSettings.of(self.positives)
        for branch in (self.descriptor_branch, self.tag_subspaces, self.tempo_subspace):
            BranchSettings.of(branch)
        AugmentSettings.of(self.augmentation)


@dataclass(frozen=True)
class PositiveSettings(Section):
    """The part `train.positives`: strengths of the relations that make a positive pair."""

    section = "train.positives"
    recording: float
    artist: float
    tags: dict

    def __post_init__(self):
        for key in ("recording", "artist"):
            self._require(key, getattr(self, key) >= 0, "at least 0")
        self._require("tags", "default" in self.tags, "a mapping with a 'default'")
        for column, weight in self.tags.items():
            fits = isinstance(weight, Real) and not isinstance(weight, bool) and weight >= 0
            self._require("tags", fits, f"a number of at least 0 for every column ('{column}')")

    def tag_weight(self, column):
        """Return how strongly overlap in a tag column counts."""
        return self.tags.get(column, self.tags["default"])


@dataclass(frozen=True)
class AugmentSettings(Section):
    """The part `train.augmentation`; see `simlib.training.augment` for what each does.

    Attributes
    ----------
    gain_db, tilt_db : float
        Largest change of level, and of level from the lowest to the highest band, in dB.
    pitch_bands : int
        Largest shift along the mel axis, in bands.
    stretch : float
        Largest change of tempo, as a share.
    time_mask, band_mask : float
        Largest share of frames and of bands that one mask hides.
    mix : float
        Share of the segments that another recording is laid over, quietly.
    wear : float
        Share of the segments that get noise, a narrow channel or reverberation.
    """

    section = "train.augmentation"
    gain_db: float
    tilt_db: float
    pitch_bands: int
    stretch: float
    time_mask: float
    band_mask: float
    mix_probability: float
    degrade_probability: float

    def __post_init__(self):
        for key in ("gain_db", "tilt_db", "pitch_bands"):
            self._require(key, getattr(self, key) >= 0, "at least 0")
        for key in ("stretch", "time_mask", "band_mask"):
            self._require(key, 0 <= getattr(self, key) < 1, "at least 0 and below 1")
        for key in ("mix_probability", "degrade_probability"):
            self._require(key, 0 <= getattr(self, key) <= 1, "between 0 and 1")
