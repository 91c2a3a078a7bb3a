"""A reference to see and to hear, and the seconds of it that are meant."""

import html
from pathlib import Path
from typing import NamedTuple

import ipywidgets as w
import numpy as np

from simlib.app.charts import Sound
from simlib.features import decode_blocks
from simlib.reporting import PLAYER_RATE, audio_player

# Seconds that are played at most, and samples of a peak that is drawn.
LISTEN, PEAK = 30.0, 200


class ChosenExcerpt(NamedTuple):
    """A recording that was chosen: the file, what to call it, its id if it is in the catalogue."""

    path: Path
    name: str
    track_id: str | None


class ExcerptPicker:
    """Waveform, spectrogram and player of a recording, with a range to drag or to move by keys.

    Parameters
    ----------
    changed : callable
        Called when other seconds have been chosen.
    typical : callable
        Returns the seconds, (start, end), that say most of the recording.

    Attributes
    ----------
    box : ipywidgets.VBox
        To display, once there is something: hidden, the picture would have no size.
    slider : ipywidgets.FloatRangeSlider
    """

    def __init__(self, changed, typical):
        self.changed, self.chosen = changed, None
        self.title, self.player = w.HTML(), w.HTML()
        self.picture = Sound()
        self.picture.brush.observe(self._on_drag, ["selected", "brushing"])
        self.slider = w.FloatRangeSlider(
            value=(0.0, 1.0), min=0.0, max=1.0, step=0.1, description="Seconds",
            continuous_update=False, readout_format=".1f", layout=w.Layout(width="34rem"),
        )  # fmt: skip
        self.slider.observe(self._on_slider, "value")
        likely = w.Button(description="Most typical", tooltip="the ten seconds most like all of it")
        whole = w.Button(description="All of it")
        likely.on_click(lambda _: self._set(*typical()))
        whole.on_click(lambda _: self._set(0.0, self.slider.max))
        self.box = w.VBox([
            w.HBox([self.title, self.player]), self.picture.figure,
            w.HBox([self.slider, likely, whole], layout=w.Layout(flex_flow="row wrap")),
        ])  # fmt: skip

    @property
    def span(self):
        """The chosen seconds, (start, end); None for all of it."""
        start, end = self.slider.value
        return None if start <= self.slider.min and end >= self.slider.max else (start, end)

    def take(self, chosen, end):
        """Begin with all of another recording of so many seconds; nobody is called for it."""
        self.chosen = None
        self.slider.max = max(self.slider.max, end)
        self.slider.min, self.slider.max = 0.0, end
        self.slider.value = (0.0, end)
        self.chosen = chosen

    def draw(self, log_mel, play=False):
        """Show the recording, of which these are the frames, and play it if asked to."""
        self.title.value = f"<h3>{html.escape(self.chosen.name)}</h3>"
        # Peaks of each block, so that two hours of a mix fit into memory.
        blocks = decode_blocks(self.chosen.path, PLAYER_RATE)
        peaks = [_peaks(block) for block in blocks if len(block)]
        self.picture.show(np.concatenate(peaks, axis=1), log_mel, self.slider.max)
        self._offer(play)

    def _offer(self, play=False):
        """Mark the chosen seconds in the picture and offer a player of them."""
        # All of it is no range: from nothing a new one can be dragged.
        self.picture.brush.selected = None if self.span is None else np.array(self.span)
        start, end = self.slider.value
        player = audio_player(self.chosen.path, start=start, seconds=min(end - start, LISTEN))
        self.player.value = player.replace("<audio", "<audio autoplay", 1) if play else player

    def _on_drag(self, change):
        brush = self.picture.brush
        if brush.brushing or brush.selected is None or len(brush.selected) != 2:
            return
        start, end = (round(float(at), 1) for at in brush.selected)
        shown = tuple(round(at, 1) for at in self.slider.value)
        # A click is no range; and what the slider itself has set is no news.
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
