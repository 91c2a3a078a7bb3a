"""The search panel of `notebooks/search.ipynb`."""

import html
import tempfile
from pathlib import Path

import ipywidgets as w
import matplotlib.pyplot as plt
import numpy as np

from simlib import audio, features, report
from simlib.artefacts import SimlibError
from simlib.catalogue import SUFFIXES
from simlib.plots import draw_log_mel
from simlib.search import Searcher


class SearchPanel:
    """Choose or upload a reference, hear and see it, and listen down the ranked list.

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
        tracks = self.searcher.tracks
        self._ids = {
            f"{row.title or row.track_id} – {row.artist} [{row.track_id}]": row.track_id
            for row in tracks.itertuples()
        }
        self.choice = w.Combobox(
            options=list(self._ids), placeholder="type a title or an artist", ensure_option=True,
            description="Track", layout=w.Layout(width="36rem"),
        )  # fmt: skip
        self.upload = w.FileUpload(accept=",".join(sorted(SUFFIXES)), description="or a file")
        self.count = w.BoundedIntText(value=10, min=1, max=50, description="List")
        self.reference = w.HTML()
        self.spectrogram = w.Output()
        self.listing = w.HTML()
        self.results = None
        self.choice.observe(self._chosen, "value")
        self.upload.observe(self._uploaded, "value")
        self.count.observe(lambda change: self._again(), "value")
        self._again = lambda: None
        self.box = w.VBox(
            [w.HBox([self.choice, self.upload, self.count]), self.reference, self.spectrogram,
             self.listing]
        )  # fmt: skip

    def _chosen(self, change):
        if change["new"] in self._ids:
            track_id = self._ids[change["new"]]
            row = self.searcher.tracks.set_index("track_id").loc[track_id]
            path = self.searcher.root / "data" / row["path"]
            self._again = lambda: self._show(track_id, path, change["new"])
            self._again()

    def _uploaded(self, change):
        if not change["new"]:
            return
        file = change["new"][-1]
        # Only the suffix of an uploaded name is used: it tells the decoder.
        folder = Path(tempfile.mkdtemp(prefix="simlib-"))
        path = folder / f"upload{Path(file['name']).suffix.lower()}"
        path.write_bytes(bytes(file["content"]))
        self._again = lambda: self._show(path, path, file["name"])
        self._again()

    def _show(self, reference, path, name):
        try:
            found = self.searcher.query(reference, self.count.value)
            self._show_reference(path, name)
        except SimlibError as error:
            self.reference.value = f"<p><b>{html.escape(str(error))}</b></p>"
            self.listing.value = ""
            self.spectrogram.clear_output()
            self.results = None
            return
        self.results = found
        paths = self.searcher.tracks.set_index("track_id")["path"]
        shown = found.copy()
        files = [self.searcher.root / "data" / paths[t] for t in found["track_id"]]
        shown.insert(1, "listen", [report.player(file) for file in files])
        self.listing.value = report.table(shown, raw=["listen"])

    def _show_reference(self, path, name):
        front_end = self.searcher.model.front_end
        samples = report.excerpt(path, seconds=12.0)
        self.reference.value = f"<h3>{html.escape(name)}</h3>{report.player_of(samples)}"
        middle = max(0.0, audio.duration(path) / 2 - 6.0)
        blocks = audio.blocks(path, front_end.sample_rate, start=middle, end=middle + 12.0)
        log_mel = np.concatenate(list(features.log_mel(blocks, front_end)))
        with self.spectrogram:
            self.spectrogram.clear_output(wait=True)
            figure, axes = plt.subplots(figsize=(9, 2.6), layout="constrained")
            draw_log_mel(log_mel, front_end, axes)
            plt.show()
            plt.close(figure)
