"""The settings of the train stage."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from simlib.core import Count, FromList, NotNegative, Positive, Probability, Section, Share
from simlib.model import BranchSettings


class PositiveSettings(Section):
    """What makes two segments a positive pair, and how much each relation weighs.

    Attributes
    ----------
    recording, artist : float
        Weight of pairs that are cut from one recording, or are by one artist.
    tags : dict of str to float
        Weight of each tag column, times the Jaccard index of the two tag sets. `default` is for
        columns that are not named.
    """

    section: ClassVar[str] = "train.positives"
    recording: NotNegative
    artist: NotNegative
    tags: dict[str, NotNegative]

    @field_validator("tags")
    @classmethod
    def _has_a_default(cls, value: dict[str, float]) -> dict[str, float]:
        if "default" not in value:
            raise ValueError("a mapping with a 'default'")
        return value

    def tag_weight(self, column: str) -> float:
        """Return how much the Jaccard index in a tag column weighs."""
        return self.tags.get(column, self.tags["default"])


class AugmentSettings(Section):
    """Changes of the segments that training draws; see `simlib.training.augmentation`.

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
    mix_probability : float
        Share of the segments that another recording is laid over, quietly.
    degrade_probability : float
        Share of the segments that get noise, a narrow channel or reverberation.
    """

    section: ClassVar[str] = "train.augmentation"
    gain_db: NotNegative
    tilt_db: NotNegative
    pitch_bands: Annotated[int, Field(ge=0)]
    stretch: Share
    time_mask: Share
    band_mask: Share
    mix_probability: Probability
    degrade_probability: Probability


class TrainSettings(Section):
    """The Siamese training.

    Attributes
    ----------
    init : str
        The weights to begin with. `random`; `pretrained`, those in `pretrained/`; `auto`, those
        too, unless they learned from recordings of this catalogue.
    segment_seconds : float
        Length of the segments that the encoder takes.
    channels : tuple of int
        Output channels of each convolution.
    embedding : int
        Dimensions of the embedding.
    dropout : float
        Share of the pooled activations that training drops.
    positives : PositiveSettings
        The ground truth: how strongly each relation makes two segments a positive pair.
        `recording`: cut from one recording; `artist`: by one artist; `tags`: a weight for each
        tag column, times the overlap |A n B| / |A u B| of the two tag sets, `default` for the
        columns that are not named.
    temperature : float
        Of the supervised contrastive loss; lower looks more at the nearest negatives.
    tag_loss_weight : float
        Weight of the loss that predicts tags, beside the contrastive loss.
    descriptor_branch, tag_subspaces, tempo_subspace : BranchSettings
        The branch on hand-crafted features, those that learn one tag column each, and the one that
        learns tempi; see `BranchSettings`.
    augmentation : AugmentSettings
    epochs : int
        At most so many. In each of them every training recording is drawn about
        `segments_per_track` times.
    segments_per_track : int
        Segments drawn from a recording in an epoch.
    batch_size : int
        Segments a batch; they come in pairs, two from one recording.
    learning_rate, weight_decay : float
        Of AdamW; the rate falls along a half cosine after a short warm-up.
    ema_decay : float
        Decay a step of the exponential moving average of the weights, which is what is kept.
    validate_every : int
        Epochs between two validations.
    patience : int
        Validations without improvement, in the second half of the epochs, after which training
        stops.
    seed : int
        Of initial weights, batches and augmentation.
    """

    section: ClassVar[str] = "train"
    init: Literal["auto", "random", "pretrained"]
    segment_seconds: Annotated[float, Field(ge=0.5)]
    channels: Annotated[tuple[Count, ...], Field(min_length=1), FromList]
    embedding: Annotated[int, Field(ge=2)]
    dropout: Share
    positives: PositiveSettings
    temperature: Positive
    tag_loss_weight: NotNegative
    descriptor_branch: BranchSettings
    tag_subspaces: BranchSettings
    tempo_subspace: BranchSettings
    augmentation: AugmentSettings
    epochs: Count
    segments_per_track: Count
    batch_size: Annotated[int, Field(ge=4, multiple_of=2)]
    learning_rate: Positive
    weight_decay: NotNegative
    ema_decay: Share
    validate_every: Count
    patience: Count
    seed: int
