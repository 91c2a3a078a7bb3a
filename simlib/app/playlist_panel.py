"""Playlists from the query, and a long recording answered excerpt by excerpt."""

from collections.abc import Callable
from pathlib import Path

import ipywidgets as w

from simlib.app.markup import timeline_markup
from simlib.core import SimlibError
from simlib.reporting import audio_player, clock, html_table, render
from simlib.search import Recording, Searcher, sameness

COLUMNS = ["step", "track_id", "title", "artist"]


class PlaylistPanel:
    """A path from the query to another track, a radio around it, or its excerpts.

    Parameters
    ----------
    searcher : simlib.search.Searcher
    names : dict of str to str
        The track id of each name that is offered.
    current : callable
        Returns the recording that is the query, or None, and its track id, or None.
    weights : callable
        Returns the weights that searches use.
    show_progress : callable
        Called with how much is done, and of how much.

    Attributes
    ----------
    box : ipywidgets.VBox
        To display.
    """

    def __init__(
        self, searcher: Searcher, names: dict[str, str],
        current: Callable[[], tuple[Recording | None, str | None]],
        weights: Callable[[], dict[str, float]], show_progress: Callable[[int, int], None],
    ):  # fmt: skip
        self.searcher, self.names, self.current = searcher, names, current
        self.weights, self.show_progress = weights, show_progress
        self.target = w.Combobox(
            options=list(names), placeholder="type a title or an artist", ensure_option=True,
            description="Path to", layout=w.Layout(width="34rem"),
        )  # fmt: skip
        self.steps = w.BoundedIntText(value=8, min=1, max=50, description="in steps")
        path = w.Button(description="Path")
        radio = w.Button(description="Radio", tooltip="a playlist around the query")
        excerpts = w.Button(description="By excerpt", tooltip="for a mix: an answer every 10 s")
        self.list = w.HTML()
        path.on_click(lambda _: self.show(self.path))
        radio.on_click(lambda _: self.show(self.radio))
        excerpts.on_click(lambda _: self.show(self.by_excerpt))
        self.box = w.VBox([
            w.HTML("<h3>Playlists, and excerpts of a mix</h3>"),
            w.HBox([self.target, self.steps, path], layout=w.Layout(flex_flow="row wrap")),
            w.HBox([radio, excerpts]), self.list,
        ])  # fmt: skip

    def show(self, make: Callable[[], str]) -> None:
        """Show the HTML that a method makes, or its error in one line."""
        try:
            self.list.value = make()
        except SimlibError as error:
            self.list.value = render("results", "notice", str(error))
        finally:
            self.show_progress(0, 1)

    def path(self) -> str:
        """Make the playlist from the query to another track."""
        if not self.target.value:
            raise SimlibError("a path", "leads to another track", "choose where it is to lead")
        target = self.names.get(self.target.value, self.target.value)
        found = self.searcher.path(self._seed(), target, self.steps.value, self.weights())
        return self._table(found[COLUMNS])

    def radio(self) -> str:
        """Make the playlist around the query."""
        return self._table(self.searcher.radio(self._seed(), weights=self.weights())[COLUMNS])

    def by_excerpt(self) -> str:
        """Answer the query excerpt by excerpt."""
        recording, _ = self.current()
        if recording is None:
            raise SimlibError("excerpts", "are of a query", "choose a track or a file first")

        def progress(excerpts, **_):
            for done, excerpt in enumerate(excerpts, 1):
                self.show_progress(done, len(excerpts))
                yield excerpt

        found = self.searcher.timeline(recording, weights=self.weights(), progress=progress)
        spans = zip(found["excerpt_start"], found["excerpt_end"], strict=True)
        found.insert(0, "seconds", [f"{clock(start)}–{clock(end)}" for start, end in spans])
        found["closer than"] = [
            "no close match" if row.no_close_match else f"{row.closer_than:.1f}%"
            for row in found.itertuples()
        ]
        found["same"] = [sameness(row) for row in found.itertuples()]
        columns = ["seconds", "track_id", "title", "artist", "closer than", "same"]
        # A catalogue of one artist has no answer to itself.
        drawn = timeline_markup(found) if len(found) else ""
        return drawn + self._table(found[columns], found["start"])

    def _seed(self):
        _, track_id = self.current()
        if track_id is None:
            hint = "choose a track of the catalogue first"
            raise SimlibError("a playlist", "begins with a track of the catalogue", hint)
        return track_id

    def _table(self, found, starts=None):
        """Make a table with players, from the middle of each recording or from `starts`."""
        paths = self.searcher.tracks.set_index("track_id")["path"]
        data = Path(self.searcher.project.data)
        starts = [None] * len(found) if starts is None else starts
        players = [
            audio_player(data / paths[track_id], start=start)
            for track_id, start in zip(found["track_id"], starts, strict=True)
        ]
        shown = found.drop(columns="track_id")
        shown.insert(1, "listen", players)
        return html_table(shown, raw=["listen"])
