"""The query as a picture and a player, and the excerpt of it that is chosen."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import ipywidgets as w
import numpy as np

from simlib.app.charts import Sound
from simlib.features import decode_blocks
from simlib.reporting import PLAYER_RATE, audio_player, render

# The most seconds that are played, and the samples of one drawn peak.
PLAYED_SECONDS, PEAK = 30.0, 200


class ChosenQuery(NamedTuple):
    """A recording that was chosen: the file, what to call it, its id if it is in the catalogue."""

    path: Path
    name: str
    track_id: str | None


class ExcerptPicker:
    """Waveform, spectrogram and player of a recording, with a range to drag or to move by keys.

    Parameters
    ----------
    changed : callable
        Called when another excerpt has been chosen.
    representative : callable
        Returns the start and end of the most representative excerpt, in seconds.

    Attributes
    ----------
    box : ipywidgets.VBox
        To display, once there is something: hidden, the picture would have no size.
    slider : ipywidgets.FloatRangeSlider
    """

    def __init__(
        self, changed: Callable[[], None], representative: Callable[[], tuple[float, float]]
    ):
        self.changed = changed
        self.chosen: ChosenQuery | None = None
        self.title, self.player = w.HTML(), w.HTML()
        self.picture = Sound()
        self.picture.brush.observe(self._on_drag, ["selected", "brushing"])
        self.slider = w.FloatRangeSlider(
            value=(0.0, 1.0), min=0.0, max=1.0, step=0.1, description="Seconds",
            continuous_update=False, readout_format=".1f", layout=w.Layout(width="34rem"),
        )  # fmt: skip
        self.slider.observe(self._on_slider, "value")
        typical = w.Button(description="Most typical", tooltip="ten seconds like the whole")
        whole = w.Button(description="All of it")
        typical.on_click(lambda _: self._set(*representative()))
        whole.on_click(lambda _: self._set(0.0, self.slider.max))
        self.box = w.VBox([
            w.HBox([self.title, self.player]), self.picture.figure,
            w.HBox([self.slider, typical, whole], layout=w.Layout(flex_flow="row wrap")),
        ])  # fmt: skip

    @property
    def span(self) -> tuple[float, float] | None:
        """The chosen seconds, (start, end); None for all of it."""
        start, end = self.slider.value
        return None if start <= self.slider.min and end >= self.slider.max else (start, end)

    def take(self, chosen: ChosenQuery, end: float) -> None:
        """Begin with all of another recording that ends at `end` seconds, without a callback."""
        self.chosen = None
        self.slider.max = max(self.slider.max, end)
        self.slider.min, self.slider.max = 0.0, end
        self.slider.value = (0.0, end)
        self.chosen = chosen

    def draw(self, log_mel: np.ndarray, play: bool = False) -> None:
        """Show the recording of these log-mel frames, and play it if asked to."""
        self.title.value = render("results", "name", self.chosen.name)
        # Peaks of each block, so that two hours of a mix fit into memory.
        blocks = decode_blocks(self.chosen.path, PLAYER_RATE)
        peaks = [_peaks(block) for block in blocks if len(block)]
        self.picture.show(np.concatenate(peaks, axis=1), log_mel, self.slider.max)
        self._offer(play)

    def _offer(self, play=False):
        """Mark the chosen seconds in the picture and offer a player of them."""
        # No range is shown for all of it, so that a new one can be dragged.
        self.picture.brush.selected = None if self.span is None else np.array(self.span)
        start, end = self.slider.value
        player = str(
            audio_player(self.chosen.path, start=start, seconds=min(end - start, PLAYED_SECONDS))
        )
        self.player.value = player.replace("<audio", "<audio autoplay", 1) if play else player

    def _on_drag(self, change):
        brush = self.picture.brush
        if brush.brushing or brush.selected is None or len(brush.selected) != 2:
            return
        start, end = (round(float(at), 1) for at in brush.selected)
        shown = tuple(round(at, 1) for at in self.slider.value)
        # A click is no range, and a range that the slider has set is known already.
        if end - start >= self.slider.step and (start, end) != shown:
            self._set(max(start, 0.0), min(end, self.slider.max))

    def _set(self, start, end):
        self.slider.value = (start, end)

    def _on_slider(self, change):
        if self.chosen is not None:
            self.changed()
            self._offer()


def _peaks(samples):
    """Highest and lowest of every `PEAK` samples: float32, shape (2, n_peaks)."""
    edges = np.arange(0, len(samples), PEAK)
    return np.stack([peak.reduceat(samples, edges) for peak in (np.maximum, np.minimum)])
