"""The search panel of `notebooks/search.ipynb`, in JupyterLab and on the page of `make app`."""

import dataclasses
import os

import ipywidgets as w
import pandas as pd

from simlib.app.excerpt_picker import ExcerptPicker
from simlib.app.map_panel import MapPanel
from simlib.app.options import SearchOptions
from simlib.app.playlist_panel import PlaylistPanel
from simlib.app.query_chooser import Basket, ChosenQuery, QueryChooser
from simlib.app.result_list import ResultList
from simlib.app.widgets import button, wrapped
from simlib.catalogue import append_triplet
from simlib.core import SimlibError
from simlib.index import load_projection
from simlib.reporting import render, style_sheet, track_name
from simlib.search import Searcher, SearchRequest


class SearchPanel:
    """Choose a query and an excerpt of it, play the results, see the map, make playlists.

    Parameters
    ----------
    root : path-like, optional
        The project; found upwards from the working directory by default.

    Attributes
    ----------
    box : ipywidgets.VBox
        To display.
    results : pandas.DataFrame or None
        The list that is shown.
    """

    def __init__(self, root: str | os.PathLike | None = None):
        self.searcher = Searcher(root)
        self.data, tracks = self.searcher.project.data, self.searcher.tracks
        self.chosen, self.recording, self.query = None, None, None
        self.results: pd.DataFrame | None = None
        self.offered = {
            f"{track_name(track, 60)} [{track['track_id']}]": ChosenQuery(
                self.data / track["path"], track_name(track), track["track_id"]
            )
            for track in tracks.to_dict("records")
        }
        self.choices = {choice.track_id: choice for choice in self.offered.values()}
        self.chooser = QueryChooser(self.offered, self._take)
        self.picker = ExcerptPicker(self.search, lambda: self.searcher.representative(self.query))
        self.basket = Basket(self.search)
        self.options = SearchOptions(self.searcher, self.search)
        paths = {track_id: choice.path for track_id, choice in self.choices.items()}
        self.list = ResultList(paths, self.choose, self._judge)
        points = load_projection(self.searcher.project.index)
        self.map = MapPanel(tracks, points, lambda track_id: self.choose(track_id, play=True))
        self.playlists = PlaylistPanel(
            self.searcher, self.offered, self._current, self.options.chosen_weights,
            self.chooser.show_progress,
        )  # fmt: skip
        tooltip = "keep it, and choose another one"
        also = button("Also like this", lambda: self.keep(True), tooltip=tooltip)
        tooltip = "results must not be similar to it"
        never = button("Not like this", lambda: self.keep(False), tooltip=tooltip)
        self.keepers = wrapped(also, never, self.basket.box)
        # The picture of the query is shown once there is one: hidden, it would have no size.
        self.sound = w.VBox()
        style = w.HTML(render("results", "style", style_sheet()))
        parts = [part.box for part in (self.options, self.list, self.map, self.playlists)]
        children = [style, self.chooser.box, self.sound, *parts]
        self.box = w.VBox(children, layout={"max_width": "68rem"})
        self.box.add_class("simlib-panel")

    def choose(self, track_id: str, play: bool = False) -> None:
        """Make a track of the catalogue the query, and play it if `play` is true."""
        self._take(self.choices[track_id], play)

    def keep(self, wanted: bool) -> None:
        """Keep the query: results are to be similar to it, or not, beside the next ones."""
        if self.chosen is not None:
            self.basket.add(self._query(), self.chosen.name, wanted)

    def search(self) -> None:
        """Search by what is chosen, and show the list."""
        if self.chosen is None:
            return
        self.chooser.message.value = ""
        try:
            queries, unlike = self.basket.queries(self._query())
            request = SearchRequest.of(queries, unlike=unlike, **self.options.chosen())
            self.results = self.searcher.answer(request)
        except SimlibError as error:
            self._show_error(error)
            self.results = None
            self.list.clear()
            self.map.ring(None)
            return
        # A judgement is about one track of the catalogue, as a whole.
        whole = not len(self.basket) and self.picker.span is None
        can_judge = whole and self.chosen.track_id is not None
        self.list.show(self.results, can_judge, self.options.own_artist.value)
        self.map.ring(self.results, self.query.row)
        self.list.show_players(self.results)

    def _take(self, chosen, play=False):
        """Make a recording the query: first the answer, then its picture and player."""
        progress = self.chooser.show_progress
        try:
            self.chooser.message.value = ""
            progress(1, 3)
            recording = self._load(chosen)
            query = self.searcher.load_query(recording)
            self.chosen, self.recording, self.query = chosen, recording, query
            self.picker.take(chosen, query.end)
            self.search()
            progress(2, 3)
            self.sound.children = [self.picker.box, self.keepers]
            self.picker.draw(recording.features.log_mel, play)
        except SimlibError as error:
            self._show_error(error)
        finally:
            progress(0, 1)

    def _load(self, chosen):
        if chosen.track_id is not None:
            return self.searcher.load(chosen.track_id)
        try:
            return dataclasses.replace(self.searcher.load(chosen.path), name=chosen.name)
        except SimlibError as error:
            raise SimlibError(chosen.name, error.cause, error.hint) from None

    def _query(self):
        """Return the query: all of the recording, or the excerpt that is chosen."""
        span = self.picker.span
        return self.searcher.load_query(self.recording, *span) if span else self.query

    def _current(self):
        return self.recording, self.chosen.track_id if self.chosen is not None else None

    def _judge(self, closer, farther):
        """Write a judgement down; return whether that worked."""
        try:
            append_triplet(self.data, self.chosen.track_id, closer, farther)
        except SimlibError as error:
            self._show_error(error)
            return False
        return True

    def _show_error(self, error):
        self.chooser.message.value = render("results", "notice", str(error))
