"""One line of a ranked list: what it is, which seconds, why, and what one may do with it."""

import html

from simlib.reporting import clock, short
from simlib.search import sameness


def result_markup(row):
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
    same = sameness(row)
    same = f' <b class="same">{same}</b>' if same else ""
    return (
        f'<div class="simlib-result"><span class="rank">{row.rank}</span> '
        f"<b>{html.escape(short(row.title or row.track_id))}</b>{artist}{same}<br>"
        f"<small>{html.escape(short(row.tags, 90))}</small><br>"
        f"<small>closer than {row.closer_than:.1f}% of unrelated pairs · its "
        f"{clock(row.start)}–{clock(row.end)} is most like {clock(row.query_start)}–"
        f"{clock(row.query_end)} of <i>{html.escape(short(row.query, 40))}</i>"
        "</small></div>"
    )


def timeline_markup(found):
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
        span = f"{clock(row.excerpt_start)}–{clock(row.excerpt_end)}"
        near = f"closer than {row.closer_than:.1f}%"
        said = f"{span} {row.title or row.track_id}, {'not close' if row.no_close_match else near}"
        shade = 0.0 if row.no_close_match else row.closer_than
        blocks.append(
            f'<i style="flex:{row.excerpt_end - row.excerpt_start:.2f} 0 0;--near:{shade:.0f}%"'
            f' title="{html.escape(said)}">{number}</i>'
        )
    ends = clock(found["excerpt_start"].iloc[0]), clock(found["excerpt_end"].iloc[-1])
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
    for subspace, share in why.items():
        if weights[subspace]:
            kind = ' class="less"' if share < 0 else ""
            bars.append(
                f'<div class="part"><span>{html.escape(subspace)}</span><div class="bar">'
                f'<i{kind} style="width:{100 * abs(share) / weights[subspace]:.0f}%"></i></div>'
                f"<span>{f'{round(100 * share)}'.replace('-', '−')}</span></div>"
            )
    return f'<div class="parts">{"".join(bars)}</div>'
