"""Figures from tables. Every text from a catalogue is drawn as it is, never as mathematics."""

import librosa.display
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

PALETTE = "colorblind"
# The systems keep their colours in every figure.
SYSTEM_ORDER = ["simlib", "pretrained", "untrained", "mfcc", "tags", "random"]


def plain(text, length=30):
    """Make untrusted text safe to draw: short, one line, no mathematics, no control characters."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    text = text if len(text) <= length else text[: length - 1] + "…"
    return text.replace("$", r"\$")


def three_views(samples, sample_rate, log_mel, settings):
    """Draw a recording as waveform, spectrogram and mel spectrogram, side by side.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n_samples,)
    sample_rate : int
        Hz.
    log_mel : numpy.ndarray, shape (n_frames, n_mels)
        dB.
    settings : simlib.settings.ExtractSettings

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


def draw_log_mel(log_mel, settings, axes):
    """Draw a log-mel spectrogram, dB, shape (n_frames, n_mels), into axes."""
    levels = np.asarray(log_mel, dtype=np.float32).T
    librosa.display.specshow(
        np.maximum(levels, levels.max() - 80),
        sr=settings.sample_rate,
        hop_length=settings.hop_length,
        fmin=settings.f_min,
        fmax=settings.f_max,
        x_axis="time",
        y_axis="mel",
        cmap="magma",
        ax=axes,
    )
    axes.set(title="Log-mel spectrogram", xlabel="seconds", ylabel="Hz")


def make_up(tracks, columns):
    """Draw what the catalogue is made of: durations, and recordings by tag.

    Parameters
    ----------
    tracks : pandas.DataFrame
        With `seconds`.
    columns : list of str
        Tag columns.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = columns[:3]
    figure, axes = plt.subplots(
        1, 1 + len(columns), figsize=(4 * (1 + len(columns)), 4), layout="constrained",
        squeeze=False,
    )  # fmt: skip
    sns.histplot(tracks["seconds"], bins=30, ax=axes[0, 0], color="C0")
    axes[0, 0].set(title="Duration", xlabel="seconds", ylabel="recordings")
    for panel, column in zip(axes[0, 1:], columns, strict=True):
        tags = tracks[column].str.split(";").explode().str.strip()
        counts = tags[tags != ""].value_counts().head(15)
        names = [plain(name) for name in counts.index]
        sns.barplot(x=counts.to_numpy(), y=names, ax=panel, color="C0")
        panel.set(title=plain(column), xlabel="recordings", ylabel="")
    return figure


def metric_bars(table):
    """Draw every measure as bars by system, with 95% intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        From `simlib.findings.table`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    table = table.dropna(subset=["value", "low"])
    measures = list(dict.fromkeys(table["measure"]))
    systems = [s for s in SYSTEM_ORDER if s in set(table["system"])]
    systems += [s for s in dict.fromkeys(table["system"]) if s not in systems]
    colours = dict(zip(systems, sns.color_palette(PALETTE, len(systems)), strict=True))
    # Two side by side: still legible on a phone.
    across = max(1, min(2, len(measures)))
    rows = max(1, -(-len(measures) // across))
    figure, axes = plt.subplots(
        rows, across, figsize=(4.6 * across, 0.6 + 0.34 * rows * len(systems)),
        layout="constrained", squeeze=False,
    )  # fmt: skip
    for panel in axes.flat[len(measures) :]:
        panel.set_axis_off()
    for panel, measure in zip(axes.flat, measures, strict=False):
        part = table[table["measure"] == measure].set_index("system")
        part = part.loc[[s for s in systems if s in part.index]]
        # By number: two names that are cut to the same text are two bars still.
        numbers = [str(i) for i in range(len(part))]
        sns.barplot(
            x=part["value"].to_numpy(), y=numbers, hue=numbers, legend=False, ax=panel,
            palette=[colours[s] for s in part.index],
        )  # fmt: skip
        panel.set_yticks(range(len(part)), [plain(s, 18) for s in part.index])
        errors = [part["value"] - part["low"], part["high"] - part["value"]]
        panel.errorbar(part["value"], range(len(part)), xerr=errors, fmt="none", color="0.2")
        panel.set(title=plain(measure), xlabel="", ylabel="")
    return figure


def neighbours_by_tag(cells):
    """Draw whose company the recordings with each tag keep.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `simlib.findings.tag_neighbourhoods`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if cells.empty:
        figure, axes = plt.subplots(figsize=(6, 1), layout="constrained")
        axes.set_axis_off()
        axes.text(0.5, 0.5, "There is no tag column to look at.", ha="center")
        return figure
    labels = [plain(name) for name in cells.index]
    size = 2.5 + 0.42 * len(labels)
    figure, axes = plt.subplots(figsize=(size + 1.5, size), layout="constrained")
    sns.heatmap(
        cells.to_numpy(), xticklabels=labels, yticklabels=labels, annot=len(labels) <= 12,
        fmt=".2f", cmap="mako_r", vmin=0, vmax=1, ax=axes,
        cbar_kws={"label": "share of neighbours"},
    )  # fmt: skip
    axes.set(xlabel="a neighbour's tag", ylabel=f"the query's {plain(cells.index.name)}")
    return figure


def occurrence_histogram(counts, k):
    """Draw in how many lists tracks stand, a line a system.

    Parameters
    ----------
    counts : dict of str to numpy.ndarray of int, shape (n_tracks,)
        By system.
    k : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    frame = pd.DataFrame({plain(name, 18): values for name, values in counts.items()})
    figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
    sns.histplot(
        frame.melt(var_name="system", value_name="lists"), x="lists", hue="system",
        element="step", fill=False, discrete=True, palette=PALETTE, ax=axes,
    )  # fmt: skip
    axes.axvline(k, color="0.6", linestyle=":")
    axes.set(xlabel=f"{k}-occurrence: lists that a track stands in", ylabel="tracks")
    return figure


def plane(vectors, seed):
    """Lay embeddings out in two dimensions, near staying near (t-SNE from a PCA start).

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (n_tracks, embedding)
    seed : int

    Returns
    -------
    numpy.ndarray of float32, shape (n_tracks, 2)
    """
    if len(vectors) < 5:
        return PCA(2, random_state=seed).fit_transform(vectors)
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    return TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors)


def catalogue_map(points, column):
    """Draw the catalogue as a map, coloured by the most frequent values of a column.

    Parameters
    ----------
    points : numpy.ndarray, shape (n_tracks, 2)
    column : pandas.Series
        The first of several values counts.

    Returns
    -------
    matplotlib.figure.Figure
    """
    first = column.str.split(";").str[0].str.strip()
    often = list(first[first != ""].value_counts().head(8).index)
    labels = first.where(first.isin(often), "other").map(plain).to_numpy(dtype=object)
    order = [plain(name) for name in often] + ["other"] * bool((labels == "other").any())
    figure, axes = plt.subplots(figsize=(8, 5.6), layout="constrained")
    sns.scatterplot(
        x=points[:, 0], y=points[:, 1], hue=labels, hue_order=order, palette=PALETTE, s=22,
        linewidth=0, ax=axes,
    )  # fmt: skip
    axes.set(xticks=[], yticks=[], title=f"by {plain(column.name)}")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def learning_curves(curves):
    """Draw the loss and the validation retrieval over the epochs.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `simlib.train.train`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (loss, score) = plt.subplots(1, 2, figsize=(11, 3.2), layout="constrained")
    sns.lineplot(curves, x="epoch", y="loss", marker="o", ax=loss)
    loss.set(title="Training loss", ylabel="loss")
    names = [c for c in curves.columns if c.startswith("validation")]
    if names:
        long = curves.melt("epoch", names, var_name="measure", value_name="score")
        long["measure"] = long["measure"].str.removeprefix("validation_").map(plain)
        sns.lineplot(
            long, x="epoch", y="score", hue="measure", palette=PALETTE, marker="o", ax=score
        )
    score.set(title="Retrieval on validation artists", ylabel="nDCG@10")
    return figure
