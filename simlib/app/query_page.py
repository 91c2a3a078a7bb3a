"""The query page: one query and its ranked list, as blocks of a page to mail."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import yaml
from markupsafe import Markup

from simlib.app.markup import bars, match_texts
from simlib.core import SimlibError, printable
from simlib.index import joined_tags, load_projection, tag_scores
from simlib.relevance import tag_columns
from simlib.reporting import (
    PLAYER_SECONDS,
    audio_player,
    clock,
    data_uri,
    marked_map,
    matched_excerpts_figure,
    render,
    track_name,
)
from simlib.search import Query, Recording, Searcher, sameness

# Players of this many results fit a page that can be mailed.
MOST = 50
PLAYED_SECONDS = 12.0
# The map shows a file from outside at the median place of this many most similar tracks.
AMID = 5


@dataclass(frozen=True)
class Answer:
    """A query, its ranked list, and where both are on disk and in the catalogue.

    Attributes
    ----------
    searcher : simlib.search.Searcher
    recording : simlib.search.Recording
    query : simlib.search.Query
        All of the recording.
    path : pathlib.Path
        The query's audio file.
    played : tuple of (float, float)
        The seconds of its most representative excerpt.
    found : pandas.DataFrame
        From `simlib.search.Searcher.query`.
    rows : numpy.ndarray of int, shape (n_found,)
        Of the catalogue.
    """

    searcher: Searcher
    recording: Recording
    query: Query
    path: Path
    played: tuple[float, float]
    found: pd.DataFrame
    rows: np.ndarray


def answer_query(searcher: Searcher, source: str | Path, k: int) -> Answer:
    """Rank the catalogue by similarity to a query.

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
        If the list is to be longer, or search cannot use the query.
    """
    if k > MOST:
        raise SimlibError(f"k = {k}", "is more than fits a page", f"choose at most {MOST}")
    recording = searcher.load(source)
    query = searcher.load_query(recording)
    path = Path(source) if query.row is None else _file(searcher, query.row)
    found = searcher.query(query, k)
    rows = pd.Index(searcher.tracks["track_id"]).get_indexer(found["track_id"])
    played = searcher.representative(query, PLAYED_SECONDS)
    return Answer(searcher, recording, query, path, played, found, rows)


def _file(searcher, row):
    return searcher.project.data / searcher.tracks["path"].iloc[row]


def title_block(answer: Answer) -> Markup:
    """Make the block that the page opens with: the query's name, tags and automatic tags."""
    tracks, row = answer.searcher.tracks, answer.query.row
    if row is None:
        name, tags = printable(answer.query.name), ["a file from outside"]
    else:
        name = track_name(tracks.iloc[row])
        tags = [tracks[column].iloc[row].replace(";", ", ") for column in tag_columns(tracks)]
    line = " · ".join(filter(None, [*tags, clock(answer.query.end)]))
    # Of a file from outside, too: its features are those of a track.
    automatic = joined_tags(tag_scores(answer.recording.features)).replace(";", ", ")
    return render("results", "title", name, line, automatic)


def headline_of_answer(found: pd.DataFrame) -> str:
    """Summarise the ranked list in a sentence of plain text.

    Parameters
    ----------
    found : pandas.DataFrame
        From `simlib.search.Searcher.query`.
    """
    if not len(found):
        return "There is no other recording in the catalogue to compare this with."
    if found.attrs["no_close_match"]:
        return "Nothing in the catalogue is close to this."
    first = next(found.itertuples())
    name = f"“{first.title or first.track_id}”" + (f" by {first.artist}" if first.artist else "")
    match = match_texts(first)
    excerpt, of_query = match["excerpt"], match["query_excerpt"]
    if first.near_duplicate:
        return f"The catalogue has {of_query} of this very recording: {excerpt} of {name}."
    return (
        f"Most similar is {name}, closer than {match['closer_than']}% of unrelated pairs: its "
        f"{excerpt} sound like {of_query} of this recording."
    )


def player_block(answer: Answer) -> Markup:
    """Make the player of the query's most representative excerpt."""
    start, end = answer.played
    player = audio_player(answer.path, start=start, seconds=end - start)
    return render("results", "played", player, clock(start), clock(end))


def spectrogram(answer: Answer) -> Markup:
    """Draw the query's mel spectrogram and the seconds that are matched, as an HTML image."""
    front_end, log_mel = answer.searcher.model.front_end, answer.recording.features.log_mel
    figure = matched_excerpts_figure(log_mel, front_end, answer.played, answer.found)
    return _picture(figure, "Mel spectrogram of the query, and which seconds each result matches")


def query_map(answer: Answer) -> Markup:
    """Draw the catalogue with the query and the results marked, as an HTML image."""
    searcher, query = answer.searcher, answer.query
    points = load_projection(searcher.project.index)
    rows = [query.row] if query.row is not None else searcher.index.search(query.vector, AMID)[0]
    column = searcher.tracks[[*tag_columns(searcher.tracks), "artist"][0]]
    figure = marked_map(points, column, np.median(points[rows], axis=0), points[answer.rows])
    return _picture(figure, "Map of the catalogue with the query and the results marked")


def _picture(figure, text):
    """Turn a figure into an HTML image, with a text for those who cannot see it."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    plt.close(figure)
    return render("results", "picture", text, data_uri("image/png", stream.getvalue()))


def results_block(answer: Answer) -> Markup:
    """Make the ranked list, folded away if nothing is close to the query."""
    weights = answer.found.attrs["weights"]
    results = [
        _result(row, _file(answer.searcher, place), weights)
        for row, place in zip(answer.found.itertuples(), answer.rows, strict=True)
    ]
    fold = answer.found.attrs["no_close_match"]
    return render("results", "folded", results, len(results), fold)


def _result(row, path, weights):
    """Make the block of one result."""
    length = min(row.end - row.start, PLAYER_SECONDS)
    player = audio_player(path, start=row.start, seconds=length)
    texts = (row.rank, row.title or row.track_id, row.artist, row.tags, row.auto_tags)
    match, aspects = match_texts(row), bars(row.why, weights)
    return render("results", "result", *texts, sameness(row), player, match, aspects)


def query_record(answer: Answer) -> str:
    """Return a record of the query and the catalogue, and the text of `params.yaml`."""
    searcher, row = answer.searcher, answer.query.row
    # Of a file the name only: a reader of the page need not know the folders of its author.
    name = answer.query.name if row is None else searcher.tracks["track_id"].iloc[row]
    weights = {aspect: round(weight, 4) for aspect, weight in searcher.index.weights.items()}
    record = {"query": str(name), "results": len(answer.found)}
    return page_record(searcher, record | {"weights": weights})


def page_record(searcher: Searcher, answer: dict[str, Any]) -> str:
    """Return a record of an answer and the catalogue, and the text of `params.yaml`."""
    catalogue = {
        "recordings": len(searcher.tracks), "encoder": searcher.index.origin.model_digest[:12],
    }  # fmt: skip
    params = (searcher.project.root / "params.yaml").read_text(encoding="utf-8")
    record = yaml.safe_dump({"answer": answer | catalogue}, sort_keys=False, allow_unicode=True)
    return f"{record}\n{params}"
