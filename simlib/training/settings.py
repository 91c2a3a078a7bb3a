"""The settings of the train stage."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator

from simlib.core import Count, FromList, NotNegative, Positive, Probability, Section, Share
from simlib.features import BackboneNames
from simlib.model import BranchSettings, ShareSettings


def _rising(value: tuple[float, ...]) -> tuple[float, ...]:
    if len(value) != 2 or value[0] > value[1]:
        raise ValueError("a range: the lowest and the highest value")
    return value


# Random values are drawn evenly from a range.
Range = Annotated[tuple[float, ...], FromList, AfterValidator(_rising)]


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


class DegradeSettings(Section):
    """How log-mel spectrograms are degraded; see `simlib.training.degrade_spectrogram`.

    Attributes
    ----------
    noise_db : tuple of float
        Range of the level of white noise below that of the segment, in dB.
    low_cut, high_cut : tuple of float
        Ranges of the shares of the bands that a narrow channel attenuates, at the low and at the
        high end.
    cut_db : tuple of float
        Range of that attenuation, in dB.
    decay_frames : tuple of float
        Range of the time in which reverberation decays by 60 dB, in frames.
    """

    section: ClassVar[str] = "train.augmentation.degrade"
    noise_db: Range
    low_cut: Range
    high_cut: Range
    cut_db: Range
    decay_frames: Range


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
        Share of the segments to which another, quieter segment is added.
    mix_db : tuple of float
        Range of its level below that of the segment, in dB.
    degrade_probability : float
        Share of the segments that get noise, a narrow channel or reverberation.
    degrade : DegradeSettings
    """

    section: ClassVar[str] = "train.augmentation"
    gain_db: NotNegative
    tilt_db: NotNegative
    pitch_bands: Annotated[int, Field(ge=0)]
    stretch: Share
    time_mask: Share
    band_mask: Share
    mix_probability: Probability
    mix_db: Range
    degrade_probability: Probability
    degrade: DegradeSettings


class TrainSettings(Section):
    """The Siamese training.

    Attributes
    ----------
    init : str
        The initial weights. `random`; `pretrained`, those in `pretrained/`; `auto`, those in
        `pretrained/` unless they were trained on recordings of this catalogue.
    segment_seconds : float
        Length of the segments that the encoder takes.
    channels : tuple of int
        Output channels of each convolution.
    embedding : int
        Dimensions of the embedding.
    dropout : float
        Share of the pooled activations that training drops.
    positives : PositiveSettings
        Which pairs of segments are positive.
    temperature : float
        Of the supervised contrastive loss; a lower one gives more weight to similar negatives.
    tag_loss_weight : float
        Weight of the loss that predicts tags, beside the contrastive loss.
    tag_recordings : int
        A tag is predicted if at least this number of training recordings has it.
    backbones : tuple of str
        Frozen networks whose activations are features; see `simlib.features.load_card`. Without
        any, the network learns from this catalogue alone.
    reduced : int
        Principal components of their activations.
    descriptor_branch, tag_subspaces, tempo_subspace : BranchSettings
        The branch on hand-crafted features, the subspace of each tag column, and the subspace of
        the tempo.
    shares : ShareSettings
        How much each aspect counts. Trained weights take over those of the settings.
    branch_batch_size : int
        Recordings in a batch of a branch, each with its degraded copy.
    encoder_dropout : float
        Share of the items for which a tag subspace is trained without the encoder's embedding.
        The encoder was trained on the same recordings; on others its embedding is less accurate.
    augmentation : AugmentSettings
    epochs : int
        Largest number of epochs.
    segments_per_track : int
        Segments drawn from a training recording in an epoch, on average.
    batch_size : int
        Segments in a batch; they come in pairs, two from one recording.
    learning_rate, weight_decay : float
        Of AdamW. The rate falls along a half cosine after a warm-up.
    warm_up : float
        Share of all steps in which the rate rises from 0.
    fine_tuning_rate : float
        Factor of the learning rates if training begins with trained weights.
    ema_decay : float
        Decay per step of the exponential moving average of the weights, which is what is kept.
    validate_every : int
        Epochs between two validations.
    keep_from : float
        Share of the epochs from which on weights are kept and patience counts. While the learning
        rate is high, a good validation is chance.
    patience : int
        Validations without improvement after which training stops.
    fewest_validation : int
        Trained weights are tuned if there is at least this number of validation recordings. With
        fewer it is chance whether tuned weights score better; see benchmarks/FEW.md.
    seed : int
        Of initial weights, batches and augmentation.
    """

    section: ClassVar[str] = "train"
    init: Literal["auto", "random", "pretrained"]
    backbones: BackboneNames
    segment_seconds: Annotated[float, Field(ge=0.5)]
    channels: Annotated[tuple[Count, ...], Field(min_length=1), FromList]
    embedding: Annotated[int, Field(ge=2)]
    dropout: Share
    positives: PositiveSettings
    temperature: Positive
    tag_loss_weight: NotNegative
    tag_recordings: Count
    reduced: Annotated[int, Field(ge=2)]
    descriptor_branch: BranchSettings
    tag_subspaces: BranchSettings
    tempo_subspace: BranchSettings
    shares: ShareSettings
    branch_batch_size: Count
    encoder_dropout: Probability
    augmentation: AugmentSettings
    epochs: Count
    segments_per_track: Count
    batch_size: Annotated[int, Field(ge=4, multiple_of=2)]
    learning_rate: Positive
    weight_decay: NotNegative
    warm_up: Share
    fine_tuning_rate: Positive
    ema_decay: Share
    validate_every: Count
    keep_from: Share
    patience: Count
    fewest_validation: Annotated[int, Field(ge=0)]
    seed: int
