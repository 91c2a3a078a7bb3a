"""The ranked list with its players, and what listeners say of it."""

from collections.abc import Callable
from functools import lru_cache
from multiprocessing.pool import ThreadPool
from pathlib import Path

import ipywidgets as w
import pandas as pd

from simlib.app.result_row import ResultRow
from simlib.reporting import audio_player, render

# Seconds that a player of a result plays.
RESULT_SECONDS = 10.0
# Players that are made at once: decoding and encoding let other threads run.
PLAYERS = 2


def _player_at(place):
    path, start = place
    return audio_player(path, start=start, seconds=RESULT_SECONDS)


class ResultList:
    """The rows of a ranked list, folded away if nothing in it is close.

    Parameters
    ----------
    paths : dict of str to pathlib.Path
        The audio file of each track id.
    on_more : callable
        Called with the track id of a result that is to be the next query.
    on_judgement : callable
        Called with two track ids, the more similar one first.

    Attributes
    ----------
    box : ipywidgets.VBox
        To display.
    """

    def __init__(
        self, paths: dict[str, Path], on_more: Callable[[str], None],
        on_judgement: Callable[[str, str], None],
    ):  # fmt: skip
        self.paths, self.on_more, self.on_judgement = paths, on_more, on_judgement
        self.rows: list[ResultRow] = []
        self.ids: list[str] = []
        self.thumbs: dict[int, bool] = {}
        self.player_at = lru_cache(500)(_player_at)
        self.headline, self.listing = w.HTML(), w.VBox()
        self.anyway = w.Button(
            description="Show the most similar all the same",
            layout=w.Layout(width="auto", display="none"),
        )
        self.anyway.on_click(lambda _: self._fold(False))
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
            Whether the query's own artist was allowed.
        """
        self.ids, self.thumbs = found["track_id"].tolist(), {}
        nothing = found.attrs["no_close_match"]
        by_others = "" if own_artist else " by another artist"
        self.headline.value = ""
        if nothing:
            text = "The catalogue has nothing like this."
            self.headline.value = render("results", "notice", text, "Nothing here is close.")
        elif found.empty:
            self.headline.value = f"<p>No recording{by_others} meets the conditions.</p>"
        self._fold(nothing)
        while len(self.rows) < len(found):
            self._add_row(len(self.rows))
        shown = self.rows[: len(found)]
        for row, result in zip(shown, found.itertuples(), strict=True):
            row.show(result, found.attrs["weights"], can_judge)
        self.listing.children = [row.box for row in shown]

    def show_players(self, found: pd.DataFrame) -> None:
        """Add the players, which take longer than the list."""
        places = [(self.paths[row.track_id], row.start) for row in found.itertuples()]
        with ThreadPool(PLAYERS) as pool:
            shown = self.rows[: len(found)]
            for row, player in zip(shown, pool.imap(self.player_at, places), strict=True):
                row.player.value = player

    def _add_row(self, place):
        self.rows.append(
            ResultRow(lambda: self.on_more(self.ids[place]), lambda up: self._judge(place, up))
        )

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
        nearer, farther = (place, other) if up else (other, place)
        if self.on_judgement(self.ids[nearer], self.ids[farther]):
            self.thumbs[place] = up
            self.rows[place].confirm(up)
