"""One line of a ranked list: what it is, which seconds, why, and what one may do with it."""

import html

import ipywidgets as w

from simlib import results
from simlib.plots import clock


class Line:
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
        self.text.value, self.player.value = result(row), ""
        self.why.value = bars(row.why, weights)
        for button in (self.up, self.down):
            button.button_style, button.disabled = "", not can_judge

    def thank(self, up):
        """Show which thumb was taken."""
        self.up.button_style = "success" if up else ""
        self.down.button_style = "" if up else "warning"


def label(track):
    """Return a track's title and artist in one line of plain text."""
    artist = f" – {short(track['artist'])}" if track["artist"] else ""
    return f"{short(track['title'] or track['track_id'])}{artist}"


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
    same = results.sameness(row)
    same = f' <b class="same">{same}</b>' if same else ""
    return (
        f'<div class="simlib-result"><span class="rank">{row.rank}</span> '
        f"<b>{html.escape(short(row.title or row.track_id))}</b>{artist}{same}<br>"
        f"<small>{html.escape(short(row.tags, 90))}</small><br>"
        f"<small>closer than {row.closer_than:.1f}% of unrelated pairs · its "
        f"{clock(row.start)}–{clock(row.end)} is most like {clock(row.reference_start)}–"
        f"{clock(row.reference_end)} of <i>{html.escape(short(row.reference, 40))}</i>"
        "</small></div>"
    )


def timeline(found):
    """Draw the passages of a long recording along time, each by the track that is nearest.

    Parameters
    ----------
    found : pandas.DataFrame
        From `Searcher.timeline`.

    Returns
    -------
    str
        HTML: a block for each passage, as wide as it is long, the darker the nearer its track,
        with the number of its row; all else shows when pointed at.
    """
    blocks = []
    for number, row in enumerate(found.itertuples(), 1):
        span = f"{clock(row.passage_start)}–{clock(row.passage_end)}"
        near = f"closer than {row.closer_than:.1f}%"
        said = f"{span} {row.title or row.track_id}, {'not close' if row.nothing_close else near}"
        shade = 0.0 if row.nothing_close else row.closer_than
        blocks.append(
            f'<i style="flex:{row.passage_end - row.passage_start:.2f} 0 0;--near:{shade:.0f}%"'
            f' title="{html.escape(said)}">{number}</i>'
        )
    ends = clock(found["passage_start"].iloc[0]), clock(found["passage_end"].iloc[-1])
    return (
        f'<div class="timeline">{"".join(blocks)}</div>'
        f'<div class="ends"><span>{ends[0]}</span><span>{ends[1]}</span></div>'
    )


def bars(why, weights):
    """Make bars of how alike two recordings are in each part of the embedding.

    Parameters
    ----------
    why, weights : dict of str to float
        What each part adds to the similarity, and the most that it can.

    Returns
    -------
    str
        HTML: a bar is what a part adds as a share of the most, of another colour where it takes
        away; the number behind it is what it adds, in hundredths.
    """
    bars = []
    for part, share in why.items():
        if weights[part]:
            kind = ' class="less"' if share < 0 else ""
            bars.append(
                f'<div class="part"><span>{html.escape(part)}</span><div class="bar">'
                f'<i{kind} style="width:{100 * abs(share) / weights[part]:.0f}%"></i></div>'
                f"<span>{f'{round(100 * share)}'.replace('-', '−')}</span></div>"
            )
    return f'<div class="parts">{"".join(bars)}</div>'
