"""How a query is chosen: by typing a title, or by uploading a file."""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import ipywidgets as w

from simlib.app.widgets import track_field
from simlib.core import AUDIO_SUFFIXES


class QueryChooser:
    """A field to type a title into, an upload button, a progress bar and a line for messages.

    Parameters
    ----------
    names : iterable of str
        Of the tracks, as they are offered.
    on_track : callable
        Called with the chosen name.
    on_file : callable
        Called with the path of an uploaded file and the name that it had.

    Attributes
    ----------
    box : ipywidgets.VBox
        To display.
    message : ipywidgets.HTML
    """

    def __init__(
        self, names: Iterable[str], on_track: Callable[[str], None],
        on_file: Callable[[Path, str], None],
    ):  # fmt: skip
        self.on_file, self.uploads = on_file, 0
        self.folder = tempfile.TemporaryDirectory(prefix="simlib-")
        self.choice = track_field("Track", names)
        self.upload = w.FileUpload(accept=",".join(sorted(AUDIO_SUFFIXES)), description="or a file")
        self.message = w.HTML()
        self.progress = w.IntProgress(max=1, layout={"width": "100%", "visibility": "hidden"})
        self.choice.observe(lambda change: on_track(change["new"]), "value")
        self.upload.observe(self._on_upload, "value")
        self.box = w.VBox([w.HBox([self.choice, self.upload]), self.progress, self.message])

    def show_progress(self, done: int, of: int) -> None:
        """Show how much of some work is done; hide the bar if that is nothing."""
        self.progress.value, self.progress.max = done, of
        self.progress.layout.visibility = "visible" if done else "hidden"

    def _on_upload(self, change):
        if change["new"]:
            file = change["new"][-1]
            # Only the suffix of an uploaded name is used: the decoder needs it.
            suffix = Path(file["name"]).suffix.lower()
            self.uploads += 1
            name = f"upload {self.uploads}{suffix if suffix in AUDIO_SUFFIXES else ''}"
            path = Path(self.folder.name) / name
            path.write_bytes(bytes(file["content"]))
            self.on_file(path, file["name"])
