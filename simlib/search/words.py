"""A query by words: tracks ranked by automatic tags and by tags of their own.

A word is an automatic tag, a synonym of some (`synonyms.yaml`), or a value of a tag column. Tracks
are ranked by the mean of their scores over the words. The score of an automatic tag is the
logarithm of its probability, as probabilities of independent tags multiply. It is standardised, so
that all words count alike. This finds more right tracks than the mean of percentiles; see
`benchmarks/AUTO_TAGS.md`.
"""

import difflib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.special import ndtri

from simlib.core import AUTO_TAGS, SimlibError, at_least_one, printable
from simlib.index import Index, known_auto_tags
from simlib.search.filters import filter_mask, folded
from simlib.search.rerank import in_turn
from simlib.search.results import joined_cells

_SYNONYMS = Path(__file__).with_name("synonyms.yaml")
# Scores below this, in thresholds of a tag, differ by rounding.
_LOWEST = 1e-3
_SUGGESTIONS = 5


@cache
def synonyms() -> dict[str, tuple[str, ...]]:
    """Return the words that stand for automatic tags, and these tags."""
    content = yaml.safe_load(_SYNONYMS.read_text(encoding="utf-8"))
    return {folded(str(word)): tuple(map(str, tags)) for word, tags in content.items()}


def split_words(words: str | Iterable[str]) -> list[str]:
    """Split a text at commas and semicolons; a list of words stays one.

    Raises
    ------
    SimlibError
        If there is no word.
    """
    parts = words.replace(";", ",").split(",") if isinstance(words, str) else words
    found = list(dict.fromkeys(word.strip() for word in parts if word.strip()))
    if not found:
        hint = "write words with commas between them, such as 'female vocals, slow'"
        raise SimlibError("words", "are none", hint)
    return found


def word_scores(index: Index, words: Iterable[str]) -> pd.DataFrame:
    """Compute how well each track fits each word.

    Parameters
    ----------
    index : simlib.index.Index
    words : iterable of str

    Returns
    -------
    pandas.DataFrame of float64, shape (n_tracks, n_words)
        A column a word: the mean over all that it stands for. An automatic tag has mean 0 and
        standard deviation 1. A tag of a column has the normal scores of carrying it or not. All are
        0 if no track fits better than another.

    Raises
    ------
    SimlibError
        If a word is not known. The error names the known words that are spelled most like it.
    """
    own = _own_tags(index)
    return pd.DataFrame({word: _word_score(index, own, word) for word in words})


def rank_by_words(
    index: Index, words: str | Iterable[str], k: int, where: Iterable[str], per_artist: int | None
) -> pd.DataFrame:
    """Rank the catalogue by how well it fits words; see `simlib.search.Searcher.query_words`.

    Parameters
    ----------
    index : simlib.index.Index
    words, k, where, per_artist
        See `simlib.search.Searcher.query_words`.

    Returns
    -------
    pandas.DataFrame
        One row a result, by the rows of the index: `rank`, `track_id`, `title`, `artist`, `tags`,
        `auto_tags`, `score` and `why`.
    """
    k = at_least_one("k", k)
    if per_artist is not None:
        at_least_one("per_artist", per_artist)
    scores = word_scores(index, split_words(words))
    total = scores.mean(axis=1).to_numpy()
    rows = np.flatnonzero(filter_mask(index.tracks, where) & (total >= 0))
    rows = rows[np.argsort(-total[rows], kind="stable")]
    rows = rows[in_turn(index.artists[rows], k, per_artist)]
    found, fit = index.tracks.iloc[rows], fits_better_than(scores).iloc[rows].round(1)
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(rows) + 1),
            **{name: found[name].to_numpy() for name in ("track_id", "title", "artist")},
            "tags": joined_cells(found, index.tag_columns),
            "auto_tags": joined_cells(found, [AUTO_TAGS] if AUTO_TAGS in found else []),
            "score": total[rows].round(4),
            "why": fit.to_dict("records"),
        },
        index=rows,
    )


def fits_better_than(scores: pd.DataFrame) -> pd.DataFrame:
    """Compute the percentage of tracks that fit each word less: of the shape of `scores`."""
    return 100 * (scores.rank(method="min") - 1) / len(scores)


def _word_score(index, own, word):
    """Return the mean of the standardised scores of all that a word stands for."""
    key, found = folded(word), []
    for tag in synonyms().get(key, (key,)):
        if tag in index.auto_tags:
            scores = index.auto_tags[tag].to_numpy(dtype=np.float64)
            found.append(standardised(np.log(np.maximum(scores, _LOWEST))))
    if key in own:
        found.append(_normal_scores(own[key], len(index.tracks)))
    if not found:
        automatic = {*index.auto_tags, *synonyms()} if len(index.auto_tags) else set()
        raise _unknown(word, {*own, *automatic})
    return np.mean(found, axis=0)


def standardised(scores: np.ndarray) -> np.ndarray:
    """Give scores mean 0 and standard deviation 1; equal scores become 0."""
    spread = scores.std()
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros(len(scores))


def _normal_scores(rows, count):
    """Return the normal scores of carrying a tag, which stay small if few tracks carry it."""
    carried = np.zeros(count)
    carried[rows] = 1.0
    return ndtri((pd.Series(carried).rank().to_numpy() - 0.5) / count)


def _own_tags(index):
    """Return {value of a tag column: rows of the tracks that carry it}."""
    rows: dict[str, list[int]] = {}
    for column in index.tag_columns:
        for row, cell in enumerate(index.tracks[column].to_numpy(dtype=object)):
            for tag in filter(None, {folded(part) for part in cell.split(";")}):
                rows.setdefault(tag, []).append(row)
    return rows


def _unknown(word, known):
    """Return an error that names the known words that are spelled most like a word."""
    subject, key = f"word '{printable(word)}'", folded(word)
    if key in known_auto_tags() or key in synonyms():
        hint = "set train.backbones in params.yaml and run 'make repro'"
        return SimlibError(subject, "needs automatic tags, and this index has none", hint)
    close = difflib.get_close_matches(key, sorted(known), n=_SUGGESTIONS, cutoff=0.0)
    hint = f"known words are {', '.join(map(printable, close))}" if close else "add a tag column"
    return SimlibError(subject, "is neither a tag of the catalogue nor an automatic one", hint)
