"""The settings of the extract stage."""

import math
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from simlib.core import Count, FromList, NotNegative, Positive, Section
from simlib.features.backbones.names import KNOWN, is_backbone


def _known_backbones(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(map(is_backbone, value)) or len(set(value)) < len(value):
        raise ValueError(f"[], or a list with some of {KNOWN}, each once")
    return value


# Names of backbones, each once; none for a network from scratch. See `load_card`.
BackboneNames = Annotated[tuple[str, ...], FromList, AfterValidator(_known_backbones)]


class FrontEnd(Section):
    """The log-mel front end: what a model must share with the features that it embeds.

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

    section: ClassVar[str] = "extract"
    sample_rate: Annotated[int, Field(ge=8000)]
    n_fft: Annotated[int, Field(ge=256)]
    hop_length: Count
    n_mels: Annotated[int, Field(ge=8)]
    f_min: NotNegative
    f_max: float
    min_seconds: Positive

    @field_validator("hop_length", "n_mels")
    @classmethod
    def _fits_the_window(cls, value: int, info: ValidationInfo) -> int:
        share = 1 if info.field_name == "hop_length" else 4
        if value * share > info.data.get("n_fft", value * share):
            raise ValueError(f"at most n_fft / {share}" if share > 1 else "at most n_fft")
        return value

    @field_validator("f_max")
    @classmethod
    def _fits_the_rate(cls, value: float, info: ValidationInfo) -> float:
        if value <= info.data.get("f_min", 0):
            raise ValueError("above f_min")
        if value > info.data.get("sample_rate", math.inf) / 2:
            raise ValueError("at most half of sample_rate")
        return value

    @property
    def frame_rate(self) -> float:
        """Spectrogram frames a second."""
        return self.sample_rate / self.hop_length


class DegradedSettings(Section):
    """The degraded copy of each recording, which training learns from.

    Attributes
    ----------
    seconds : float
        Length of the excerpt from the middle that is degraded.
    snr_db : tuple of float
        Lowest and highest ratio of the recording to the noise, in dB.
    reverberation_seconds : tuple of float
        Shortest and longest reverberation time (by 60 dB), in seconds.
    """

    section: ClassVar[str] = "extract.degraded"
    seconds: Annotated[float, Field(ge=1)]
    snr_db: Annotated[tuple[float, float], FromList]
    reverberation_seconds: Annotated[tuple[Positive, Positive], FromList]

    @field_validator("snr_db", "reverberation_seconds")
    @classmethod
    def _rises(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] > value[1]:
            raise ValueError("the lowest value, then the highest")
        return value


class ExtractSettings(FrontEnd):
    """The extract stage: the front end, and what else the stage computes.

    Attributes
    ----------
    silence_dbfs : float
        A recording whose highest sample is below this level is rejected, in dB of full scale.
    degraded : DegradedSettings
    """

    silence_dbfs: Annotated[float, Field(le=0)]
    degraded: DegradedSettings

    @property
    def front_end(self) -> FrontEnd:
        """The log-mel front end alone."""
        return FrontEnd(**{name: getattr(self, name) for name in FrontEnd.model_fields})


class BackboneSettings(Section):
    """The setting of the train stage that the extract stage needs, too.

    Attributes
    ----------
    backbones : tuple of str
        The backbones whose activations are computed.
    """

    section: ClassVar[str] = "train"
    backbones: BackboneNames
