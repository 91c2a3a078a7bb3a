"""The ranked list: what each result is, a player, why it is there, and listeners' judgements."""

from collections.abc import Callable
from functools import lru_cache, partial
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import ipywidgets as w
import pandas as pd

from simlib.app.markup import bars, result_markup
from simlib.app.widgets import button
from simlib.reporting import audio_player, render

# Seconds that a player of a result plays.
RESULT_SECONDS = 10.0
# Players that are made at once: decoding and encoding let other threads run.
PLAYERS = 2


class ResultRow:
    """The widgets of one row.

    Parameters
    ----------
    on_more : callable
        Called when the result is to be the next query.
    on_thumb : callable
        Called with True for a thumb up, False for a thumb down.

    Attributes
    ----------
    box : ipywidgets.HBox
        To display.
    """

    def __init__(self, on_more: Callable[[], None], on_thumb: Callable[[bool], None]):
        self.text = w.HTML(layout={"flex": "1 1 18rem"})
        self.player = w.HTML(layout={"width": "15rem"})
        self.why = w.HTML(layout={"width": "14rem"})
        more = button("More like this", on_more, layout={"width": "8rem"})
        self.up, self.down = (
            button(
                "", partial(on_thumb, up), icon=icon, tooltip=tooltip, layout={"width": "2.6rem"}
            )
            for up, icon, tooltip in (
                (True, "thumbs-up", "a good result: sounds alike"),
                (False, "thumbs-down", "a poor result: sounds different"),
            )
        )
        self.box = w.HBox(
            [self.text, self.player, self.why, w.HBox([more, self.up, self.down])],
            layout={"flex_flow": "row wrap", "align_items": "center",
                    "border_bottom": "1px solid #e6ebf0"},
        )  # fmt: skip

    def show(self, row: Any, weights: dict[str, float], can_judge: bool) -> None:
        """Show a row of results that were ranked with these weights."""
        self.text.value, self.player.value = result_markup(row), ""
        self.why.value = bars(row.why, weights)
        for thumb in (self.up, self.down):
            thumb.button_style, thumb.disabled = "", not can_judge

    def confirm(self, up: bool) -> None:
        """Show which thumb was taken."""
        self.up.button_style = "success" if up else ""
        self.down.button_style = "" if up else "warning"


class ResultList:
    """The rows of a ranked list, folded away if nothing in it is close.

    Parameters
    ----------
    paths : dict of str to pathlib.Path
        The audio file of each track id.
    on_more : callable
        Called with the track id of a result that is to be the next query.
    on_judgement : callable
        Called with two track ids, the more similar one first; returns whether it is written down.

    Attributes
    ----------
    box : ipywidgets.VBox
        To display.
    """

    def __init__(
        self, paths: dict[str, Path], on_more: Callable[[str], None],
        on_judgement: Callable[[str, str], bool],
    ):  # fmt: skip
        self.paths, self.on_more, self.on_judgement = paths, on_more, on_judgement
        self.rows: list[ResultRow] = []
        self.ids: list[str] = []
        self.thumbs: dict[int, bool] = {}
        self.player_at = lru_cache(500)(_player)
        self.headline, self.listing = w.HTML(), w.VBox()
        self.anyway = button(
            "Show the most similar all the same", lambda: self._fold(False),
            layout={"width": "auto", "display": "none"},
        )  # fmt: skip
        self.box = w.VBox([self.headline, self.anyway, self.listing])

    def clear(self) -> None:
        """Remove the list: it must not stand as the answer to another query."""
        self.ids, self.headline.value, self.listing.children = [], "", []
        self.anyway.layout.display = "none"

    def show(self, found: pd.DataFrame, can_judge: bool, own_artist: bool) -> None:
        """Show a ranked list.

        Parameters
        ----------
        found : pandas.DataFrame
            From `Searcher.query`.
        can_judge : bool
            Whether thumbs can be given.
        own_artist : bool
            Whether the query's own artist may be listed.
        """
        self.ids, self.thumbs = found["track_id"].tolist(), {}
        nothing = found.attrs["no_close_match"]
        by_others = "" if own_artist else " by another artist"
        self.headline.value = ""
        if nothing:
            text = "Nothing in the catalogue is similar to this."
            self.headline.value = render("results", "notice", text, "Nothing here is close.")
        elif found.empty:
            self.headline.value = f"<p>No recording{by_others} meets the conditions.</p>"
        self._fold(nothing)
        for place in range(len(self.rows), len(found)):
            row = ResultRow(partial(self._more, place), partial(self._judge, place))
            self.rows.append(row)
        for row, result in zip(self.rows, found.itertuples(), strict=False):
            row.show(result, found.attrs["weights"], can_judge)
        self.listing.children = [row.box for row in self.rows[: len(found)]]

    def show_players(self, found: pd.DataFrame) -> None:
        """Add the players, which take longer than the list."""
        paths = [self.paths[track_id] for track_id in found["track_id"]]
        with ThreadPool(PLAYERS) as pool:
            players = pool.imap(self.player_at, zip(paths, found["start"], strict=True))
            for row, player in zip(self.rows, players, strict=False):
                row.player.value = player

    def _more(self, place):
        self.on_more(self.ids[place])

    def _fold(self, folded):
        self.listing.layout.display = "none" if folded else None
        self.anyway.layout.display = None if folded else "none"

    def _judge(self, place, up):
        """Turn a thumb into a judgement: this result is more, or less, similar than its neighbour.

        A thumb up prefers it to the next one above without a thumb up, as readers go down a list
        (Joachims 2002), or else below; a thumb down prefers to it the next one below, or above.
        """
        if self.thumbs.get(place) == up:
            return
        above, below = range(place - 1, -1, -1), range(place + 1, len(self.ids))
        others = [*above, *below] if up else [*below, *above]
        other = next((o for o in others if self.thumbs.get(o) != up), None)
        if other is None:
            return
        closer, farther = (place, other) if up else (other, place)
        if self.on_judgement(self.ids[closer], self.ids[farther]):
            self.thumbs[place] = up
            self.rows[place].confirm(up)


def _player(place):
    path, start = place
    return audio_player(path, start=start, seconds=RESULT_SECONDS)
