from .artists import artist_codes as artist_codes
from .artists import artist_filter as artist_filter
from .artists import artist_keys as artist_keys
from .bpm import complete_bpm as complete_bpm
from .bpm import describe_bpm_source as describe_bpm_source
from .bpm import known_bpm as known_bpm
from .bpm import tempo_gain as tempo_gain
from .labels import jaccard as jaccard
from .labels import tag_columns as tag_columns
from .labels import tag_matrix as tag_matrix
from .labels import tag_sets as tag_sets
from .metrics import discounted_gain as discounted_gain
from .metrics import ideal_gain as ideal_gain
from .metrics import ndcg as ndcg
from .metrics import normalised_gain as normalised_gain
from .metrics import precision_at_k as precision_at_k
from .metrics import rank_candidates as rank_candidates
from .metrics import reciprocal_rank as reciprocal_rank
from .metrics import retrieval_score as retrieval_score
from .settings import SplitSettings as SplitSettings
from .split import split_artists as split_artists

__all__ = [
    "artist_codes",
    "SplitSettings",
    "artist_filter",
    "artist_keys",
    "complete_bpm",
    "describe_bpm_source",
    "discounted_gain",
    "ideal_gain",
    "jaccard",
    "known_bpm",
    "ndcg",
    "normalised_gain",
    "precision_at_k",
    "rank_candidates",
    "reciprocal_rank",
    "retrieval_score",
    "split_artists",
    "tag_columns",
    "tag_matrix",
    "tag_sets",
    "tempo_gain",
]
