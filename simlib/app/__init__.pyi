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
]
