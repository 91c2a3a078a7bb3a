"""One frozen dataclass for each section of `params.yaml`, with its checks."""

from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from numbers import Real

from simlib.artefacts import SimlibError

# What training may begin with.
INITS = ("auto", "random", "pretrained")


class Section:
    """What the sections share: made from a mapping, strictly."""

    @classmethod
    def of(cls, values):
        """Make the settings from the mapping under the section's name in `params.yaml`.

        Parameters
        ----------
        values : dict
            Exactly the dataclass's fields.

        Returns
        -------
        Section

        Raises
        ------
        SimlibError
            If a key is unknown or missing, or a value has the wrong type or range.
        """
        known = {f.name: f for f in fields(cls)}
        place = f"params.yaml, section {cls.section}"
        if not isinstance(values, dict):
            raise SimlibError(place, f"is {values!r}, not keys with values", "restore its keys")
        for key in values:
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(known)}"
                raise SimlibError(place, f"unknown key '{key}'", hint)
        missing = [key for key in known if key not in values]
        if missing:
            raise SimlibError(place, f"missing key '{missing[0]}'", "add it with a value")
        for key, value in values.items():
            cls._check_type(key, value, known[key].type)
        return cls(**values)

    @classmethod
    def _check_type(cls, key, value, kind):
        # A bool is an int to Python, and 3 is a fine value for a float; YAML means neither.
        fits = {
            int: isinstance(value, int) and not isinstance(value, bool),
            float: isinstance(value, Real) and not isinstance(value, bool),
        }.get(kind, isinstance(value, kind))
        if not fits:
            raise SimlibError(
                f"params.yaml, section {cls.section}",
                f"'{key}' is {value!r}",
                f"give it a value of type {kind.__name__}",
            )

    def _require(self, key, holds, wanted):
        if not holds:
            raise SimlibError(
                f"params.yaml, section {self.section}",
                f"'{key}' is {getattr(self, key)!r}",
                f"it must be {wanted}",
            )

    def as_dict(self):
        """Return the settings as plain values, for metadata and digests."""
        return asdict(self)


@dataclass(frozen=True)
class ExtractSettings(Section):
    """The log-mel front-end.

    Attributes
    ----------
    sample_rate : int
        Hz; every recording is resampled to it.
    n_fft, hop_length : int
        Length of the analysis window and the step between two, in samples.
    n_mels : int
        Number of mel bands.
    f_min, f_max : float
        Lowest and highest frequency of the mel bands, in Hz.
    min_seconds : float
        Shorter recordings are rejected.
    """

    section = "extract"
    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int
    f_min: float
    f_max: float
    min_seconds: float

    def __post_init__(self):
        self._require("sample_rate", self.sample_rate >= 8000, "at least 8000")
        self._require("n_fft", self.n_fft >= 256, "at least 256")
        self._require("hop_length", 1 <= self.hop_length <= self.n_fft, "between 1 and n_fft")
        self._require("n_mels", 8 <= self.n_mels <= self.n_fft // 4, "between 8 and n_fft / 4")
        self._require("f_min", 0 <= self.f_min < self.f_max, "at least 0 and below f_max")
        self._require("f_max", self.f_max <= self.sample_rate / 2, "at most half of sample_rate")
        self._require("min_seconds", self.min_seconds > 0, "above 0")

    @property
    def frame_rate(self):
        """Spectrogram frames a second."""
        return self.sample_rate / self.hop_length


@dataclass(frozen=True)
class SplitSettings(Section):
    """The artist-disjoint split.

    Attributes
    ----------
    test, validation : float
        Share of the artists that only the evaluation and only the validation see.
    seed : int
        Another seed draws other artists.
    """

    section = "split"
    test: float
    validation: float
    seed: int

    def __post_init__(self):
        self._require("test", 0 < self.test < 1, "between 0 and 1")
        self._require("validation", 0 < self.validation < 1, "between 0 and 1")
        self._require("validation", self.test + self.validation < 1, "less than 1 - test")


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
    tag_heads : float
        Weight of the loss that predicts tags, beside the contrastive loss.
    descriptor, parts, tempo : dict
        The branch on hand-picked features, those that learn one tag column each, and the one that
        learns tempi; see `BranchSettings`.
    augmentation : dict
        `gain_db`, `tilt_db`, `pitch_bands`, `stretch`, `time_mask`, `band_mask`, `mix`, `wear`; see
        `simlib.augment`.
    epochs : int
        At most so many; in each every training recording is drawn about `draws` times.
    draws : int
        Segments drawn from a recording in an epoch.
    batch : int
        Segments a batch; they come in pairs, two from one recording.
    learning_rate, weight_decay : float
        Of AdamW; the rate falls along a half cosine after a short warm-up.
    averaging : float
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
    tag_heads: float
    descriptor: dict
    parts: dict
    tempo: dict
    augmentation: dict
    epochs: int
    draws: int
    batch: int
    learning_rate: float
    weight_decay: float
    averaging: float
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
        self._require("tag_heads", self.tag_heads >= 0, "at least 0")
        self._require("epochs", self.epochs >= 1, "at least 1")
        self._require("draws", self.draws >= 1, "at least 1")
        self._require("batch", self.batch >= 4 and self.batch % 2 == 0, "even and at least 4")
        self._require("learning_rate", self.learning_rate > 0, "above 0")
        self._require("weight_decay", self.weight_decay >= 0, "at least 0")
        self._require("averaging", 0 <= self.averaging < 1, "at least 0 and below 1")
        self._require("validate_every", self.validate_every >= 1, "at least 1")
        self._require("patience", self.patience >= 1, "at least 1")
        PositiveSettings.of(self.positives)
        for branch in (self.descriptor, self.parts, self.tempo):
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
class BranchSettings(Section):
    """The parts `train.descriptor`, `train.parts` and `train.tempo`: small branches.

    Attributes
    ----------
    hidden, embedding : int
        Units of the hidden layer, dimensions of the embedding.
    input_dropout, dropout : float
        Shares of the features and of the hidden units that training drops.
    noise : float
        Deviation of the noise that training adds to the scaled features.
    steps : int
        Of training, each on at most 256 recordings.
    learning_rate : float
    """

    section = "train, a branch"
    hidden: int
    embedding: int
    input_dropout: float
    dropout: float
    noise: float
    steps: int
    learning_rate: float

    def __post_init__(self):
        for key in ("hidden", "steps"):
            self._require(key, getattr(self, key) >= 1, "at least 1")
        self._require("embedding", self.embedding >= 2, "at least 2")
        for key in ("input_dropout", "dropout"):
            self._require(key, 0 <= getattr(self, key) < 1, "at least 0 and below 1")
        self._require("noise", self.noise >= 0, "at least 0")
        self._require("learning_rate", self.learning_rate > 0, "above 0")


@dataclass(frozen=True)
class AugmentSettings(Section):
    """The part `train.augmentation`; see `simlib.augment.augment` for what each does.

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
    mix: float
    wear: float

    def __post_init__(self):
        for key in ("gain_db", "tilt_db", "pitch_bands"):
            self._require(key, getattr(self, key) >= 0, "at least 0")
        for key in ("stretch", "time_mask", "band_mask"):
            self._require(key, 0 <= getattr(self, key) < 1, "at least 0 and below 1")
        for key in ("mix", "wear"):
            self._require(key, 0 <= getattr(self, key) <= 1, "between 0 and 1")


@dataclass(frozen=True)
class IndexSettings(Section):
    """The index.

    Attributes
    ----------
    hop_seconds : float
        Step between the starts of two segments of a recording.
    weights : dict
        What each part of the embedding counts in a search that asks for nothing else; parts that
        are not named keep their default. See `simlib.aspects`.
    """

    section = "index"
    hop_seconds: float
    weights: dict

    def __post_init__(self):
        self._require("hop_seconds", self.hop_seconds > 0, "above 0")


@dataclass(frozen=True)
class EvaluateSettings(Section):
    """The evaluation.

    Attributes
    ----------
    k : int
        Length of the ranked lists that are scored.
    bootstrap : int
        Resamples of the artists behind each 95% interval.
    seed : int
        Of resamples, ties, the random baseline and the choice of examples.
    compare : list of str
        `.npz` files with the embeddings or similarities of other systems.
    """

    section = "evaluate"
    k: int
    bootstrap: int
    seed: int
    compare: list = field(default_factory=list)

    def __post_init__(self):
        self._require("k", self.k >= 1, "at least 1")
        self._require("bootstrap", self.bootstrap >= 100, "at least 100")
        self._require(
            "compare", all(isinstance(name, str) for name in self.compare), "a list of file names"
        )


SECTIONS = {
    cls.section: cls
    for cls in (ExtractSettings, SplitSettings, TrainSettings, IndexSettings, EvaluateSettings)
}
