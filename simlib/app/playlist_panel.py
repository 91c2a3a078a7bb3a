"""Playlists from the reference, and a long recording answered passage by passage."""

import html

import ipywidgets as w

from simlib.app.markup import timeline_markup
from simlib.core import SimlibError
from simlib.reporting import audio_player, clock, html_table
from simlib.search import sameness


class PlaylistPanel:
    """Walk from the reference to another track, go on from it, or take it passage by passage.

    Parameters
    ----------
    panel : simlib.app.SearchPanel

    Attributes
    ----------
    box : ipywidgets.VBox
        To display.
    """

    def __init__(self, panel):
        self.panel = panel
        self.target = w.Combobox(
            options=list(panel.names), placeholder="type a title or an artist", ensure_option=True,
            description="Walk to", layout=w.Layout(width="34rem"),
        )  # fmt: skip
        self.steps = w.BoundedIntText(value=8, min=1, max=50, description="in steps")
        walk = w.Button(description="Walk")
        station = w.Button(description="Station", tooltip="go on and on from the reference")
        excerpts = w.Button(description="By passage", tooltip="for a mix: an answer every 10 s")
        self.list = w.HTML()
        walk.on_click(lambda _: self._guarded(self._walk))
        station.on_click(lambda _: self._guarded(self._station))
        excerpts.on_click(lambda _: self._guarded(self._by_excerpt))
        self.box = w.VBox([
            w.HTML("<h3>Playlists, and passages of a mix</h3>"),
            w.HBox([self.target, self.steps, walk], layout=w.Layout(flex_flow="row wrap")),
            w.HBox([station, excerpts]), self.list,
        ])  # fmt: skip

    def _guarded(self, make):
        try:
            make()
        except SimlibError as error:
            self.list.value = f'<div class="nothing">{html.escape(str(error))}</div>'
        finally:
            self.panel.at_work(0, 1)

    def _seed(self):
        chosen = self.panel.chosen
        if chosen is None or chosen.track_id is None:
            hint = "choose a track of the catalogue first"
            raise SimlibError("a playlist", "begins with a track of the catalogue", hint)
        return chosen.track_id

    def _walk(self):
        if not self.target.value:
            raise SimlibError("a walk", "leads to another track", "choose where to walk to")
        target = self.panel.names.get(self.target.value, self.target.value)
        weights = self.panel.options.chosen_weights()
        searcher = self.panel.searcher
        found = searcher.path(self._seed(), target, self.steps.value, weights)
        self._show(found[["step", "track_id", "title", "artist"]])

    def _station(self):
        found = self.panel.searcher.radio(self._seed(), weights=self.panel.options.chosen_weights())
        self._show(found[["step", "track_id", "title", "artist"]])

    def _by_excerpt(self):
        if self.panel.chosen is None:
            raise SimlibError("passages", "are of a reference", "choose a track or a file first")

        def progress(excerpts, **_):
            for done, excerpt in enumerate(excerpts, 1):
                self.panel.at_work(done, len(excerpts))
                yield excerpt

        found = self.panel.searcher.timeline(
            self.panel.heard, weights=self.panel.options.chosen_weights(), progress=progress
        )
        spans = zip(found["excerpt_start"], found["excerpt_end"], strict=True)
        found.insert(0, "seconds", [f"{clock(start)}–{clock(end)}" for start, end in spans])
        found["closer than"] = [
            "not close" if row.no_close_match else f"{row.closer_than:.1f}%"
            for row in found.itertuples()
        ]
        found["same"] = [sameness(row) for row in found.itertuples()]
        columns = ["seconds", "track_id", "title", "artist", "closer than", "same"]
        # A catalogue of one artist has no answer to itself.
        drawn = timeline_markup(found) if len(found) else ""
        self._show(found[columns], found["start"], drawn)

    def _show(self, found, starts=None, above=""):
        """Show a table with players, from the middle of each recording or from `starts`.

        What is to stand `above` it goes along: sent once more, the players would cost twice.
        """
        panel = self.panel
        paths = panel.searcher.tracks.set_index("track_id")["path"]
        starts = [None] * len(found) if starts is None else starts
        players = [
            audio_player(panel.data / paths[track_id], start=start)
            for track_id, start in zip(found["track_id"], starts, strict=True)
        ]
        shown = found.drop(columns="track_id")
        shown.insert(1, "listen", players)
        self.list.value = above + html_table(shown, raw=["listen"])
