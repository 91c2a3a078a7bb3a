"""How queries are chosen, by a title or as a file, and kept for a search by several."""

import tempfile
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import ipywidgets as w

from simlib.app.widgets import button, track_field, wrapped
from simlib.core import AUDIO_SUFFIXES
from simlib.reporting import short
from simlib.search import Query


class ChosenQuery(NamedTuple):
    """A recording that was chosen: its file, its name, and its id if it is in the catalogue."""

    path: Path
    name: str
    track_id: str | None = None


class QueryChooser:
    """A field to type a title into, an upload button, a progress bar and a line for messages.

    Parameters
    ----------
    tracks : dict of str to ChosenQuery
        The tracks of the catalogue, by the names under which they are offered.
    on_choice : callable
        Called with the recording that was chosen.

    Attributes
    ----------
    box : ipywidgets.VBox
        To display.
    message : ipywidgets.HTML
    """

    def __init__(self, tracks: dict[str, ChosenQuery], on_choice: Callable[[ChosenQuery], None]):
        self.tracks, self.on_choice, self.uploads = tracks, on_choice, 0
        self.folder = tempfile.TemporaryDirectory(prefix="simlib-")
        self.choice = track_field("Track", tracks)
        self.upload = w.FileUpload(accept=",".join(sorted(AUDIO_SUFFIXES)), description="or a file")
        self.message = w.HTML()
        self.progress = w.IntProgress(max=1, layout={"width": "100%", "visibility": "hidden"})
        self.choice.observe(self._on_name, "value")
        self.upload.observe(self._on_upload, "value")
        self.box = w.VBox([w.HBox([self.choice, self.upload]), self.progress, self.message])

    def show_progress(self, done: int, of: int) -> None:
        """Show how much of some work is done; hide the bar if that is nothing."""
        self.progress.value, self.progress.max = done, of
        self.progress.layout.visibility = "visible" if done else "hidden"

    def _on_name(self, change):
        if change["new"] in self.tracks:
            self.on_choice(self.tracks[change["new"]])

    def _on_upload(self, change):
        if change["new"]:
            file = change["new"][-1]
            # Only the suffix of an uploaded name is used: the decoder needs it.
            suffix = Path(file["name"]).suffix.lower()
            self.uploads += 1
            name = f"upload {self.uploads}{suffix if suffix in AUDIO_SUFFIXES else ''}"
            path = Path(self.folder.name) / name
            path.write_bytes(bytes(file["content"]))
            # An emptied field also reports the same file when it is chosen again.
            self.upload.value = ()
            self.on_choice(ChosenQuery(path, file["name"]))


class Basket:
    """Kept queries, each with a button that removes it.

    Parameters
    ----------
    changed : callable
        Called when a query was added or removed.

    Attributes
    ----------
    box : ipywidgets.HBox
        To display.
    """

    def __init__(self, changed: Callable[[], None]):
        self.changed = changed
        self.kept: list[tuple[bool, Query, str]] = []
        self.box = wrapped()

    def __len__(self):
        return len(self.kept)

    def add(self, query: Query, name: str, wanted: bool) -> None:
        """Keep a query under a name; results are to be similar to it, or not."""
        self.kept.append((wanted, query, name))
        self._show()

    def queries(self, current: Query) -> tuple[list[Query], list[Query]]:
        """Return what results are to be similar to, the current query included, and what not."""
        similar = [query for wanted, query, _ in self.kept if wanted]
        unlike = [query for wanted, query, _ in self.kept if not wanted]
        # A current query that was kept must not count twice: the same seconds of a recording.
        identity = attrgetter("name", "row", "start", "end")
        if identity(current) not in map(identity, [*similar, *unlike]):
            similar.append(current)
        return similar, unlike

    def _show(self):
        style = {"tooltip": "remove it", "layout": {"width": "auto"}}
        texts = [f"{'+' if wanted else '−'} {short(name, 28)} ✕" for wanted, _, name in self.kept]
        self.box.children = [
            button(text, lambda place=place: self._remove(place), **style)
            for place, text in enumerate(texts)
        ]
        self.changed()

    def _remove(self, place):
        del self.kept[place]
        self._show()
