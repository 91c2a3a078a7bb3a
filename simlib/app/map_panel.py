"""The map of the catalogue, with a choice of colours and rings around results."""

from collections.abc import Callable

import ipywidgets as w
import numpy as np
import pandas as pd

from simlib.app.charts import CatalogueMap
from simlib.features import FEATURE_KINDS
from simlib.relevance import tag_columns


class MapPanel:
    """The map and what it is coloured by.

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
    """

    def __init__(self, tracks: pd.DataFrame, points: np.ndarray, on_choice: Callable[[str], None]):
        self.tracks, self.on_choice = tracks, on_choice
        self.picture = CatalogueMap(tracks, points)
        hidden = {"track_id", "path", "title", "digest", *FEATURE_KINDS}
        tags = tag_columns(tracks)
        others = [column for column in tracks if column not in hidden and column not in tags]
        self.colour = w.Dropdown(options=[*tags, *others], description="Colour")
        self.legend = w.HTML()
        self.picture.tracks.on_element_click(self._on_click)
        self.colour.observe(lambda _: self._paint(), "value")
        self._paint()
        self.box = w.VBox(
            [w.HTML("<h3>The catalogue</h3>"), w.HBox([self.colour, self.legend]),
             self.picture.figure],
        )  # fmt: skip

    def ring(self, found: pd.DataFrame | None, row: int | None = None) -> None:
        """Ring results by their ranks and the query by a star; nothing if there is no list.

        Parameters
        ----------
        found : pandas.DataFrame or None
            From `Searcher.query`.
        row : int, optional
            Of the query, if it is a track of the catalogue.
        """
        if found is None:
            self.picture.ring([], [])
            return
        places = {track_id: place for place, track_id in enumerate(self.tracks["track_id"])}
        rows = [places[track_id] for track_id in found["track_id"]]
        texts = [str(rank) for rank in found["rank"]]
        if row is not None:
            rows, texts = [row, *rows], ["★", *texts]
        self.picture.ring(rows, texts)

    def _paint(self):
        self.legend.value = self.picture.paint(self.tracks[self.colour.value])

    def _on_click(self, scatter, event):
        self.on_choice(self.tracks["track_id"].iloc[event["data"]["index"]])
