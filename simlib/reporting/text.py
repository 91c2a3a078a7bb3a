"""Texts as reports and the interface write them: names, times, figures with intervals."""

import math
from collections.abc import Mapping


def track_name(track: Mapping, length: int | None = None) -> str:
    """Name a track: `title – artist`, the id in place of an unknown title.

    Parameters
    ----------
    track : mapping
        With `title`, `artist` and `track_id`.
    length : int, optional
        Longest title and longest artist, in characters.
    """
    title, artist = track["title"] or track["track_id"], track["artist"]
    if length is not None:
        title, artist = short(title, length), short(artist, length)
    return title_and_artist(title, artist)


def short(text: str, length: int = 60) -> str:
    """Shorten a text to one line of at most `length` characters."""
    text = " ".join(str(text).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def plain(text: str, length: int = 30) -> str:
    """Make untrusted text safe to draw: short, one line, no mathematics, no control characters."""
    text = short("".join(c if c.isprintable() else " " for c in str(text)), length)
    return text.replace("$", r"\$")


def clock(seconds: float) -> str:
    """Write seconds as a player does: 0:07, 12:34, 1:02:03."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def title_and_artist(title: str, artist: str) -> str:
    """Name a track `title – artist`, or by its title if the artist is unknown."""
    return f"{title} – {artist}" if artist else title


def interval_text(entry: dict, sign: str = "") -> str:
    """Write a figure with its 95% interval: `0.504 [0.410, 0.590]`.

    Parameters
    ----------
    entry : dict
        `value`, `low` and `high`; "" is returned if the value is None or NaN, and the value alone
        if there are no ends.
    sign : str
        `+` writes the sign of positive numbers too, as differences want it.

    Returns
    -------
    str
    """
    value, low, high = (entry.get(key) for key in ("value", "low", "high"))
    if value is None or math.isnan(value):
        return ""
    if low is None or math.isnan(low):
        return f"{value:{sign}.3f}"
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"
