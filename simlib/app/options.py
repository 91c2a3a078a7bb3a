"""The options of a search: weights of aspects, conditions on recordings, switches."""

from collections.abc import Callable
from typing import Any

import ipywidgets as w
from pandas.api.types import is_numeric_dtype

from simlib.app.widgets import button, wrapped
from simlib.core import AUTO_TAGS
from simlib.relevance import tag_columns
from simlib.search import Searcher


class SearchOptions:
    """How the catalogue is searched.

    Parameters
    ----------
    searcher : simlib.search.Searcher
    changed : callable
        Called when any of them has another value.

    Attributes
    ----------
    box : ipywidgets.Accordion
        To display.
    """

    def __init__(self, searcher: Searcher, changed: Callable[[], None]):
        self.tracks, self.default = searcher.tracks, searcher.index.weights
        self.weights = {
            name: w.FloatSlider(
                value=1.0, min=0.0, max=5.0, step=0.25, description=name,
                continuous_update=False, readout_format=".2f",
            )
            for name in self.default
        }  # fmt: skip
        self.where = w.Text(
            description="Conditions", continuous_update=False, layout={"width": "34rem"},
            placeholder="column=value; column!=value; bpm=90..110",
            tooltip="all of them must hold; several with a semicolon",
        )  # fmt: skip
        self.count = w.BoundedIntText(value=10, min=1, max=50, description="List")
        self.per_artist = w.BoundedIntText(
            value=1, min=0, max=50, description="Per artist", tooltip="0 for any number"
        )
        self.diversity = w.FloatSlider(
            value=0.0, min=0.0, max=1.0, step=0.05, description="Diversity", continuous_update=False
        )
        self.own_artist = w.Checkbox(description="the query's own artist, too", indent=False)
        self.farthest = w.Checkbox(description="the least similar first", indent=False)
        rest = [self.diversity, self.own_artist, self.farthest]
        for control in [*self.weights.values(), self.where, self.count, self.per_artist, *rest]:
            control.observe(lambda _: changed(), "value")
        head = w.HTML("<b>Aspects</b>, times their usual weight")
        aspects = w.VBox([head, *self.weights.values()])
        rest = w.VBox([
            w.HTML("<b>Which recordings</b>"), self._condition_row(), self.where,
            w.HBox([self.count, self.per_artist]), *rest,
        ])  # fmt: skip
        self.box = w.Accordion([wrapped(aspects, rest)], titles=["Aspects and conditions"])

    def _condition_row(self):
        """Make the row that puts a condition together, without knowing how to write it."""
        tracks = self.tracks
        numbers = [c for c in tracks if is_numeric_dtype(tracks[c]) and tracks[c].notna().any()]
        automatic = [AUTO_TAGS] if AUTO_TAGS in tracks else []
        columns = [*tag_columns(tracks), *automatic, "artist", *numbers]
        self.column = w.Dropdown(options=columns, description="Add one", layout={"width": "14rem"})
        self.value = w.Combobox(placeholder="value, or low..high", layout={"width": "13rem"})
        self.only, self.other = (
            button(text, lambda sign=sign: self._add_condition(sign), tooltip=tooltip,
                   layout={"width": "3.4rem"})
            for text, sign, tooltip in (("Only", "=", "only what has this value"),
                                        ("Not", "!=", "only what has another value"))
        )  # fmt: skip
        self.column.observe(lambda _: self._offer_values(), "value")
        self._offer_values()
        return wrapped(self.column, self.value, self.only, self.other)

    def chosen(self) -> dict[str, Any]:
        """Return the options as those of `SearchRequest.of`."""
        return {
            "k": self.count.value, "weights": self.chosen_weights(),
            "where": [c for c in self.where.value.split(";") if c.strip()],
            "per_artist": self.per_artist.value or None, "own_artist": self.own_artist.value,
            "diversity": self.diversity.value, "farthest": self.farthest.value,
        }  # fmt: skip

    def chosen_weights(self) -> dict[str, float]:
        """Return the weights that the sliders are set to, {} if none was moved."""
        factors = {name: slider.value for name, slider in self.weights.items()}
        if all(factor == 1.0 for factor in factors.values()):
            return {}
        return {name: factor * self.default[name] for name, factor in factors.items()}

    def _offer_values(self):
        column = self.tracks[self.column.value]
        values = [] if is_numeric_dtype(column) else column.str.split(";").explode().str.strip()
        self.value.value, self.value.options = "", sorted({value for value in values if value})

    def _add_condition(self, sign):
        if self.value.value:
            added = f"{self.column.value}{sign}{self.value.value}"
            self.where.value = "; ".join(filter(None, [self.where.value.strip("; "), added]))
            self.value.value = ""
