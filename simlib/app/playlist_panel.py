"""Playlists from the query, and a long recording answered excerpt by excerpt."""

from collections.abc import Callable

import ipywidgets as w

from simlib.app.markup import timeline_markup
from simlib.app.query_chooser import ChosenQuery
from simlib.app.widgets import button, track_field, wrapped
from simlib.core import SimlibError
from simlib.reporting import audio_player, clock, html_table, render
from simlib.search import Recording, Searcher, sameness

COLUMNS = ["step", "track_id", "title", "artist"]


class PlaylistPanel:
    """A path from the query to another track, a radio around it, or its excerpts.

    Parameters
    ----------
    searcher : simlib.search.Searcher
    tracks : dict of str to ChosenQuery
        The tracks of the catalogue, by the names under which they are offered.
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
        self, searcher: Searcher, tracks: dict[str, ChosenQuery],
        current: Callable[[], tuple[Recording | None, str | None]],
        weights: Callable[[], dict[str, float]], show_progress: Callable[[int, int], None],
    ):  # fmt: skip
        self.searcher, self.tracks, self.current = searcher, tracks, current
        self.weights, self.show_progress = weights, show_progress
        self.paths = {track.track_id: track.path for track in tracks.values()}
        self.target = track_field("Path to", tracks)
        self.steps = w.BoundedIntText(value=8, min=1, max=50, description="in steps")
        self.list = w.HTML()
        path = button("Path", lambda: self.show(self.path))
        radio = button(
            "Radio", lambda: self.show(self.radio), tooltip="a playlist around the query"
        )
        tooltip = f"for a mix: an answer every {searcher.settings.excerpt_seconds:g} s"
        excerpts = button("By excerpt", lambda: self.show(self.by_excerpt), tooltip=tooltip)
        head = w.HTML("<h3>Playlists, and excerpts of a mix</h3>")
        path_row = wrapped(self.target, self.steps, path)
        self.box = w.VBox([head, path_row, w.HBox([radio, excerpts]), self.list])

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
        target = self.tracks.get(self.target.value)
        if target is None:
            raise SimlibError("a path", "leads to another track", "choose where it is to lead")
        steps, weights = self.steps.value, self.weights()
        found = self.searcher.path(self._seed(), target.track_id, steps, weights)
        return self._table(found[COLUMNS])

    def radio(self) -> str:
        """Make the playlist around the query."""
        return self._table(self.searcher.radio(self._seed(), weights=self.weights())[COLUMNS])

    def by_excerpt(self) -> str:
        """Answer the query excerpt by excerpt."""
        recording, _ = self.current()
        if recording is None:
            raise SimlibError("excerpts", "are of a query", "choose a track or a file first")
        found = self.searcher.timeline(recording, weights=self.weights(), progress=self._progress)
        rows = list(found.itertuples())
        texts = {
            "seconds": [f"{clock(row.excerpt_start)}–{clock(row.excerpt_end)}" for row in rows],
            "closer than": [
                "no close match" if row.no_close_match else f"{row.closer_than:.1f}%"
                for row in rows
            ],
            "same": [sameness(row) for row in rows],
        }
        columns = ["seconds", *COLUMNS[1:], "closer than", "same"]
        # A catalogue of one artist has no answer to itself.
        drawn = timeline_markup(found) if rows else ""
        return drawn + self._table(found.assign(**texts)[columns], found["start"])

    def _progress(self, excerpts, **_):
        for done, excerpt in enumerate(excerpts, 1):
            self.show_progress(done, len(excerpts))
            yield excerpt

    def _seed(self):
        _, track_id = self.current()
        if track_id is None:
            hint = "choose a track of the catalogue first"
            raise SimlibError("a playlist", "begins with a track of the catalogue", hint)
        return track_id

    def _table(self, found, starts=None):
        """Make a table with players, from the middle of each recording or from `starts`."""
        starts = [None] * len(found) if starts is None else starts
        players = [
            audio_player(self.paths[track_id], start=start)
            for track_id, start in zip(found["track_id"], starts, strict=True)
        ]
        shown = found.drop(columns="track_id")
        shown.insert(1, "listen", players)
        return html_table(shown, raw=["listen"])
