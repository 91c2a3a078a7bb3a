"""What the search panel shows: the reference, the map of the catalogue, and one line of a list."""

import html

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

# Points of a waveform and frames of a spectrogram: what a screen shows.
POINTS, FRAMES = 600, 400
# Below the loudest, in dB, what a spectrogram shows.
DEPTH = 70.0
COLOURS = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5"]
OTHER = "#c3c8cf"
# So many values of a column get a colour of their own.
VALUES = len(COLOURS)
_PLAIN = {"template": "plotly_white", "margin": {"l": 8, "r": 8, "t": 8, "b": 8}}


def sound_figure():
    """Make an empty picture of a recording: waveform above, log-mel below, one time line.

    Returns
    -------
    plotly.graph_objects.FigureWidget
        Drag over the waveform to select seconds; see `show_sound` and `mark`.
    """
    figure = go.FigureWidget(
        make_subplots(2, 1, shared_xaxes=True, row_heights=[0.4, 0.6], vertical_spacing=0.02)
    )
    figure.add_scatter(
        x=[], y=[], mode="lines+markers", line={"width": 1, "color": COLOURS[0]},
        # A selection is of points; those of a line alone cannot be selected.
        marker={"size": 1, "color": COLOURS[0]}, hoverinfo="skip", row=1, col=1,
    )  # fmt: skip
    figure.add_heatmap(z=[], colorscale="Magma", showscale=False, hoverinfo="skip", row=2, col=1)
    figure.update_layout(
        _PLAIN, height=230, showlegend=False, dragmode="select", selectdirection="h",
        newselection={"line": {"color": COLOURS[2]}},
    )  # fmt: skip
    figure.update_yaxes(visible=False, fixedrange=True)
    figure.update_xaxes(fixedrange=True)
    figure.update_xaxes(title_text="seconds", title_standoff=2, row=2)
    return figure


def show_sound(figure, samples, log_mel, seconds):
    """Draw a recording into a figure from `sound_figure`.

    Parameters
    ----------
    figure : plotly.graph_objects.FigureWidget
    samples : numpy.ndarray of float32, shape (n_samples,)
    log_mel : numpy.ndarray of float16, shape (n_frames, n_mels)
        dB.
    seconds : float
        Length of both.
    """
    edges = np.linspace(0, len(samples), min(POINTS, len(samples)) // 2 + 1).astype(int)[:-1]
    envelope = [np.maximum.reduceat(samples, edges), np.minimum.reduceat(samples, edges)]
    times = np.repeat(edges / len(samples) * seconds, 2)
    step = max(1, len(log_mel) // FRAMES)
    levels = np.asarray(log_mel[::step], dtype=np.float32)
    levels = np.clip(levels - levels.max(), -DEPTH, 0).round().astype(np.int8)
    with figure.batch_update():
        wave, mel = figure.data
        wave.x, wave.y = times, np.stack(envelope, axis=1).ravel()
        mel.z, mel.x0, mel.dx = levels.T, 0, seconds / len(levels)
        figure.layout.xaxis.range = figure.layout.xaxis2.range = [0, seconds]
        figure.layout.shapes = figure.layout.selections = ()


def mark(figure, start, end, seconds):
    """Grey out what of a recording is not meant: all but seconds `start` to `end`."""
    aside = [(a, b) for a, b in ((0, start), (end, seconds)) if b - a > 0.01]
    figure.layout.shapes = [
        {"type": "rect", "xref": "x", "yref": "paper", "x0": a, "x1": b, "y0": 0, "y1": 1,
         "fillcolor": "white", "opacity": 0.65, "line": {"width": 0}}
        for a, b in aside
    ]  # fmt: skip


def map_figure(tracks, points):
    """Make a map of the catalogue; see `colour_map` and `ring`.

    Parameters
    ----------
    tracks : pandas.DataFrame
    points : numpy.ndarray of float32, shape (n_tracks, 2)
        From `simlib.plane`.

    Returns
    -------
    plotly.graph_objects.FigureWidget
        One trace holds the tracks in their order, another the rings around some of them.
    """
    figure = go.FigureWidget()
    figure.add_scatter(
        x=points[:, 0], y=points[:, 1], mode="markers", marker={"size": 9},
        hovertext=[label(track) for track in tracks.to_dict("records")], hoverinfo="text",
    )  # fmt: skip
    figure.add_scatter(
        x=[], y=[], mode="markers+text", textposition="top center", hoverinfo="skip",
        marker={"size": 16, "color": "rgba(0,0,0,0)", "line": {"width": 2, "color": "#1c2430"}},
    )  # fmt: skip
    figure.update_layout(_PLAIN, height=430, showlegend=False, dragmode="pan", hovermode="closest")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def colour_map(figure, column):
    """Colour a map by a column's most frequent values.

    Parameters
    ----------
    figure : plotly.graph_objects.FigureWidget
        From `map_figure`.
    column : pandas.Series
        Text, the first of several values counts; or numbers.

    Returns
    -------
    str
        The legend, as HTML.
    """
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=np.float64)
        # Plotly paints a missing value black.
        low, high = (float(f(values)) if np.isfinite(values).any() else 0.0
                     for f in (np.nanmin, np.nanmax))  # fmt: skip
        colours = np.nan_to_num(values, nan=low)
        figure.data[0].marker.update(color=colours, colorscale="Viridis", cmin=low, cmax=high)
        return f"<small>dark: {low:g} · bright: {high:g}</small>"
    first = column.str.split(";").str[0].str.strip()
    often = first[first != ""].value_counts().index[:VALUES]
    colour_of = dict(zip(often, COLOURS, strict=False))
    figure.data[0].marker.color = [colour_of.get(value, OTHER) for value in first]
    shown = [*colour_of.items(), *([("other", OTHER)] if (~first.isin(often)).any() else [])]
    return "<small>" + " ".join(
        f'<span style="color:{colour}">●</span> {html.escape(short(value))}'
        for value, colour in shown
    ) + "</small>"  # fmt: skip


def ring(figure, rows, texts):
    """Put rings around tracks of a map, each with a text above it."""
    tracks = figure.data[0]
    with figure.batch_update():
        figure.data[1].x, figure.data[1].y = tracks.x[rows], tracks.y[rows]
        figure.data[1].text = [html.escape(text) for text in texts]


def label(track):
    """Return a track's title, artist and tags as HTML for a hover: what is in them runs nothing."""
    title = html.escape(short(track["title"] or track["track_id"]))
    artist = html.escape(short(track["artist"]))
    return f"<b>{title}</b><br>{artist}"


def short(text, length=60):
    """Shorten a text to one line."""
    text = " ".join(str(text).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def result(row):
    """Make the text of one line of a ranked list.

    Parameters
    ----------
    row : namedtuple
        Of `Searcher.query`.

    Returns
    -------
    str
        HTML; every text of the catalogue is escaped.
    """
    artist = f" – {html.escape(short(row.artist))}" if row.artist else ""
    same = ""
    if row.near_duplicate:
        same = ' <b class="same">the same recording</b>'
    elif row.same_seconds:
        same = f' <b class="same">{row.same_seconds:.0f} s are the same recording</b>'
    return (
        f'<div class="simlib-result"><span class="rank">{row.rank}</span> '
        f"<b>{html.escape(short(row.title or row.track_id))}</b>{artist}{same}<br>"
        f"<small>{html.escape(short(row.tags, 90))}</small><br>"
        f"<small>closer than {row.closer_than:.1f}% of unrelated pairs · its "
        f"{clock(row.start)}–{clock(row.end)} is most like {clock(row.reference_start)}–"
        f"{clock(row.reference_end)} of <i>{html.escape(short(row.reference, 40))}</i>"
        "</small></div>"
    )


def clock(seconds):
    """Write seconds as minutes and seconds."""
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def bars(why, most):
    """Draw how much each part counts in a similarity.

    Parameters
    ----------
    why : dict of str to float
        From `Searcher.query`.
    most : float
        What is as long as there is room.

    Returns
    -------
    str
        HTML.
    """
    lines = "".join(
        f"<span>{html.escape(short(name, 14))}</span>"
        f'<i{" class=less" if share < 0 else ""} style="width:{100 * abs(share) / most:.0f}%"'
        f' title="{share:+.3f}"></i>'
        for name, share in why.items()
    )
    return f'<div class="why">{lines}</div>'
