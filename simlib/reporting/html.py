"""HTML that carries everything in itself: players, tables, and notebooks as pages to mail."""

import base64
import html

from simlib.core import SimlibError
from simlib.features import decode, duration, fade, mp3_bytes

PLAYER_SECONDS = 8.0
PLAYER_RATE = 22050


def audio_player(path, *, start=None, seconds=PLAYER_SECONDS):
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
    str
        An HTML element with the excerpt as mono MP3; a sentence where it cannot be decoded.
    """
    try:
        return recording_player(player_excerpt(path, start=start, seconds=seconds))
    except SimlibError as error:
        return f"<em>{html.escape(error.cause)}</em>"


def player_excerpt(path, *, start=None, seconds=PLAYER_SECONDS):
    """Decode an excerpt for listening: float32 at `PLAYER_RATE`, faded at both ends."""
    if start is None:
        start = max(0.0, (duration(path) - seconds) / 2)
    samples = decode(path, PLAYER_RATE, start=start, end=start + seconds)
    return fade(samples, PLAYER_RATE)


def recording_player(samples, rate=PLAYER_RATE):
    """Make an audio player of mono samples."""
    data = base64.b64encode(mp3_bytes(samples, rate)).decode("ascii")
    return f'<audio controls preload="none" src="data:audio/mpeg;base64,{data}"></audio>'


def html_table(frame, *, raw=()):
    """Make an HTML table; every cell is escaped but those of the `raw` columns.

    Parameters
    ----------
    frame : pandas.DataFrame
    raw : iterable of str
        Columns that hold HTML of our own making.

    Returns
    -------
    str
    """

    def cell(name, value):
        if name in raw:
            return f"<td>{value}</td>"
        if isinstance(value, float):
            return f'<td class="number">{value:.3f}</td>' if value == value else "<td></td>"
        return f"<td>{html.escape(str(value))}</td>"

    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in frame.columns)
    columns = [frame[name].tolist() for name in frame.columns]
    body = "".join(
        "<tr>" + "".join(map(cell, frame.columns, row)) + "</tr>"
        for row in zip(*columns, strict=True)
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )
