"""Figures of the evaluation. Texts of a catalogue are drawn as they are, never as mathematics."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from simlib.reporting.catalogue_figures import PALETTE
from simlib.reporting.text import interval_text, plain

# Of `simlib.evaluation.tag_support_table`.
AUDIBILITY = ["audible", "barely audible", "not audible", "unclear"]
# The systems keep their colours in every figure.
SYSTEM_ORDER = ["simlib", "pretrained", "musicnn", "vgg", "untrained", "mfcc", "tags", "random"]


def metric_bars(table: pd.DataFrame) -> Figure:
    """Draw every measure as bars by system, with 95% intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        From `simlib.evaluation.long_table`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    table = table.dropna(subset=["value", "low"])
    measures, systems = (list(dict.fromkeys(table[name])) for name in ("measure", "system"))
    systems.sort(key=lambda s: SYSTEM_ORDER.index(s) if s in SYSTEM_ORDER else len(SYSTEM_ORDER))
    colours = dict(zip(systems, sns.color_palette(PALETTE, len(systems)), strict=True))
    # Two side by side are still legible on a phone.
    across = max(1, min(2, len(measures)))
    rows = max(1, -(-len(measures) // across))
    figure, axes = plt.subplots(
        rows, across, figsize=(4.6 * across, 0.6 + 0.34 * rows * len(systems)),
        layout="constrained", squeeze=False,
    )  # fmt: skip
    for panel in axes.flat[len(measures) :]:
        panel.set_axis_off()
    for panel, measure in zip(axes.flat, measures, strict=False):
        shown = table[table["measure"] == measure].set_index("system")
        shown = shown.loc[[s for s in systems if s in shown.index]]
        # By number: two names that are cut to the same text are still two bars.
        places = np.arange(len(shown))
        panel.barh(places, shown["value"], color=[colours[s] for s in shown.index])
        errors = [shown["value"] - shown["low"], shown["high"] - shown["value"]]
        panel.errorbar(shown["value"], places, xerr=errors, fmt="none", color="0.2")
        panel.set_yticks(places, [plain(s, 18) for s in shown.index])
        panel.set(title=plain(measure), ylim=(len(shown) - 0.5, -0.5))
        panel.grid(axis="y", visible=False)
    return figure


def neighbours_by_tag(cells: pd.DataFrame) -> Figure:
    """Draw the tags of the neighbours of recordings with each tag.

    Parameters
    ----------
    cells : pandas.DataFrame
        From `simlib.evaluation.tag_neighbourhoods`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if cells.empty:
        figure, axes = plt.subplots(figsize=(6, 1), layout="constrained")
        axes.set_axis_off()
        axes.text(0.5, 0.5, "There is no tag column.", ha="center")
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


def occurrence_histogram(counts: dict[str, np.ndarray], k: int) -> Figure:
    """Draw in how many lists tracks stand, one line a system.

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


def kept_histogram(shares: np.ndarray, k: int) -> Figure:
    """Draw how much of their lists recordings kept.

    Parameters
    ----------
    shares : numpy.ndarray of float64, shape (n_tracks,)
        From `simlib.evaluation.kept_shares`.
    k : int
        Length of the lists.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    edges = (np.arange(k + 2) - 0.5) / k
    sns.histplot(x=shares[np.isfinite(shares)], bins=edges, color="C0", ax=axes)
    axes.set(xlabel=f"share of the {k} most similar that stayed", ylabel="recordings")
    return figure


def aspect_matrix(table: pd.DataFrame) -> Figure:
    """Draw the gain in each measure if one aspect gets half of all weight.

    Parameters
    ----------
    table : pandas.DataFrame
        From `simlib.evaluation.aspect_gain_table`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    turned, measured = (table[name].unique() for name in ("turned up", "measured"))
    cells = table.assign(text=[interval_text(row, "+") for row in table.to_dict("records")])
    values, texts = (
        cells.pivot(index="turned up", columns="measured", values=name).loc[turned, measured]
        for name in ("value", "text")
    )
    size = (1.6 + 1.5 * len(measured), 1.4 + 0.62 * len(turned))
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    largest = np.nanmax(np.abs(values.to_numpy()), initial=0.01)
    sns.heatmap(
        values.to_numpy(), annot=texts.replace(" \\[", "\n[", regex=True), fmt="",
        annot_kws={"size": 8}, cmap="vlag_r", vmin=-largest, vmax=largest, ax=axes, cbar=False,
        xticklabels=[plain(m, 18) for m in measured], yticklabels=[plain(t, 18) for t in turned],
    )  # fmt: skip
    axes.set(xlabel="nDCG gained, measured by", ylabel="turned up")
    return figure


def reliability_figure(table: pd.DataFrame) -> Figure:
    """Draw the similarity percentiles that scores state against those that are found.

    Parameters
    ----------
    table : pandas.DataFrame
        From `simlib.evaluation.reliability_curve`.

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


def tag_support_figure(table: pd.DataFrame) -> Figure:
    """Draw how well the sound supports each tag.

    Parameters
    ----------
    table : pandas.DataFrame
        From `simlib.evaluation.tag_support_table`; tags without an interval are left out.

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
    palette = sns.color_palette(PALETTE, len(AUDIBILITY))
    colours = dict(zip(AUDIBILITY, palette, strict=True))
    for column, panel in zip(columns, axes.flat, strict=False):
        rows = shown[shown["column"] == column].iloc[::-1]
        for at, row in enumerate(rows.itertuples()):
            panel.plot([row.low, row.high], [at, at], color=colours[row.audibility])
            panel.plot(row.odds, at, "o", markersize=4, color=colours[row.audibility])
        panel.set_yticks(range(len(rows)), [plain(tag) for tag in rows["tag"]], fontsize=8)
        panel.axvline(1, color="0.6", linestyle=":")
        panel.set(title=plain(column), xscale="log", ylim=(-0.7, len(rows) - 0.3))
    lines = [plt.Line2D([], [], color=c, marker="o", markersize=4) for c in palette]
    axes.flat[-1].set_xlabel("times the odds that a neighbour has the tag")
    figure.legend(lines, AUDIBILITY, loc="outside lower center", ncols=len(lines), fontsize=8)
    return figure


def learning_curves(curves: pd.DataFrame) -> Figure:
    """Draw the loss and the validation retrieval over the epochs.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `simlib.training.train`.

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
