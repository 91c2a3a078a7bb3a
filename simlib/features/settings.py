"""One frozen dataclass for each section of `params.yaml`, with its checks."""

from dataclasses import dataclass

from simlib.core import Section


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
