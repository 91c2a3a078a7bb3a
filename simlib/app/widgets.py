"""Widgets and colours that several panels share."""

from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets as w

COLOURS = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5"]


def button(text: str, on_click: Callable[[], Any], **options: Any) -> w.Button:
    """Make a button that calls something without arguments; options are those of `Button`."""
    made = w.Button(description=text, **options)
    made.on_click(lambda _: on_click())
    return made


def wrapped(*children: w.Widget) -> w.HBox:
    """Lay widgets in a row that continues below if the page is narrow."""
    return w.HBox(children, layout={"flex_flow": "row wrap"})


def track_field(description: str, names: Iterable[str]) -> w.Combobox:
    """Make a field to type a title or an artist into, which offers names of tracks."""
    return w.Combobox(
        options=list(names), placeholder="type a title or an artist", ensure_option=True,
        description=description, layout={"width": "34rem"},
    )  # fmt: skip
