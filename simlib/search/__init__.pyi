from .embed_files import embed as embed
from .excerpts import best_match as best_match
from .excerpts import representative_excerpt as representative_excerpt
from .filters import filter_mask as filter_mask
from .playlist_files import write_csv as write_csv
from .playlist_files import write_m3u as write_m3u
from .playlists import path_between as path_between
from .playlists import radio as radio
from .queries import Query as Query
from .queries import Recording as Recording
from .request import SearchRequest as SearchRequest
from .rerank import agreement as agreement
from .rerank import by_any_subspace as by_any_subspace
from .rerank import diverse as diverse
from .rerank import in_turn as in_turn
from .results import sameness as sameness
from .searcher import Searcher as Searcher
from .searcher import query as query
from .settings import AgreementSettings as AgreementSettings
from .settings import PlaylistSettings as PlaylistSettings
from .settings import SearchSettings as SearchSettings
from .words import fits_better_than as fits_better_than
from .words import split_words as split_words
from .words import standardised as standardised
from .words import synonyms as synonyms
from .words import word_scores as word_scores

__all__ = [
    "AgreementSettings",
    "PlaylistSettings",
    "Query",
    "Recording",
    "SearchRequest",
    "SearchSettings",
    "Searcher",
    "agreement",
    "best_match",
    "by_any_subspace",
    "diverse",
    "embed",
    "filter_mask",
    "fits_better_than",
    "in_turn",
    "path_between",
    "query",
    "radio",
    "representative_excerpt",
    "sameness",
    "split_words",
    "standardised",
    "synonyms",
    "word_scores",
    "write_csv",
    "write_m3u",
]
