"""Figures from tables. Every text from a catalogue is drawn as it is, never as mathematics."""

import librosa.display
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import ticker

PALETTE = "colorblind"
# Of `simlib.vocabulary.support`.
VERDICTS = ["heard", "barely heard", "not heard", "cannot tell"]
# The systems keep their colours in every figure.
SYSTEM_ORDER = ["simlib", "pretrained", "untrained", "mfcc", "tags", "random"]
# At most so many columns of a mel spectrogram are drawn.
MEL_COLUMNS = 1200
# At most so many results have a row of their own below a spectrogram.
MATCHED = 20
# How far a number on a map is from all else, in points of type.
LABEL = 13.0
# Seconds between two marks on an axis of time.
TICKS = np.array([1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600])


def plain(text, length=30):
    """Make untrusted text safe to draw: short, one line, no mathematics, no control characters."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    text = text if len(text) <= length else text[: length - 1] + "…"
    return text.replace("$", r"\$")


def clock(seconds):
    """Write seconds as a player does: 0:07, 12:34, 1:02:03."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


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


def overlap_histogram(overlap, k):
    """Draw how much of their lists recordings kept.

    Parameters
    ----------
    overlap : numpy.ndarray of float64, shape (n_tracks,)
        From `simlib.changes.overlap`.
    k : int
        Length of the lists.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    edges = (np.arange(k + 2) - 0.5) / k
    sns.histplot(x=overlap[np.isfinite(overlap)], bins=edges, color="C0", ax=axes)
    axes.set(xlabel=f"share of the {k} nearest that stayed", ylabel="recordings")
    return figure


def aspect_matrix(table):
    """Draw what turning each part of the similarity up does to each measure.

    Parameters
    ----------
    table : pandas.DataFrame
        From `simlib.turning.table`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    turned, measured = (table[name].unique() for name in ("turned up", "measured"))
    values = table.pivot(index="turned up", columns="measured", values="value")
    values = values.loc[turned, measured]
    bounds = table.set_index(["turned up", "measured"])
    texts = [[_with_interval(bounds.loc[(part, aspect)]) for aspect in measured] for part in turned]
    size = (1.6 + 1.5 * len(measured), 1.4 + 0.62 * len(turned))
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    largest = np.nanmax(np.abs(values.to_numpy()), initial=0.01)
    sns.heatmap(
        values.to_numpy(), annot=np.array(texts), fmt="", annot_kws={"size": 8}, cmap="vlag_r",
        vmin=-largest, vmax=largest, ax=axes, cbar=False,
        xticklabels=[plain(m, 18) for m in measured], yticklabels=[plain(t, 18) for t in turned],
    )  # fmt: skip
    axes.set(xlabel="nDCG gained, measured by", ylabel="turned up")
    return figure


def _with_interval(cell):
    if np.isnan(cell["value"]):
        return ""
    return f"{cell['value']:+.3f}\n[{cell['low']:+.3f}, {cell['high']:+.3f}]"


def reliability(table):
    """Draw how far the score of a result can be taken at its word.

    Parameters
    ----------
    table : pandas.DataFrame
        From `simlib.reliability.reliability`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(figsize=(3.8, 3.6), layout="constrained")
    axes.plot([0, 100], [0, 100], color="0.6", linestyle=":")
    percent = 100 * table
    axes.fill_between(percent["stated"], percent["low"], percent["high"], color="C0", alpha=0.2)
    axes.plot(percent["stated"], percent["found"], color="C0")
    axes.set(
        xlabel="stated, % of unrelated pairs", ylabel="found, %",
        xlim=(0, 100), ylim=(0, 100), aspect="equal",
    )  # fmt: skip
    return figure


def tag_support(table):
    """Draw how well the sound supports each word.

    Parameters
    ----------
    table : pandas.DataFrame
        From `simlib.vocabulary.support`; words without an interval are left out.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = table[table["low"].notna()]
    columns = shown["column"].unique()
    counts = [int((shown["column"] == column).sum()) for column in columns]
    figure, axes = plt.subplots(
        max(1, len(columns)), 1, figsize=(6.5, 1.2 + 0.6 * len(columns) + 0.19 * sum(counts)),
        layout="constrained", squeeze=False, sharex=True,
        height_ratios=[n + 1 for n in counts] or [1],
    )  # fmt: skip
    colours = dict(zip(VERDICTS, sns.color_palette(PALETTE, len(VERDICTS)), strict=True))
    for column, panel in zip(columns, axes.flat, strict=False):
        part = shown[shown["column"] == column].iloc[::-1]
        for at, row in enumerate(part.itertuples()):
            panel.plot([row.low, row.high], [at, at], color=colours[row.verdict])
            panel.plot(row.odds, at, "o", markersize=4, color=colours[row.verdict])
        panel.set_yticks(range(len(part)), [plain(tag) for tag in part["tag"]], fontsize=8)
        panel.axvline(1, color="0.6", linestyle=":")
        panel.set(title=plain(column), xscale="log", ylim=(-0.7, len(part) - 0.3))
    lines = [plt.Line2D([], [], color=colours[v], marker="o", markersize=4) for v in VERDICTS]
    axes.flat[-1].set_xlabel("times the odds that a neighbour carries the word")
    figure.legend(lines, VERDICTS, loc="outside lower center", ncols=len(VERDICTS), fontsize=8)
    return figure


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
    figure, axes = plt.subplots(figsize=(8, 5.6), layout="constrained")
    _scattered(points, column, axes, s=22)
    axes.set(xticks=[], yticks=[], title=f"by {plain(column.name)}")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def _scattered(points, column, axes, **style):
    """Scatter tracks by the eight most frequent values of a column; the first of several counts."""
    first = column.str.split(";").str[0].str.strip()
    often = list(first[first != ""].value_counts().head(8).index)
    labels = first.where(first.isin(often), "other").map(plain).to_numpy(dtype=object)
    order = [plain(name) for name in often] + ["other"] * bool((labels == "other").any())
    sns.scatterplot(
        x=points[:, 0], y=points[:, 1], hue=labels, hue_order=order, palette=PALETTE, linewidth=0,
        ax=axes, **style,
    )  # fmt: skip


def marked_map(points, column, reference, found):
    """Draw the catalogue as a map on which a reference and what is like it are marked.

    Parameters
    ----------
    points : numpy.ndarray, shape (n_tracks, 2)
    column : pandas.Series
        See `catalogue_map`.
    reference : numpy.ndarray, shape (2,)
    found : numpy.ndarray, shape (n_found, 2)
        Places of the ranked list, best first; they are numbered from 1.

    Returns
    -------
    matplotlib.figure.Figure
        Narrow, to be read on a phone.
    """
    figure, axes = plt.subplots(figsize=(5.2, 5.6), dpi=170)
    figure.subplots_adjust(0.01, 0.2, 0.99, 0.99)
    _scattered(points, column, axes, s=20, alpha=0.7)
    axes.plot(*reference, "*", color="crimson", mec="white", markersize=18, label="the reference")
    axes.plot(*found.T, "o", color="black", markersize=4)
    axes.set(xticks=[], yticks=[])
    axes.margins(0.1)
    axes.autoscale_view()
    anchors = axes.transData.transform(np.vstack([reference, found])) * 72 / figure.dpi
    for number, offset in enumerate(_free_places(anchors), 1):
        axes.annotate(
            str(number), found[number - 1], offset, textcoords="offset points", ha="center",
            va="center", fontsize=8, weight="bold",
            bbox={"boxstyle": "circle,pad=0.2", "fc": "white", "ec": "black", "lw": 0.8},
            arrowprops={"arrowstyle": "-", "color": "black", "lw": 0.8, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=3, frameon=False, fontsize=9,
        handletextpad=0.2, columnspacing=1.0, markerscale=0.9,
    )  # fmt: skip
    return figure


def _free_places(anchors):
    """Find places for the labels of all points but the first: points of type, shape (n, 2).

    Each takes the nearest place, going round its point, where it covers no point and no label.
    """
    taken, offsets = list(anchors), []
    angles = np.arange(12) * np.pi / 6
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ring = np.concatenate([radius * around for radius in (14, 22, 32, 44, 58, 74)])
    for anchor in anchors[1:]:
        gaps = np.linalg.norm(anchor + ring[:, None] - np.array(taken), axis=2).min(axis=1)
        free = np.flatnonzero(gaps >= LABEL)
        offsets.append(ring[free[0] if len(free) else np.argmax(gaps)])
        taken.append(anchor + offsets[-1])
    return np.array(offsets).reshape(-1, 2)


def matched_seconds(log_mel, settings, played, found):
    """Draw a reference's mel spectrogram and, below it, which of its seconds are matched.

    Parameters
    ----------
    log_mel : numpy.ndarray, shape (n_frames, n_mels)
        dB.
    settings : simlib.settings.ExtractSettings
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
    starts = np.array([played[0], *found["reference_start"]])
    ends = np.array([played[1], *found["reference_end"]])
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
    spans.set_xlabel("time in the reference", fontsize=9)
    spans.set_ylabel("result", fontsize=9)
    step = TICKS[min(np.searchsorted(TICKS, length / 8), len(TICKS) - 1)]
    spans.xaxis.set_major_locator(ticker.MultipleLocator(step))
    spans.xaxis.set_major_formatter(lambda seconds, _: clock(seconds))
    spans.grid(axis="y", visible=False)
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
