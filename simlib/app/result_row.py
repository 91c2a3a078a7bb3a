"""One row of the ranked list: what it is, a player, why, and buttons."""

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from simlib.app.markup import bars, result_markup


class ResultRow:
    """The widgets of one row.

    Parameters
    ----------
    on_more : callable
        Called when more like this result is asked for.
    on_thumb : callable
        Called with True for a thumb up, False for a thumb down.

    Attributes
    ----------
    box : ipywidgets.HBox
        To display.
    """

    def __init__(self, on_more: Callable[[], None], on_thumb: Callable[[bool], None]):
        self.text = w.HTML(layout=w.Layout(flex="1 1 18rem"))
        self.player = w.HTML(layout=w.Layout(width="15rem"))
        self.why = w.HTML(layout=w.Layout(width="14rem"))
        self.more = w.Button(description="More like this", layout=w.Layout(width="8rem"))
        self.up = w.Button(icon="thumbs-up", tooltip="a good result: sounds alike")
        self.down = w.Button(icon="thumbs-down", tooltip="a poor result: sounds different")
        for button in (self.up, self.down):
            button.layout.width = "2.6rem"
        self.more.on_click(lambda _: on_more())
        self.up.on_click(lambda _: on_thumb(True))
        self.down.on_click(lambda _: on_thumb(False))
        self.box = w.HBox(
            [self.text, self.player, self.why, w.HBox([self.more, self.up, self.down])],
            layout=w.Layout(flex_flow="row wrap", align_items="center",
                            border_bottom="1px solid #e6ebf0"),
        )  # fmt: skip

    def show(self, row: Any, weights: dict[str, float], can_judge: bool) -> None:
        """Show a row of results that were ranked with these weights."""
        self.text.value, self.player.value = result_markup(row), ""
        self.why.value = bars(row.why, weights)
        for button in (self.up, self.down):
            button.button_style, button.disabled = "", not can_judge

    def confirm(self, up: bool) -> None:
        """Show which thumb was taken."""
        self.up.button_style = "success" if up else ""
        self.down.button_style = "" if up else "warning"
