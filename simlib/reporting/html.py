"""Players and tables as HTML that carries everything in itself."""

import base64
import os
from collections.abc import Iterable

import numpy as np
import pandas as pd
from markupsafe import Markup

from simlib.core import SimlibError
from simlib.features import decode, duration, fade, mp3_bytes
from simlib.reporting.rendering import render

PLAYER_SECONDS = 8.0
PLAYER_RATE = 22050


def audio_player(
    path: str | os.PathLike, *, start: float | None = None, seconds: float = PLAYER_SECONDS
) -> Markup:
    """Make an audio player that carries a short excerpt of a recording.

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
        return recording_player(player_excerpt(path, start=start, seconds=seconds))
    except SimlibError as error:
        return render("blocks", "unplayable", error.cause)


def player_excerpt(
    path: str | os.PathLike, *, start: float | None = None, seconds: float = PLAYER_SECONDS
) -> np.ndarray:
    """Decode an excerpt for listening: float32 at `PLAYER_RATE`, faded at both ends."""
    if start is None:
        start = max(0.0, (duration(path) - seconds) / 2)
    samples = decode(path, PLAYER_RATE, start=start, end=start + seconds)
    return fade(samples, PLAYER_RATE)


def recording_player(samples: np.ndarray, rate: int = PLAYER_RATE) -> Markup:
    """Make an audio player of mono samples: float32, shape (n_samples,)."""
    return render("blocks", "player", data_uri("audio/mpeg", mp3_bytes(samples, rate)))


def data_uri(kind: str, content: bytes) -> str:
    """Return content of a MIME type as a URI that carries it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def html_table(frame: pd.DataFrame, *, raw: Iterable[str] = ()) -> Markup:
    """Make an HTML table; every cell is escaped but those of the `raw` columns.

    Parameters
    ----------
    frame : pandas.DataFrame
    raw : iterable of str
        Columns that hold HTML of our own making.

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

    columns = [frame[name].tolist() for name in frame.columns]
    rows = [
        [cell(*one) for one in zip(frame.columns, row, strict=True)]
        for row in zip(*columns, strict=True)
    ]
    return render("blocks", "table", list(map(str, frame.columns)), rows)
