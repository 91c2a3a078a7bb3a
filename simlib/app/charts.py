"""Pictures to search by: a recording with seconds to choose, and the map of the catalogue."""

import html
import io

import bqplot
import ipywidgets as w
import matplotlib.image
import numpy as np
import pandas as pd

from simlib.reporting import short, track_name

# Points of a waveform and frames of a spectrogram: what a screen shows.
POINTS, FRAMES = 600, 800
# Of the picture's height, what the waveform takes, and the spectrogram.
WAVE, MEL = 0.4, 0.58
# Below the loudest, in dB, what a spectrogram shows.
DEPTH = 70.0
COLOURS = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5"]
OTHER = "#c3c8cf"
MARGIN = {"top": 6, "bottom": 26, "left": 12, "right": 12}


class Sound:
    """A picture of a recording: waveform above, log-mel below, and a range of seconds to drag.

    Attributes
    ----------
    figure : bqplot.Figure
        To display.
    brush : bqplot.interacts.BrushIntervalSelector
        `selected` are the seconds, None where there are none; `brushing` tells of a drag that has
        not ended.
    """

    def __init__(self):
        self.seconds = bqplot.LinearScale(min=0.0, max=1.0)
        scales = {"x": self.seconds, "y": bqplot.LinearScale(min=0.0, max=1.0)}
        empty = w.Image(value=_png(np.zeros((2, 2))), format="png")
        self._mel = bqplot.Image(image=empty, x=[0, 1], y=[0, MEL], scales=scales)
        self._wave = bqplot.Lines(
            x=[0.0, 1.0], y=[0.5, 0.5], scales=scales, fill="inside", colors=[COLOURS[0]],
            stroke_width=1,
        )  # fmt: skip
        self.brush = bqplot.interacts.BrushIntervalSelector(scale=self.seconds, color=COLOURS[2])
        self.figure = bqplot.Figure(
            marks=[self._mel, self._wave], interaction=self.brush, fig_margin=MARGIN,
            axes=[bqplot.Axis(scale=self.seconds, grid_lines="none", num_ticks=8)],
            layout=w.Layout(width="100%", height="200px"), display_toolbar=False,
        )  # fmt: skip

    def show(self, peaks, log_mel, seconds):
        """Draw a recording.

        Parameters
        ----------
        peaks : numpy.ndarray of float32, shape (2, n_peaks)
            Highest and lowest sample of one short stretch of time after the other.
        log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
            dB.
        seconds : float
            Length of both.
        """
        count = peaks.shape[1]
        edges = np.linspace(0, count, min(POINTS, count) + 1).astype(int)[:-1]
        top, bottom = np.maximum.reduceat(peaks[0], edges), np.minimum.reduceat(peaks[1], edges)
        loudest = max(float(np.abs(peaks).max()), 1e-6)
        middle, half = 1 - WAVE / 2, WAVE / 2 / loudest
        times = edges / count * seconds
        step = max(1, len(log_mel) // FRAMES)
        self.seconds.max = seconds
        self._wave.x = np.concatenate([times, times[::-1]])
        self._wave.y = middle + half * np.concatenate([top, bottom[::-1]])
        self._mel.x = [0.0, seconds]
        # Another picture, for bqplot does not look at the bytes of the same one again.
        before = self._mel.image
        levels = np.asarray(log_mel[::step], dtype=np.float32).T
        self._mel.image = w.Image(value=_png(levels), format="png")
        before.close()


def _png(levels):
    """Colour levels, dB, shape (n_mels, n_frames), low bands first, as a PNG."""
    stream = io.BytesIO()
    loudest = float(levels.max())
    matplotlib.image.imsave(
        stream, levels, vmin=loudest - DEPTH, vmax=loudest, cmap="magma", origin="lower",
        format="png",
    )  # fmt: skip
    return stream.getvalue()


class CatalogueMap:
    """The catalogue in two dimensions: hover shows a track, click chooses it.

    Parameters
    ----------
    tracks : pandas.DataFrame
    points : numpy.ndarray of float32, shape (n_tracks, 2)
        From `simlib.index.projection`.

    Attributes
    ----------
    figure : bqplot.Figure
        To display.
    tracks : bqplot.Scatter
        Its `on_element_click` tells the row.
    """

    def __init__(self, tracks, points):
        scales = {"x": bqplot.LinearScale(), "y": bqplot.LinearScale()}
        self.colour = bqplot.ColorScale(colors=COLOURS)
        self.points = points
        self.tracks = bqplot.Scatter(
            x=points[:, 0], y=points[:, 1], scales=scales, default_size=32, stroke_width=0,
            names=np.array([track_name(track, 60) for track in tracks.to_dict("records")]),
            display_names=False, tooltip=bqplot.Tooltip(fields=["name"], show_labels=False),
        )  # fmt: skip
        self.rings = bqplot.Scatter(
            x=[], y=[], scales=scales, default_size=150, fill=False, stroke="#1c2430",
            stroke_width=2, colors=["#1c2430"], names=np.array([""]), apply_clip=False,
        )  # fmt: skip
        self.figure = bqplot.Figure(
            marks=[self.tracks, self.rings], fig_margin=dict.fromkeys(MARGIN, 14),
            layout=w.Layout(width="100%", height="460px"), display_toolbar=False,
        )  # fmt: skip

    def paint(self, column):
        """Colour the tracks by a column.

        Parameters
        ----------
        column : pandas.Series
            Text, of which the first of several values counts and the most frequent get a colour;
            or numbers.

        Returns
        -------
        str
            The legend, as HTML.
        """
        if pd.api.types.is_numeric_dtype(column):
            ranks = column.rank(pct=True).fillna(0.0).to_numpy()
            colours = matplotlib.colormaps["viridis"](ranks)
            self.tracks.colors = [matplotlib.colors.to_hex(colour) for colour in colours]
            known = column.dropna()
            if known.empty:
                return "<small>unknown throughout</small>"
            return f"<small>dark: {known.min():g} · bright: {known.max():g}</small>"
        first = column.str.split(";").str[0].str.strip()
        often = first[first != ""].value_counts().index[: len(COLOURS)]
        colour_of = dict(zip(often, COLOURS, strict=False))
        self.tracks.colors = [colour_of.get(value, OTHER) for value in first]
        shown = [*colour_of.items(), *([("other", OTHER)] if (~first.isin(often)).any() else [])]
        entries = (
            f'<span style="color:{colour}">●</span> {html.escape(short(value, 30))}'
            for value, colour in shown
        )
        return f"<small>{' '.join(entries)}</small>"

    def ring(self, rows, names):
        """Put rings around tracks, each with a name."""
        with self.rings.hold_sync():
            self.rings.x, self.rings.y = self.points[rows, 0], self.points[rows, 1]
            self.rings.names = np.array(names)
