"""Figures from tables. Every text from a catalogue is drawn as it is, never as mathematics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import librosa.display
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import ticker

from simlib.reporting.text import clock

if TYPE_CHECKING:
    from simlib.features import FrontEnd

# At most so many columns of a mel spectrogram are drawn.
MEL_COLUMNS = 1200
# At most so many results have a row of their own below a spectrogram.
MATCHED = 20
# Seconds between two marks on an axis of time.
TICKS = np.array([1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600])


def three_views(
    samples: np.ndarray, sample_rate: int, log_mel: np.ndarray, settings: FrontEnd
) -> matplotlib.figure.Figure:
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
        librosa.amplitude_to_db(power, ref=np.max),
        sr=sample_rate,
        hop_length=settings.hop_length,
        x_axis="time",
        y_axis="linear",
        cmap="magma",
        ax=linear,
    )
    linear.set(title="Spectrogram", xlabel="seconds")
    draw_log_mel(log_mel, settings, mel)
    return figure


def draw_log_mel(log_mel: np.ndarray, settings: FrontEnd, axes: matplotlib.axes.Axes) -> Any:
    """Draw a log-mel spectrogram, dB, shape (n_frames, n_mels), into axes."""
    levels = np.asarray(log_mel, dtype=np.float32).T
    # More columns than a figure shows would only make it slow and heavy.
    step = -(-levels.shape[1] // MEL_COLUMNS)
    whole = np.pad(levels, ((0, 0), (0, -levels.shape[1] % step)), "edge")
    levels = whole.reshape(len(levels), -1, step).mean(axis=2)
    librosa.display.specshow(
        np.maximum(levels, levels.max() - 80),
        sr=settings.sample_rate,
        hop_length=settings.hop_length * step,
        fmin=settings.f_min,
        fmax=settings.f_max,
        x_axis="time",
        y_axis="mel",
        cmap="magma",
        ax=axes,
    )
    axes.set(title="Log-mel spectrogram", xlabel="seconds", ylabel="Hz")


def matched_excerpts_figure(
    log_mel: np.ndarray, settings: FrontEnd, played: tuple[float, float], found: pd.DataFrame
) -> matplotlib.figure.Figure:
    """Draw a reference's mel spectrogram and, below it, which of its seconds are matched.

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
    mel.tick_params(labelsize=8)
    colors = ["crimson"] + ["C0"] * len(found)
    spans.barh(np.arange(len(places)), ends - starts, left=starts, height=0.7, color=colors)
    spans.set_yticks(np.arange(len(places)), places)
    spans.tick_params(labelsize=8)
    length = len(log_mel) / settings.frame_rate
    spans.set(xlim=(0, length), ylim=(len(places) - 0.4, -0.6))
    spans.set_xlabel("time in the query", fontsize=9)
    spans.set_ylabel("result", fontsize=9)
    step = TICKS[min(int(np.searchsorted(TICKS, length / 8)), len(TICKS) - 1)]
    spans.xaxis.set_major_locator(ticker.MultipleLocator(step))
    spans.xaxis.set_major_formatter(lambda seconds, _: clock(seconds))
    spans.grid(axis="y", visible=False)
    return figure
