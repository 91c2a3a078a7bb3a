"""One line of a ranked list: what it is, which seconds, why, and what one may do with it."""

import html
import math


def label(track):
    """Return a track's title and artist in one line of plain text."""
    artist = f" – {short(track['artist'])}" if track["artist"] else ""
    return f"{short(track['title'] or track['track_id'])}{artist}"


def short(text, length=60):
    """Shorten a text to one line."""
    text = " ".join(str(text).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def plain(text, length=30):
    """Make untrusted text safe to draw: short, one line, no mathematics, no control characters."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    text = text if len(text) <= length else text[: length - 1] + "…"
    return text.replace("$", r"\$")


def clock(seconds):
    """Write seconds as a player does: 0:07, 12:34, 1:02:03."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def recording_name(track):
    """Return a track's title and artist as escaped HTML."""
    artist = f" – {track['artist']}" if track["artist"] else ""
    return html.escape(f"{track['title'] or track['track_id']}{artist}")


def title_and_artist(title: str, artist: str) -> str:
    """Name a track as people do: `title – artist`, or the title alone if the artist is unknown."""
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
