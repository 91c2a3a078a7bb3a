"""The search panel of `notebooks/search.ipynb`, in JupyterLab and on the page of `make app`."""

import dataclasses
import html
import tempfile
from functools import lru_cache
from multiprocessing.pool import ThreadPool
from pathlib import Path

import ipywidgets as w

from simlib.app.charts import CatalogueMap
from simlib.app.excerpt_picker import ChosenExcerpt, ExcerptPicker
from simlib.app.options import SearchOptions
from simlib.app.playlist_panel import PlaylistPanel
from simlib.app.result_row import ResultRow
from simlib.catalogue import append_triplet
from simlib.core import AUDIO_SUFFIXES, SimlibError
from simlib.features import FEATURE_KINDS
from simlib.index import load_projection
from simlib.relevance import tag_columns
from simlib.reporting import audio_player, label, short
from simlib.search import Searcher

# Seconds that a player of a result plays.
RESULT = 10.0
# Players that are made at once: decoding and encoding let other threads run.
PLAYERS = 2
STYLE = """<style>
.simlib-panel .widget-html-content { line-height: 1.35; }
.simlib-panel audio { height: 2.2rem; width: 14rem; max-width: 100%; }
.simlib-panel .rank { display: inline-block; min-width: 1.4rem; color: #667; }
.simlib-panel .same { color: #b3261e; }
.simlib-panel .nothing { background: #fff4e5; border-left: 4px solid #efb118; padding: .5rem 1rem; }
.simlib-panel .part { display: grid; grid-template-columns: 5rem 1fr 1.6rem; gap: 0 .4rem;
  align-items: center; font-size: .75rem; line-height: 1.2; }
.simlib-panel .part span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.simlib-panel .part span:last-child { text-align: right; }
.simlib-panel .bar { background: #e8edf6; }
.simlib-panel .bar i { display: block; height: .55rem; background: #4269d0; }
.simlib-panel .bar i.less { background: #ff725c; }
.simlib-panel .timeline { display: flex; height: 1.8rem; }
.simlib-panel .timeline i { border-right: 1px solid #fff; overflow: hidden; color: #1c2430;
  text-align: center; font-style: normal; line-height: 1.8rem;
  background: color-mix(in srgb, #6f8fe0 var(--near), #eef1f6); }
.simlib-panel .ends { display: flex; justify-content: space-between; color: #667; }
</style>"""


def _player_at(place):
    path, start = place
    return audio_player(path, start=start, seconds=RESULT)


def _which(reference):
    """Tell a reference, a recording or seconds of one, from others."""
    return reference.name, reference.row, reference.start, reference.end


class SearchPanel:
    """Choose a reference and seconds of it, listen down the list, look at the map, walk on.

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

    def __init__(self, root=None):
        self.searcher = Searcher(root)
        self.data = self.searcher.project.data
        self.folder = tempfile.TemporaryDirectory(prefix="simlib-")
        self.chosen, self.results = None, None
        self.basket = []
        self.thumbs = {}
        tracks = self.searcher.tracks
        self.names = {
            f"{label(track)} [{track['track_id']}]": track["track_id"]
            for track in tracks.to_dict("records")
        }
        self.lines = []
        self.playlists = PlaylistPanel(self)
        self.options = SearchOptions(self.searcher, self.search)
        self.player_at = lru_cache(500)(_player_at)
        self.box = w.VBox(
            [w.HTML(STYLE), self._chooser(), self._sound(), self.options.box, self._list(),
             self._map(), self.playlists.box],
            layout=w.Layout(max_width="68rem"),
        )  # fmt: skip
        self.box.add_class("simlib-panel")

    # --- what is searched with ---------------------------------------------------------------

    def _chooser(self):
        self.choice = w.Combobox(
            options=list(self.names), placeholder="type a title or an artist", ensure_option=True,
            description="Track", layout=w.Layout(width="34rem"),
        )  # fmt: skip
        self.upload = w.FileUpload(accept=",".join(sorted(AUDIO_SUFFIXES)), description="or a file")
        self.message = w.HTML()
        self.progress = w.IntProgress(max=1, layout=w.Layout(width="100%", visibility="hidden"))
        self.uploads = 0
        self.choice.observe(self._on_choice, "value")
        self.upload.observe(self._on_upload, "value")
        return w.VBox([w.HBox([self.choice, self.upload]), self.progress, self.message])

    def _on_choice(self, change):
        track_id = self.names.get(change["new"])
        if track_id is not None:
            self.choose(track_id)

    def _on_upload(self, change):
        if change["new"]:
            file = change["new"][-1]
            # Only the suffix of an uploaded name is used: it tells the decoder.
            suffix = Path(file["name"]).suffix.lower()
            self.uploads += 1
            name = f"upload {self.uploads}{suffix if suffix in AUDIO_SUFFIXES else ''}"
            path = Path(self.folder.name) / name
            path.write_bytes(bytes(file["content"]))
            self._take(ChosenExcerpt(path, file["name"], None))

    def choose(self, track_id, play=False):
        """Make a track of the catalogue the reference, and play it if asked to."""
        tracks = self.searcher.tracks
        row = tracks[tracks["track_id"].to_numpy(dtype=object) == track_id].iloc[0]
        # In full, where a list has room for less.
        artist = f" – {row['artist']}" if row["artist"] else ""
        name = f"{row['title'] or track_id}{artist}"
        self._take(ChosenExcerpt(self.data / row["path"], name, track_id), play)

    def _take(self, chosen, play=False):
        """Make a recording the reference: first the answer, then what there is to see and hear."""
        try:
            self.message.value = ""
            self.at_work(1, 3)
            heard = self._hear(chosen)
            reference = self.searcher.load_query(heard)
            self.chosen, self.heard, self.query_recording = chosen, heard, reference
            self.seconds.take(chosen, reference.end)
            self.search()
            self.at_work(2, 3)
            self.sound.children = self.sound_parts
            self.seconds.draw(heard.log_mel, play)
        except SimlibError as error:
            self._tell(error)
        finally:
            self.at_work(0, 1)

    def _hear(self, chosen):
        if chosen.track_id is not None:
            return self.searcher.load(chosen.track_id)
        try:
            return dataclasses.replace(self.searcher.load(chosen.path), name=chosen.name)
        except SimlibError as error:
            raise SimlibError(chosen.name, error.cause, error.hint) from None

    def at_work(self, done, of):
        self.progress.value, self.progress.max = done, of
        self.progress.layout.visibility = "visible" if done else "hidden"

    def _tell(self, error):
        self.message.value = f'<div class="nothing">{html.escape(str(error))}</div>'

    def _sound(self):
        self.seconds = ExcerptPicker(self.search, self._typical)
        also = w.Button(description="Also like this", tooltip="keep it, and choose another one")
        never = w.Button(description="Not like this", tooltip="keep away from it")
        also.on_click(lambda _: self._keep(True))
        never.on_click(lambda _: self._keep(False))
        self.kept = w.HBox(layout=w.Layout(flex_flow="row wrap"))
        # Shown once there is something: hidden, the picture would have no size.
        self.sound = w.VBox()
        self.sound_parts = [
            self.seconds.box,
            w.HBox([also, never, self.kept], layout=w.Layout(flex_flow="row wrap")),
        ]  # fmt: skip
        return self.sound

    def _typical(self):
        return self.searcher.representative(self.query_recording)

    def _keep(self, liked):
        if self.chosen is None:
            return
        self.basket.append((liked, self._asked(), self.chosen.name))
        self._show_kept()
        self.search()

    def _show_kept(self):
        buttons = []
        for place, (liked, _, name) in enumerate(self.basket):
            text = f"{'+' if liked else '−'} {short(name, 28)} ✕"
            button = w.Button(description=text, tooltip="forget it", layout=w.Layout(width="auto"))
            button.on_click(lambda _, place=place: self._forget(place))
            buttons.append(button)
        self.kept.children = buttons

    def _forget(self, place):
        del self.basket[place]
        self._show_kept()
        self.search()

    def _asked(self):
        """Return the reference: all of it, or the seconds that are chosen."""
        span = self.seconds.span
        return self.searcher.load_query(self.heard, *span) if span else self.query_recording

    # --- what is found -----------------------------------------------------------------------

    def search(self):
        """Search by what is chosen, and show the list."""
        if self.chosen is None:
            return
        self.message.value = ""
        try:
            asked = self._asked()
            liked = [one for like, one, _ in self.basket if like]
            unlike = [one for like, one, _ in self.basket if not like]
            # A reference that was kept needs not be asked for twice.
            kept = [_which(one) for one in [*liked, *unlike]]
            liked += [asked] if _which(asked) not in kept else []
            found = self.searcher.query(liked, unlike=unlike, **self.options.asked())
        except SimlibError as error:
            self._tell(error)
            # What another question was answered with is not to stand, and be judged, as its answer.
            self.results, self.headline.value, self.listing.children = None, "", []
            self.anyway.layout.display = "none"
            self.map.ring([], [])
            return
        self.results, self.thumbs = found, {}
        self._show(found)

    def _list(self):
        self.headline = w.HTML()
        self.anyway = w.Button(description="Show the nearest all the same", layout=w.Layout(
            width="auto", display="none"))  # fmt: skip
        self.listing = w.VBox()
        self.anyway.on_click(lambda _: self._unfold())
        return w.VBox([self.headline, self.anyway, self.listing])

    def _unfold(self):
        self.listing.layout.display = None
        self.anyway.layout.display = "none"

    def _show(self, found):
        nothing = found.attrs["no_close_match"]
        by_others = "" if self.options.own_artist.value else " by another artist"
        self.headline.value = (
            '<div class="nothing"><b>Nothing here is close.</b> The catalogue has nothing like '
            "this.</div>" if nothing
            else f"<p>No recording{by_others} meets the conditions.</p>" if found.empty else ""
        )  # fmt: skip
        self.listing.layout.display = "none" if nothing else None
        self.anyway.layout.display = None if nothing else "none"
        while len(self.lines) < len(found):
            self.lines.append(ResultRow(self, len(self.lines)))
        shown = self.lines[: len(found)]
        # What is written down is about a track of the catalogue, alone and as a whole.
        alone = not self.basket and self.seconds.span is None
        can_judge = alone and self.chosen.track_id is not None
        for line, row in zip(shown, found.itertuples(), strict=True):
            line.show(row, found.attrs["weights"], can_judge)
        self.listing.children = [line.box for line in shown]
        self._ring(found)
        # The list stands; what there is to hear takes longer.
        tracks = self.searcher.tracks.set_index("track_id")["path"]
        places = [(self.data / tracks[row.track_id], row.start) for row in found.itertuples()]
        with ThreadPool(PLAYERS) as pool:
            for line, player in zip(shown, pool.imap(self.player_at, places), strict=True):
                line.player.value = player

    def judge(self, place, up):
        """Write down what a thumb says: this result is nearer, or farther, than its neighbour.

        A thumb up prefers it to the next one above that has none, as who reads down a list does
        (Joachims 2002), or else below; a thumb down prefers to it the next one below, or above.
        """
        if self.thumbs.get(place) == up:
            return
        ids = self.results["track_id"].to_numpy(dtype=object)
        above, below = range(place - 1, -1, -1), range(place + 1, len(ids))
        others = [*above, *below] if up else [*below, *above]
        other = next((o for o in others if self.thumbs.get(o) != up), None)
        if other is None:
            return
        nearer, farther = (place, other) if up else (other, place)
        try:
            append_triplet(self.data, self.chosen.track_id, ids[nearer], ids[farther])
        except SimlibError as error:
            self._tell(error)
            return
        self.thumbs[place] = up
        self.lines[place].thank(up)

    # --- the map -----------------------------------------------------------------------------

    def _map(self):
        tracks = self.searcher.tracks
        self.map = CatalogueMap(tracks, load_projection(self.searcher.project.index))
        hidden = {"track_id", "path", "title", "digest", *FEATURE_KINDS}
        self.colour = w.Dropdown(
            options=[*tag_columns(tracks), *(c for c in tracks if c not in hidden
                     and c not in tag_columns(tracks))],
            description="Colour",
        )  # fmt: skip
        self.legend = w.HTML()
        self.map.tracks.on_element_click(self._on_map)
        self.colour.observe(lambda _: self._paint(), "value")
        self._paint()
        return w.VBox([w.HTML("<h3>The catalogue</h3>"), w.HBox([self.colour, self.legend]),
                       self.map.figure])  # fmt: skip

    def _paint(self):
        column = self.searcher.tracks[self.colour.value]
        self.legend.value = self.map.paint(column)

    def _on_map(self, scatter, event):
        self.choose(self.searcher.tracks["track_id"].iloc[event["data"]["index"]], play=True)

    def _ring(self, found):
        place = {track_id: row for row, track_id in enumerate(self.searcher.tracks["track_id"])}
        rows = [place[track_id] for track_id in found["track_id"]]
        texts = [str(rank) for rank in found["rank"]]
        if self.query_recording.row is not None:
            rows, texts = [self.query_recording.row, *rows], ["★", *texts]
        self.map.ring(rows, texts)
