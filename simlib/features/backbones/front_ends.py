"""Front ends of the backbones: what a card says of how a recording becomes patches."""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    model_validator,
)


class Strict(BaseModel):
    """A part of a card: typed, strict and immutable."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class MelFrontEnd(Strict):
    """Patches of a log-mel spectrogram.

    Frames are those of `librosa.stft(center=True)` with a Hann window as long as `n_fft`, padded
    with zeros.

    Attributes
    ----------
    kind : str
        `mel`.
    sample_rate : int
        Hz.
    n_fft, hop_length : int
        Length of the analysis window and the step between two, in samples.
    n_mels : int
        Number of mel bands.
    f_min, f_max : float
        Lowest and highest frequency of the mel bands, in Hz.
    mel_scale : str
        `slaney` or `htk`, as `htk=` of `librosa.filters.mel`.
    mel_norm : str
        `slaney` or `none`, as `norm=` of `librosa.filters.mel`.
    spectrum : str
        What the mel filters add up: `power` or `magnitude`.
    log : str
        What a patch holds, of x = gain x mel + offset: `log10` of x, `ln` of x, or `db`, which is
        10 log10 of x, and 20 log10 of x if the spectrum is `magnitude`.
    gain, offset : float
    frames : int
        Length of a patch.
    """

    kind: Literal["mel"]
    sample_rate: PositiveInt
    n_fft: PositiveInt
    hop_length: PositiveInt
    n_mels: PositiveInt
    f_min: NonNegativeFloat
    f_max: PositiveFloat
    mel_scale: Literal["slaney", "htk"]
    mel_norm: Literal["slaney", "none"]
    spectrum: Literal["power", "magnitude"]
    log: Literal["log10", "ln", "db"]
    gain: PositiveFloat
    offset: PositiveFloat
    frames: PositiveInt

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.hop_length > self.n_fft:
            raise ValueError("hop_length must be at most n_fft")
        if not self.f_min < self.f_max <= self.sample_rate / 2:
            raise ValueError("f_max must be above f_min, and at most half of sample_rate")
        return self

    @property
    def patch(self) -> dict[str, int]:
        """The axes of a patch, and the length of each."""
        return {"frames": self.frames, "mels": self.n_mels}


class WaveformFrontEnd(Strict):
    """Patches of samples.

    Attributes
    ----------
    kind : str
        `waveform`.
    sample_rate : int
        Hz.
    seconds : float
        Length of a patch.
    """

    kind: Literal["waveform"]
    sample_rate: PositiveInt
    seconds: Annotated[float, Field(ge=0.1)]

    @property
    def patch(self) -> dict[str, int]:
        """The axis of a patch, and its length."""
        return {"samples": round(self.seconds * self.sample_rate)}
