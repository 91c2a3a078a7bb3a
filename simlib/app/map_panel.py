"""The map of the catalogue, with a choice of colours and rings around results."""

import html
from collections.abc import Callable

import bqplot
import ipywidgets as w
import matplotlib
import numpy as np
import pandas as pd

from simlib.app.widgets import COLOURS
from simlib.core import is_reserved
from simlib.relevance import tag_columns
from simlib.reporting import short, track_name

OTHER = "#c3c8cf"


class MapPanel:
    """The catalogue in two dimensions: hover shows a track, a click chooses it.

    Parameters
    ----------
    tracks : pandas.DataFrame
    points : numpy.ndarray of float32, shape (n_tracks, 2)
        From `simlib.index.load_projection`.
    on_choice : callable
        Called with the track id of a point that was clicked.

    Attributes
    ----------
    box : ipywidgets.VBox
        To display.
    dots, rings : bqplot.Scatter
    """

    def __init__(self, tracks: pd.DataFrame, points: np.ndarray, on_choice: Callable[[str], None]):
        self.tracks, self.points, self.on_choice = tracks, points, on_choice
        scales = {"x": bqplot.LinearScale(), "y": bqplot.LinearScale()}
        self.dots = bqplot.Scatter(
            x=points[:, 0], y=points[:, 1], scales=scales, default_size=32, stroke_width=0,
            names=np.array([track_name(track, 60) for track in tracks.to_dict("records")]),
            display_names=False, tooltip=bqplot.Tooltip(fields=["name"], show_labels=False),
        )  # fmt: skip
        self.rings = bqplot.Scatter(
            x=[], y=[], scales=scales, default_size=150, fill=False, stroke="#1c2430",
            stroke_width=2, colors=["#1c2430"], names=np.array([""]), apply_clip=False,
        )  # fmt: skip
        figure = bqplot.Figure(
            marks=[self.dots, self.rings], layout={"width": "100%", "height": "460px"},
            fig_margin=dict.fromkeys(("top", "bottom", "left", "right"), 14), display_toolbar=False,
        )  # fmt: skip
        tags = tag_columns(tracks)
        left_out = {"track_id", "path", "title", *tags}
        others = (name for name in tracks if name == "seconds" or not is_reserved(name))
        columns = [*tags, *(name for name in others if name not in left_out)]
        self.colour, self.legend = w.Dropdown(options=columns, description="Colour"), w.HTML()
        self.dots.on_element_click(self._on_click)
        self.colour.observe(lambda _: self._paint(), "value")
        self._paint()
        head = w.HTML("<h3>The catalogue</h3>")
        self.box = w.VBox([head, w.HBox([self.colour, self.legend]), figure])

    def ring(self, found: pd.DataFrame | None, row: int | None = None) -> None:
        """Ring results by their ranks and the query by a star; nothing if there is no list.

        Parameters
        ----------
        found : pandas.DataFrame or None
            From `Searcher.query`.
        row : int, optional
            Of the query, if it is a track of the catalogue.
        """
        rows, names = ([], []) if row is None or found is None else ([row], ["★"])
        if found is not None:
            rows += pd.Index(self.tracks["track_id"]).get_indexer(found["track_id"]).tolist()
            names += found["rank"].astype(str).tolist()
        with self.rings.hold_sync():
            self.rings.x, self.rings.y = self.points[rows, 0], self.points[rows, 1]
            self.rings.names = np.array(names)

    def _paint(self):
        column = self.tracks[self.colour.value]
        paint = _by_number if pd.api.types.is_numeric_dtype(column) else _by_text
        self.dots.colors, legend = paint(column)
        self.legend.value = f"<small>{legend}</small>"

    def _on_click(self, scatter, event):
        self.on_choice(self.tracks["track_id"].iloc[event["data"]["index"]])


def _by_number(column):
    """Return a colour for each number, by its rank, and the legend."""
    ranks = column.rank(pct=True).fillna(0.0).to_numpy()
    colours = [matplotlib.colors.to_hex(c) for c in matplotlib.colormaps["viridis"](ranks)]
    known = column.dropna()
    if known.empty:
        return colours, "unknown throughout"
    return colours, f"dark: {known.min():g} · bright: {known.max():g}"


def _by_text(column):
    """Return a colour for each text, by the first of its values, and the legend as HTML."""
    first = column.str.split(";").str[0].str.strip()
    often = first[first != ""].value_counts().index[: len(COLOURS)]
    colour_of = dict(zip(often, COLOURS, strict=False))
    shown = [*colour_of.items(), *([("other", OTHER)] if (~first.isin(often)).any() else [])]
    legend = " ".join(
        f'<span style="color:{colour}">●</span> {html.escape(short(value, 30))}'
        for value, colour in shown
    )
    return [colour_of.get(value, OTHER) for value in first], legend
