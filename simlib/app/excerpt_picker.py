"""The query as a picture and a player, and the excerpt of it that is chosen."""

import io
from collections.abc import Callable

import bqplot
import ipywidgets as w
import matplotlib.image
import numpy as np

from simlib.app.query_chooser import ChosenQuery
from simlib.app.widgets import COLOURS, button, wrapped
from simlib.features import decode_blocks
from simlib.reporting import PLAYER_RATE, audio_player, render

# The most seconds that are played, and the samples of one drawn peak.
PLAYED_SECONDS, PEAK = 30.0, 200
# Points of a waveform and frames of a spectrogram: what a screen shows.
POINTS, FRAMES = 600, 800
# Of the picture's height, what the waveform takes, and the spectrogram.
WAVE, MEL = 0.4, 0.58
# Below the loudest, in dB, what a spectrogram shows.
DEPTH = 70.0


class Picture:
    """A recording: waveform above, log-mel below, and a range of seconds to drag.

    Attributes
    ----------
    figure : bqplot.Figure
        To display.
    brush : bqplot.interacts.BrushIntervalSelector
        `selected` are the seconds, None if there are none; `brushing` is true during a drag.
    """

    def __init__(self):
        self.seconds = bqplot.LinearScale(min=0.0, max=1.0)
        scales = {"x": self.seconds, "y": bqplot.LinearScale(min=0.0, max=1.0)}
        self._mel = bqplot.Image(image=_png(np.zeros((2, 2))), x=[0, 1], y=[0, MEL], scales=scales)
        self._wave = bqplot.Lines(
            x=[0.0, 1.0], y=[0.5, 0.5], scales=scales, fill="inside", colors=[COLOURS[0]],
            stroke_width=1,
        )  # fmt: skip
        self.brush = bqplot.interacts.BrushIntervalSelector(scale=self.seconds, color=COLOURS[2])
        self.figure = bqplot.Figure(
            marks=[self._mel, self._wave], interaction=self.brush, display_toolbar=False,
            axes=[bqplot.Axis(scale=self.seconds, grid_lines="none", num_ticks=8)],
            fig_margin={"top": 6, "bottom": 26, "left": 12, "right": 12},
            layout={"width": "100%", "height": "200px"},
        )  # fmt: skip

    def show(self, peaks: np.ndarray, log_mel: np.ndarray, seconds: float) -> None:
        """Draw a recording.

        Parameters
        ----------
        peaks : numpy.ndarray of float32, shape (2, n_peaks)
            Highest and lowest sample of one short stretch of time after the other.
        log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
            dB.
        seconds : float
            Length of both.
        """
        count = peaks.shape[1]
        edges = np.linspace(0, count, min(POINTS, count) + 1).astype(int)[:-1]
        top, bottom = np.maximum.reduceat(peaks[0], edges), np.minimum.reduceat(peaks[1], edges)
        half = WAVE / 2 / max(float(np.abs(peaks).max()), 1e-6)
        times = edges / count * seconds
        self.seconds.max = seconds
        self._wave.x = np.concatenate([times, times[::-1]])
        self._wave.y = 1 - WAVE / 2 + half * np.concatenate([top, bottom[::-1]])
        self._mel.x = [0.0, seconds]
        # Another picture, because bqplot does not read the bytes of the same one again.
        before = self._mel.image
        step = max(1, len(log_mel) // FRAMES)
        self._mel.image = _png(np.asarray(log_mel[::step], dtype=np.float32).T)
        before.close()


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
        self.title, self.player, self.picture = w.HTML(), w.HTML(), Picture()
        self.picture.brush.observe(self._on_drag, ["selected", "brushing"])
        self.slider = w.FloatRangeSlider(
            value=(0.0, 1.0), min=0.0, max=1.0, step=0.1, description="Seconds",
            continuous_update=False, readout_format=".1f", layout={"width": "34rem"},
        )  # fmt: skip
        self.slider.observe(self._on_slider, "value")
        tooltip = "the excerpt that is most similar to the whole"
        typical = button("Most typical", lambda: self._set(*representative()), tooltip=tooltip)
        whole = button("All of it", lambda: self._set(0.0, self.slider.max))
        self.box = w.VBox([
            w.HBox([self.title, self.player]), self.picture.figure,
            wrapped(self.slider, typical, whole),
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
        self.slider.min, self.slider.max, self.slider.value = 0.0, end, (0.0, end)
        self.chosen = chosen

    def draw(self, log_mel: np.ndarray, play: bool = False) -> None:
        """Show the recording of these log-mel frames, and play it if `play` is true."""
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
        seconds = min(end - start, PLAYED_SECONDS)
        player = str(audio_player(self.chosen.path, start=start, seconds=seconds))
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


def _png(levels):
    """Colour levels, dB, shape (n_mels, n_frames), low bands first, as a PNG widget."""
    stream, loudest = io.BytesIO(), float(levels.max())
    matplotlib.image.imsave(
        stream, levels, vmin=loudest - DEPTH, vmax=loudest, cmap="magma", origin="lower",
        format="png",
    )  # fmt: skip
    return w.Image(value=stream.getvalue(), format="png")


def _peaks(samples):
    """Highest and lowest of every `PEAK` samples: float32, shape (2, n_peaks)."""
    edges = np.arange(0, len(samples), PEAK)
    return np.stack([peak.reduceat(samples, edges) for peak in (np.maximum, np.minimum)])
