"""Figures of the catalogue. Its texts are drawn as they are, never as mathematics."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simlib.reporting.text import plain

PALETTE = "colorblind"
# Least distance of a number on a map from points and numbers, in points of type.
LABEL = 13.0


def catalogue_overview(tracks: pd.DataFrame, columns: list[str]) -> Figure:
    """Draw the durations of the recordings, and the number of recordings with each tag.

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
    count = 1 + len(columns)
    figure, axes = plt.subplots(1, count, figsize=(4 * count, 4), layout="constrained")
    duration, *panels = np.atleast_1d(axes)
    sns.histplot(tracks["seconds"], bins=30, ax=duration, color="C0")
    duration.set(title="Duration", xlabel="seconds", ylabel="recordings")
    for panel, column in zip(panels, columns, strict=True):
        tags = tracks[column].str.split(";").explode().str.strip()
        counts = tags[tags != ""].value_counts().head(15)
        names = [plain(name) for name in counts.index]
        sns.barplot(x=counts.to_numpy(), y=names, ax=panel, color="C0")
        panel.set(title=plain(column), xlabel="recordings", ylabel="")
    return figure


def catalogue_map_figure(points: np.ndarray, column: pd.Series) -> Figure:
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
    scatter_by_group(points, column, axes, s=22)
    axes.set(xticks=[], yticks=[], title=f"by {plain(column.name)}")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return figure


def scatter_by_group(points: np.ndarray, column: pd.Series, axes: Axes, **style: object) -> None:
    """Scatter tracks by the eight most frequent values of a column; the first of several counts."""
    first = column.str.split(";").str[0].str.strip()
    often = list(first[first != ""].value_counts().head(8).index)
    labels = first.where(first.isin(often), "other").map(plain).to_numpy(dtype=object)
    order = [plain(name) for name in often] + ["other"] * bool((labels == "other").any())
    sns.scatterplot(
        x=points[:, 0], y=points[:, 1], hue=labels, hue_order=order, palette=PALETTE, linewidth=0,
        ax=axes, **style,
    )  # fmt: skip


def marked_map(
    points: np.ndarray, column: pd.Series, query: np.ndarray, found: np.ndarray
) -> Figure:
    """Draw the catalogue as a map on which a query and its results are marked.

    Parameters
    ----------
    points : numpy.ndarray, shape (n_tracks, 2)
    column : pandas.Series
        See `catalogue_map_figure`.
    query : numpy.ndarray, shape (2,)
    found : numpy.ndarray, shape (n_found, 2)
        Places of the ranked list, best first; they are numbered from 1.

    Returns
    -------
    matplotlib.figure.Figure
        Narrow, to be read on a phone.
    """
    figure, axes = plt.subplots(figsize=(5.2, 5.6), dpi=170)
    figure.subplots_adjust(0.01, 0.2, 0.99, 0.99)
    scatter_by_group(points, column, axes, s=20, alpha=0.7)
    axes.plot(*query, "*", color="crimson", mec="white", markersize=18, label="the query")
    axes.plot(*found.T, "o", color="black", markersize=4)
    axes.set(xticks=[], yticks=[])
    axes.margins(0.1)
    axes.autoscale_view()
    anchors = axes.transData.transform(np.vstack([query, found])) * 72 / figure.dpi
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

    Each gets the nearest place around its point that covers no point and no label.
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
