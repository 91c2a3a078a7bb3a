"""Queries that were kept, to find what is similar to several, or not similar to some."""

from collections.abc import Callable
from operator import attrgetter

from simlib.app.widgets import button, wrapped
from simlib.reporting import short
from simlib.search import Query


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
        self.box = wrapped()

    def __len__(self):
        return len(self.kept)

    def add(self, query: Query, name: str, wanted: bool) -> None:
        """Keep a query under a name; results are to be similar to it, or not."""
        self.kept.append((wanted, query, name))
        self._show()

    def queries(self, current: Query) -> tuple[list[Query], list[Query]]:
        """Return what results are to be similar to, the current query included, and what not."""
        similar = [query for wanted, query, _ in self.kept if wanted]
        unlike = [query for wanted, query, _ in self.kept if not wanted]
        # A current query that was kept must not count twice: the same seconds of a recording.
        identity = attrgetter("name", "row", "start", "end")
        if identity(current) not in map(identity, [*similar, *unlike]):
            similar.append(current)
        return similar, unlike

    def _show(self):
        style = {"tooltip": "remove it", "layout": {"width": "auto"}}
        texts = [f"{'+' if wanted else '−'} {short(name, 28)} ✕" for wanted, _, name in self.kept]
        self.box.children = [
            button(text, lambda place=place: self._remove(place), **style)
            for place, text in enumerate(texts)
        ]
        self.changed()

    def _remove(self, place):
        del self.kept[place]
        self._show()
