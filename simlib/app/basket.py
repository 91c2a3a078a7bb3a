"""Queries that were kept, to find what is similar to several, or not similar to some."""

from collections.abc import Callable

import ipywidgets as w

from simlib.reporting import short
from simlib.search import Query


def _identity(query):
    """Tell a query, a recording or seconds of one, from others."""
    return query.name, query.row, query.start, query.end


class Basket:
    """Kept queries, each with a button that removes it.

    Parameters
    ----------
    changed : callable
        Called when a query was added or removed.

    Attributes
    ----------
    box : ipywidgets.HBox
        To display.
    """

    def __init__(self, changed: Callable[[], None]):
        self.changed = changed
        self.kept: list[tuple[bool, Query, str]] = []
        self.box = w.HBox(layout=w.Layout(flex_flow="row wrap"))

    def __len__(self):
        return len(self.kept)

    def add(self, query: Query, name: str, wanted: bool) -> None:
        """Keep a query under a name; results are to be similar to it, or not."""
        self.kept.append((wanted, query, name))
        self._show()

    def queries(self, current: Query) -> tuple[list[Query], list[Query]]:
        """Return what results are to be similar to, the current query included, and what not."""
        wanted = [query for like, query, _ in self.kept if like]
        unlike = [query for like, query, _ in self.kept if not like]
        # A current query that was kept must not count twice.
        if _identity(current) not in map(_identity, [*wanted, *unlike]):
            wanted.append(current)
        return wanted, unlike

    def _show(self):
        buttons = []
        for place, (wanted, _, name) in enumerate(self.kept):
            text = f"{'+' if wanted else '−'} {short(name, 28)} ✕"
            button = w.Button(description=text, tooltip="remove it", layout=w.Layout(width="auto"))
            button.on_click(lambda _, place=place: self._remove(place))
            buttons.append(button)
        self.box.children = buttons
        self.changed()

    def _remove(self, place):
        del self.kept[place]
        self._show()
