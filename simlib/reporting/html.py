"""HTML: templates and the style sheet, audio players and tables, without any other file."""

import base64
import os
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from simlib.core import SimlibError
from simlib.features import decode, duration, fade, mp3_bytes

PLAYER_SECONDS = 8.0
PLAYER_RATE = 22050


@cache
def _environment():
    loader = PackageLoader("simlib.reporting")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)


def render(template: str, macro: str, *arguments: Any, **options: Any) -> Markup:
    """Fill a macro of a template.

    Parameters
    ----------
    template : str
        `blocks` or `results`.
    macro : str
    *arguments, **options
        Of the macro. Texts are escaped; Markup is HTML already.

    Returns
    -------
    markupsafe.Markup
        HTML, which other templates take as it is.
    """
    module = _environment().get_template(f"{template}.html").module
    return getattr(module, macro)(*arguments, **options)


def render_page(**parts: Any) -> str:
    """Fill the template of a whole page: `policy`, `title`, `kind` and `body`."""
    return _environment().get_template("page.html").render(style=style_sheet(), **parts) + "\n"


def style_sheet() -> Markup:
    """Return the style sheet of reports, query page and panel."""
    loader = _environment().loader
    return Markup(loader.get_source(_environment(), "style.css")[0])


def audio_player(
    path: str | os.PathLike, *, start: float | None = None, seconds: float = PLAYER_SECONDS
) -> Markup:
    """Make an audio player with a short excerpt of a recording in it.

    Parameters
    ----------
    path : path-like
    start : float, optional
        Seconds; by default the excerpt is the middle of the recording.
    seconds : float
        Length of the excerpt.

    Returns
    -------
    markupsafe.Markup
        An element with the excerpt as mono MP3; a sentence if it cannot be decoded.
    """
    try:
        samples = player_excerpt(path, start=start, seconds=seconds)
    except SimlibError as error:
        return render("blocks", "unplayable", error.cause)
    return render("blocks", "player", data_uri("audio/mpeg", mp3_bytes(samples, PLAYER_RATE)))


def player_excerpt(
    path: str | os.PathLike, *, start: float | None = None, seconds: float = PLAYER_SECONDS
) -> np.ndarray:
    """Decode an excerpt for listening: float32 at `PLAYER_RATE`, faded at both ends."""
    if start is None:
        start = max(0.0, (duration(path) - seconds) / 2)
    samples = decode(path, PLAYER_RATE, start=start, end=start + seconds)
    return fade(samples, PLAYER_RATE)


def data_uri(kind: str, content: bytes) -> str:
    """Return content of a MIME type as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def html_table(frame: pd.DataFrame, *, raw: Iterable[str] = ()) -> Markup:
    """Make an HTML table; every cell is escaped but those of the `raw` columns.

    Parameters
    ----------
    frame : pandas.DataFrame
    raw : iterable of str
        Columns of HTML that simlib made.

    Returns
    -------
    markupsafe.Markup
    """

    def cell(name, value):
        if name in raw:
            return Markup(value), False
        if isinstance(value, float):
            return ("", False) if np.isnan(value) else (f"{value:.3f}", True)
        return str(value), False

    columns = [[cell(name, value) for value in frame[name].tolist()] for name in frame.columns]
    return render(
        "blocks", "table", list(map(str, frame.columns)), list(zip(*columns, strict=True))
    )
