"""One line of a ranked list: what it is, which seconds, why, and what one may do with it."""

import ipywidgets as w

from simlib.app.markup import bars, result_markup


class ResultRow:
    """One line of the list: what it is, a player, why, and what one may do with it.

    Parameters
    ----------
    panel : SearchPanel
    place : int
        From 0.
    """

    def __init__(self, panel, place):
        self.text = w.HTML(layout=w.Layout(flex="1 1 18rem"))
        self.player = w.HTML(layout=w.Layout(width="15rem"))
        self.why = w.HTML(layout=w.Layout(width="14rem"))
        self.more = w.Button(description="More like this", layout=w.Layout(width="8rem"))
        self.up = w.Button(icon="thumbs-up", tooltip="well found: sounds alike")
        self.down = w.Button(icon="thumbs-down", tooltip="not found well: sounds different")
        for button in (self.up, self.down):
            button.layout.width = "2.6rem"
        self.more.on_click(lambda _: panel.choose(panel.results["track_id"].iloc[place]))
        self.up.on_click(lambda _: panel.judge(place, True))
        self.down.on_click(lambda _: panel.judge(place, False))
        self.box = w.HBox(
            [self.text, self.player, self.why, w.HBox([self.more, self.up, self.down])],
            layout=w.Layout(flex_flow="row wrap", align_items="center",
                            border_bottom="1px solid #e6ebf0"),
        )  # fmt: skip

    def show(self, row, weights, can_judge):
        """Show a row of results, that were asked for with these weights."""
        self.text.value, self.player.value = result_markup(row), ""
        self.why.value = bars(row.why, weights)
        for button in (self.up, self.down):
            button.button_style, button.disabled = "", not can_judge

    def thank(self, up):
        """Show which thumb was taken."""
        self.up.button_style = "success" if up else ""
        self.down.button_style = "" if up else "warning"
