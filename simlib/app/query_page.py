"""The page that answers one reference: what it is and what is like it, to hear and to mail."""

import base64
import html
import io
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import yaml

from simlib.app.markup import bars
from simlib.core import SimlibError, printable
from simlib.index import load_projection
from simlib.relevance import tag_columns
from simlib.reporting import (
    PLAYER_SECONDS,
    audio_player,
    clock,
    marked_map,
    matched_excerpts_figure,
    recording_name,
)
from simlib.search import sameness

# Players of so many results fit a page that can be mailed.
MOST = 50
PLAYED_SECONDS = 12.0
# A file from outside is placed on the map amid so many of its nearest.
AMID = 5
QUERY_STYLE = """<style>
.text_cell:first-child p { text-transform: uppercase; letter-spacing: .07em; font-size: .8rem;
  color: #5a6675; margin: .6rem 0 0; }
h1 { margin: .1rem 0 .4rem; } .verdict p { margin: .2rem 0; }
.tags { color: #5a6675; font-size: .9rem; margin: .15rem 0 .5rem; }
.picture { display: block; width: 100%; max-width: 42rem; margin: .8rem 0; }
.hit { display: grid; grid-template-columns: 2.2rem minmax(0, 1fr) 17rem; gap: 0 1rem;
  border: 1px solid #dde3ea; border-radius: 8px; padding: .7rem 1rem; margin: .8rem 0; }
.hit .rank { font-size: 1.4rem; font-weight: 600; color: #2b6cb0; line-height: 1.3;
  overflow-wrap: normal; }
.hit h3 { margin: 0; font-size: 1.1rem; line-height: 1.35; }
.hit h3 span { font-weight: 400; }
.hit p { margin: .35rem 0; }
.hit p b { white-space: nowrap; }
.hit .same { display: inline-block; background: #fff3d6; border: 1px solid #e6c465;
  border-radius: 4px; padding: .05rem .5rem; font-size: .85rem; }
.why { font-size: .85rem; }
.part { display: grid; grid-template-columns: 6rem minmax(0, 1fr) 1.6rem; gap: .5rem;
  align-items: center; line-height: 1.5; }
.part span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.part span:last-child { text-align: right; font-variant-numeric: tabular-nums; }
.bar { background: #e3ebf4; height: .6rem; border-radius: 2px; overflow: hidden; }
.bar i { display: block; height: 100%; background: #2b6cb0; } .bar .less { background: #c2410c; }
summary { cursor: pointer; font-weight: 600; }
@media (max-width: 40rem) { .hit { grid-template-columns: 2.2rem minmax(0, 1fr);
  padding: .6rem .7rem; gap: 0 .4rem; } .why { grid-column: 1 / -1; }
  .parts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 1.2rem; }
  .part { grid-template-columns: 4.8rem minmax(0, 1fr) 1.3rem; gap: .4rem; } }
</style>"""


@dataclass(frozen=True)
class Answer:
    """A reference, what is like it, and where all of it lies.

    Attributes
    ----------
    searcher : simlib.search.Searcher
    heard : simlib.search.Recording
    query : simlib.search.Query
        All of it.
    path : pathlib.Path
        The reference's audio file.
    played : tuple of (float, float)
        The seconds of it that say most.
    found : pandas.DataFrame
        From `simlib.search.Searcher.query`.
    rows : numpy.ndarray of int, shape (n_found,)
        Of the catalogue.
    """

    searcher: object
    heard: object
    query: object
    path: Path
    played: tuple
    found: pd.DataFrame
    rows: np.ndarray


def answer_query(searcher, source, k):
    """Ask for what is like a reference.

    Parameters
    ----------
    searcher : simlib.search.Searcher
    source : str or path-like
        A track id of the catalogue, or an audio file.
    k : int
        Length of the list, at most `MOST`.

    Returns
    -------
    Answer

    Raises
    ------
    SimlibError
        If the list is to be longer, or search cannot use the reference.
    """
    if k > MOST:
        raise SimlibError(f"k = {k}", "is more than fits a page", f"ask for at most {MOST}")
    heard = searcher.load(source)
    query = searcher.load_query(heard)
    path = Path(source) if query.row is None else _file(searcher, query.row)
    found = searcher.query(query, k)
    rows = pd.Index(searcher.tracks["track_id"]).get_indexer(found["track_id"])
    played = searcher.representative(query, PLAYED_SECONDS)
    return Answer(searcher, heard, query, path, played, found, rows)


def _file(searcher, row):
    return searcher.project.data / searcher.tracks["path"].iloc[row]


def title_block(asked):
    """Make the block that the page opens with: the reference's name and tags."""
    tracks, row = asked.searcher.tracks, asked.query.row
    if row is None:
        name, said = html.escape(printable(asked.query.name)), "a file from outside"
    else:
        name = recording_name(tracks.iloc[row])
        tags = [tracks[column].iloc[row].replace(";", ", ") for column in tag_columns(tracks)]
        said = html.escape(" · ".join(filter(None, tags)))
    length = clock(asked.query.end)
    tags = " · ".join(filter(None, [said, length]))
    return f'{QUERY_STYLE}<h1>{name}</h1><p class="tags">{tags}</p>'


def query_headline(found):
    """Say in a sentence what the list amounts to.

    Parameters
    ----------
    found : pandas.DataFrame
        From `simlib.search.Searcher.query`.

    Returns
    -------
    str
        Plain text.
    """
    if not len(found):
        return "There is no other recording in the catalogue to compare this with."
    if found.attrs["no_close_match"]:
        return "Nothing here is close to this."
    first = found.iloc[0]
    name = f"“{first['title'] or first['track_id']}”"
    name += f" by {first['artist']}" if first["artist"] else ""
    here, there = _seconds(first, "query_"), _seconds(first, "")
    if first["near_duplicate"]:
        return f"The catalogue has {here} of this very recording: {there} of {name}."
    near = f"{first['closer_than']:.1f}%"
    return (
        f"Nearest is {name}, closer than {near} of unrelated pairs: its {there} sound like {here} "
        "of this recording."
    )


def query_block_html(asked):
    """Make the reference's player, of the seconds that say most of it."""
    start, end = asked.played
    player = audio_player(asked.path, start=start, seconds=end - start)
    return f"<p>{player} <small>{clock(start)}–{clock(end)}</small></p>"


def spectrogram(asked):
    """Draw the reference's mel spectrogram and the seconds that are matched, as an HTML image."""
    front_end, log_mel = asked.searcher.model.front_end, asked.heard.log_mel
    figure = matched_excerpts_figure(log_mel, front_end, asked.played, asked.found)
    return _picture(
        figure, "Mel spectrogram of the reference, and which seconds each result matches"
    )


def query_map(asked):
    """Draw the catalogue with the reference and the results marked, as an HTML image."""
    searcher, query = asked.searcher, asked.query
    points = load_projection(searcher.project.index)
    near = [query.row]
    if query.row is None:
        near = searcher.index.search(query.vector, AMID)[0]
    column = searcher.tracks[[*tag_columns(searcher.tracks), "artist"][0]]
    place = np.median(points[near], axis=0)
    figure = marked_map(points, column, place, points[asked.rows])
    return _picture(figure, "Map of the catalogue with the reference and the results marked")


def _picture(figure, text):
    """Turn a figure into an HTML image, with a text for those who cannot see it."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    plt.close(figure)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    return f'<img class="picture" alt="{html.escape(text)}" src="data:image/png;base64,{data}">'


def results_block(asked):
    """Make the ranked list, folded away where nothing in it is close."""
    weights = asked.found.attrs["weights"]
    hits = "".join(
        _hit(hit, _file(asked.searcher, row), weights)
        for (_, hit), row in zip(asked.found.iterrows(), asked.rows, strict=True)
    )
    if asked.found.attrs["no_close_match"]:
        summary = f"The {len(asked.rows)} least far, all the same"
        return f"<details><summary>{summary}</summary>{hits}</details>"
    return hits


def _hit(hit, path, weights):
    """Make the block of one result."""
    length = min(hit["end"] - hit["start"], PLAYER_SECONDS)
    player = audio_player(path, start=hit["start"], seconds=length)
    artist = f"<span> – {html.escape(hit['artist'])}</span>" if hit["artist"] else ""
    same = sameness(hit)
    return (
        f'<div class="hit"><div class="rank">{hit["rank"]}</div><div>'
        f"<h3>{html.escape(hit['title'] or hit['track_id'])}{artist}</h3>"
        f'<p class="tags">{html.escape(hit["tags"])}</p>'
        f"{f'<p class=same>{same}</p>' if same else ''}<p>{player}</p>"
        f"<p>Its <b>{_seconds(hit, '')}</b> sound like <b>{_seconds(hit, 'query_')}</b>"
        ' of the reference.</p></div><div class="why">'
        f"<p>Closer than <b>{hit['closer_than']:.1f}%</b> of unrelated pairs</p>"
        f"{bars(hit['why'], weights)}</div></div>"
    )


def query_record(asked):
    """Write down what was asked, and of what, ahead of the text of `params.yaml`."""
    searcher, row = asked.searcher, asked.query.row
    # Of a file its name only: where it lies is nobody's business to whom the page is mailed.
    named = asked.query.name if row is None else searcher.tracks["track_id"].iloc[row]
    query = {
        "reference": str(named),
        "results": len(asked.found),
        "recordings": len(searcher.tracks),
        "encoder": searcher.model.digest[:12],
        "weights": {
            subspace: round(weight, 4) for subspace, weight in searcher.index.weights.items()
        },
    }
    params = (searcher.project.root / "params.yaml").read_text(encoding="utf-8")
    return yaml.safe_dump({"query": query}, sort_keys=False, allow_unicode=True) + "\n" + params


def _seconds(hit, of):
    return f"{clock(hit[f'{of}start'])}–{clock(hit[f'{of}end'])}"
