"""Figures of recordings: waveforms, spectrograms and matched excerpts."""

import librosa.display
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simlib.features import FrontEnd
from simlib.reporting.text import clock

# The most columns of a mel spectrogram that are drawn. More would only make it slow and heavy.
MEL_COLUMNS = 1200
# The most results with a row of their own below a spectrogram.
MATCHED = 20
# Seconds between two marks on an axis of time.
TICKS = np.array([1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600])


def three_views(
    samples: np.ndarray, sample_rate: int, log_mel: np.ndarray, settings: FrontEnd
) -> Figure:
    """Draw a recording as waveform, spectrogram and mel spectrogram, side by side.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n_samples,)
    sample_rate : int
        Hz.
    log_mel : numpy.ndarray, shape (n_frames, n_mels)
        dB.
    settings : simlib.features.FrontEnd

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (wave, linear, mel) = plt.subplots(1, 3, figsize=(13, 3.2), layout="constrained")
    librosa.display.waveshow(samples, sr=sample_rate, ax=wave, color="C0")
    wave.set(title="Waveform", ylabel="amplitude", xlabel="seconds")
    power = np.abs(librosa.stft(samples, n_fft=settings.n_fft, hop_length=settings.hop_length))
    librosa.display.specshow(
        librosa.amplitude_to_db(power, ref=np.max), sr=sample_rate, ax=linear, x_axis="time",
        hop_length=settings.hop_length, y_axis="linear", cmap="magma",
    )  # fmt: skip
    linear.set(title="Spectrogram", xlabel="seconds")
    draw_log_mel(log_mel, settings, mel)
    return figure


def draw_log_mel(log_mel: np.ndarray, settings: FrontEnd, axes: Axes) -> None:
    """Draw a log-mel spectrogram, dB, shape (n_frames, n_mels), into axes."""
    levels = np.asarray(log_mel, dtype=np.float32).T
    step = -(-levels.shape[1] // MEL_COLUMNS)
    whole = np.pad(levels, ((0, 0), (0, -levels.shape[1] % step)), "edge")
    levels = whole.reshape(len(levels), -1, step).mean(axis=2)
    librosa.display.specshow(
        np.maximum(levels, levels.max() - 80), sr=settings.sample_rate, ax=axes, x_axis="time",
        hop_length=settings.hop_length * step, y_axis="mel", cmap="magma",
        fmin=settings.f_min, fmax=settings.f_max,
    )  # fmt: skip
    axes.set(title="Log-mel spectrogram", xlabel="seconds", ylabel="Hz")


def matched_excerpts_figure(
    log_mel: np.ndarray, settings: FrontEnd, played: tuple[float, float], found: pd.DataFrame
) -> Figure:
    """Draw a query's mel spectrogram and, below it, its matched excerpt for each result.

    Parameters
    ----------
    log_mel : numpy.ndarray, shape (n_frames, n_mels)
        dB.
    settings : simlib.features.FrontEnd
    played : tuple of (float, float)
        The seconds that its player plays.
    found : pandas.DataFrame
        From `simlib.search.Searcher.query`; its first `MATCHED` are shown.

    Returns
    -------
    matplotlib.figure.Figure
        Narrow, to be read on a phone.
    """
    found = found.head(MATCHED)
    places = ["▶", *found["rank"]]
    starts = np.array([played[0], *found["query_start"]])
    ends = np.array([played[1], *found["query_end"]])
    low = 0.3 + 0.17 * len(places)
    figure, (mel, spans) = plt.subplots(
        2, 1, figsize=(5.2, 2.0 + low), height_ratios=[2.0, low], sharex=True, dpi=170,
        layout="constrained",
    )  # fmt: skip
    draw_log_mel(log_mel, settings, mel)
    mel.set(title="", xlabel="")
    mel.set_ylabel("Hz", fontsize=9)
    colors = ["crimson"] + ["C0"] * len(found)
    rows, length = np.arange(len(places)), len(log_mel) / settings.frame_rate
    spans.barh(rows, ends - starts, left=starts, height=0.7, color=colors)
    spans.set_yticks(rows, places)
    spans.set(xlim=(0, length), ylim=(len(places) - 0.4, -0.6))
    spans.set_xlabel("time in the query", fontsize=9)
    spans.set_ylabel("result", fontsize=9)
    for axes in (mel, spans):
        axes.tick_params(labelsize=8)
    step = TICKS[min(int(np.searchsorted(TICKS, length / 8)), len(TICKS) - 1)]
    spans.xaxis.set_major_locator(ticker.MultipleLocator(step))
    spans.xaxis.set_major_formatter(lambda seconds, _: clock(seconds))
    spans.grid(axis="y", visible=False)
    return figure
