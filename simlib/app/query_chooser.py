"""How a query is chosen: by typing a title, or by uploading a file."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import ipywidgets as w

from simlib.app.widgets import track_field
from simlib.core import AUDIO_SUFFIXES


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
            self.on_choice(ChosenQuery(path, file["name"]))
