"""The page of a query by words: its ranked list, as blocks of a page to mail."""

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from simlib.app.query_page import MOST, page_record
from simlib.core import SimlibError
from simlib.reporting import PLAYER_SECONDS, audio_player, clock, render
from simlib.search import Searcher, split_words


@dataclass(frozen=True)
class WordsAnswer:
    """Words, and the ranked list.

    Attributes
    ----------
    searcher : simlib.search.Searcher
    words : list of str
    found : pandas.DataFrame
        From `simlib.search.Searcher.query_words`.
    """

    searcher: Searcher
    words: list[str]
    found: pd.DataFrame


def answer_words(searcher: Searcher, words: str, k: int) -> WordsAnswer:
    """Rank the catalogue by words.

    Parameters
    ----------
    searcher : simlib.search.Searcher
    words : str
        With commas between them.
    k : int
        Length of the list, at most `MOST`.

    Returns
    -------
    WordsAnswer

    Raises
    ------
    SimlibError
        If the list is to be longer, or a word is not known.
    """
    if k > MOST:
        raise SimlibError(f"k = {k}", "is more than fits a page", f"choose at most {MOST}")
    listed = split_words(words)
    return WordsAnswer(searcher, listed, searcher.query_words(listed, k))


def words_title(answer: WordsAnswer) -> Markup:
    """Make the block that the page opens with: the words."""
    line = f"{len(answer.found)} of {len(answer.searcher.tracks)} recordings"
    return render("results", "title", ", ".join(answer.words), line, "")


def words_results(answer: WordsAnswer) -> Markup:
    """Make the ranked list, with a player of each recording's most representative excerpt."""
    tracks, data = answer.searcher.tracks.set_index("track_id"), answer.searcher.project.data
    results = []
    for row in answer.found.itertuples():
        length = min(row.end - row.start, PLAYER_SECONDS)
        path = data / tracks["path"][row.track_id]
        player = audio_player(path, start=row.start, seconds=length)
        excerpt = f"{clock(row.start)}–{clock(row.start + length)}"
        texts = (row.rank, row.title or row.track_id, row.artist, row.tags, row.auto_tags)
        fits = [(word, f"{share:.0f}") for word, share in row.why.items()]
        results.append(render("results", "by_words", *texts, player, excerpt, fits))
    return render("results", "folded", results, len(results), False)


def words_record(answer: WordsAnswer) -> str:
    """Return a record of the words and the catalogue, and the text of `params.yaml`."""
    return page_record(answer.searcher, {"words": answer.words, "results": len(answer.found)})
