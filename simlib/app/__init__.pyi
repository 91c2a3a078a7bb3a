from .markup import bars as bars
from .panel import SearchPanel as SearchPanel
from .query_page import Answer as Answer
from .query_page import answer_query as answer_query
from .query_page import headline_of_answer as headline_of_answer
from .query_page import player_block as player_block
from .query_page import query_map as query_map
from .query_page import query_record as query_record
from .query_page import results_block as results_block
from .query_page import spectrogram as spectrogram
from .query_page import title_block as title_block
from .words_page import WordsAnswer as WordsAnswer
from .words_page import answer_words as answer_words
from .words_page import words_record as words_record
from .words_page import words_results as words_results
from .words_page import words_title as words_title

__all__ = [
    "Answer",
    "SearchPanel",
    "answer_query",
    "bars",
    "player_block",
    "headline_of_answer",
    "query_map",
    "query_record",
    "results_block",
    "spectrogram",
    "title_block",
    "WordsAnswer",
    "answer_words",
    "words_record",
    "words_results",
    "words_title",
]
