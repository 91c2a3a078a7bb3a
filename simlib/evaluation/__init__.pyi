from .aspect_gain import aspect_gain_table as aspect_gain_table
from .aspect_gain import aspect_gains as aspect_gains
from .aspect_gain import turned_up as turned_up
from .comparisons import RESERVED_NAMES as RESERVED_NAMES
from .comparisons import add_comparison as add_comparison
from .comparisons import load_comparison as load_comparison
from .examples import catalogue_neighbours as catalogue_neighbours
from .examples import example_queries as example_queries
from .examples import hardest_queries as hardest_queries
from .examples import neighbour_table as neighbour_table
from .hub_effects import hub_correction_cost as hub_correction_cost
from .hub_effects import hubs_before_and_after as hubs_before_and_after
from .index_diff import IndexComparison as IndexComparison
from .index_diff import before_and_after as before_and_after
from .index_diff import by_chance as by_chance
from .index_diff import by_tag as by_tag
from .index_diff import diff_headline as diff_headline
from .index_diff import diff_summary as diff_summary
from .index_diff import kept_shares as kept_shares
from .index_diff import moved_queries as moved_queries
from .listening import aspect_margins as aspect_margins
from .listening import evaluate_judgements as evaluate_judgements
from .listening import listener_agreement as listener_agreement
from .listening import system_margins as system_margins
from .lists import RankedLists as RankedLists
from .protocol import Evaluation as Evaluation
from .protocol import compare_excerpts as compare_excerpts
from .protocol import compare_systems as compare_systems
from .protocol import evaluated_rows as evaluated_rows
from .protocol import sampled_queries as sampled_queries
from .protocol import unmeasurable as unmeasurable
from .reliability import STATED as STATED
from .reliability import describe_error as describe_error
from .reliability import largest_error as largest_error
from .reliability import no_close_match_rates as no_close_match_rates
from .reliability import reliability_curve as reliability_curve
from .reliability import without_related as without_related
from .revisions import BEFORE_FOLDER as BEFORE_FOLDER
from .revisions import fetch_index as fetch_index
from .revisions import load_any_index as load_any_index
from .robustness import UNDEGRADED as UNDEGRADED
from .robustness import DegradedQueries as DegradedQueries
from .robustness import degraded_queries as degraded_queries
from .robustness import robustness_report as robustness_report
from .robustness import robustness_table as robustness_table
from .settings import EvaluateSettings as EvaluateSettings
from .settings import RobustnessSettings as RobustnessSettings
from .settings import TagStudySettings as TagStudySettings
from .similarities import CosineSimilarity as CosineSimilarity
from .similarities import HubCorrectedSimilarity as HubCorrectedSimilarity
from .similarities import RandomSimilarity as RandomSimilarity
from .similarities import catalogue_similarity as catalogue_similarity
from .statistics import bootstrap as bootstrap
from .statistics import skewness as skewness
from .statistics import swap_artists as swap_artists
from .summary import describe_embedding as describe_embedding
from .summary import headline_of as headline_of
from .summary import lead_table as lead_table
from .summary import long_table as long_table
from .summary import search_metrics as search_metrics
from .summary import wide_table as wide_table
from .systems import EvaluationContext as EvaluationContext
from .systems import at_random as at_random
from .systems import by_other_tags as by_other_tags
from .systems import evaluate_systems as evaluate_systems
from .systems import standardised as standardised
from .tag_audibility import Neighbourhoods as Neighbourhoods
from .tag_audibility import tag_neighbourhoods as tag_neighbourhoods
from .tag_audibility import tag_support_table as tag_support_table
from .tag_confusion import confused_tags as confused_tags

__all__ = [
    "BEFORE_FOLDER",
    "CosineSimilarity",
    "DegradedQueries",
    "EvaluateSettings",
    "Evaluation",
    "EvaluationContext",
    "HubCorrectedSimilarity",
    "IndexComparison",
    "Neighbourhoods",
    "RESERVED_NAMES",
    "RandomSimilarity",
    "RankedLists",
    "RobustnessSettings",
    "STATED",
    "TagStudySettings",
    "UNDEGRADED",
    "add_comparison",
    "aspect_gain_table",
    "aspect_gains",
    "aspect_margins",
    "at_random",
    "before_and_after",
    "bootstrap",
    "by_chance",
    "by_other_tags",
    "by_tag",
    "catalogue_neighbours",
    "catalogue_similarity",
    "compare_excerpts",
    "compare_systems",
    "confused_tags",
    "degraded_queries",
    "describe_embedding",
    "describe_error",
    "diff_headline",
    "diff_summary",
    "evaluate_judgements",
    "evaluate_systems",
    "evaluated_rows",
    "example_queries",
    "fetch_index",
    "hardest_queries",
    "headline_of",
    "hub_correction_cost",
    "hubs_before_and_after",
    "kept_shares",
    "largest_error",
    "lead_table",
    "listener_agreement",
    "load_any_index",
    "load_comparison",
    "long_table",
    "moved_queries",
    "neighbour_table",
    "no_close_match_rates",
    "reliability_curve",
    "robustness_report",
    "robustness_table",
    "sampled_queries",
    "search_metrics",
    "skewness",
    "standardised",
    "swap_artists",
    "system_margins",
    "tag_neighbourhoods",
    "tag_support_table",
    "turned_up",
    "unmeasurable",
    "wide_table",
    "without_related",
]
