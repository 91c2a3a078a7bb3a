from .blocks import change_block as change_block
from .blocks import headline_block as headline_block
from .blocks import judgements_block as judgements_block
from .blocks import query_block as query_block
from .blocks import record_block as record_block
from .blocks import rejected_block as rejected_block
from .blocks import summary_block as summary_block
from .blocks import track_block as track_block
from .catalogue_figures import catalogue_map_figure as catalogue_map_figure
from .catalogue_figures import catalogue_overview as catalogue_overview
from .catalogue_figures import marked_map as marked_map
from .evaluation_figures import aspect_matrix as aspect_matrix
from .evaluation_figures import kept_histogram as kept_histogram
from .evaluation_figures import learning_curves as learning_curves
from .evaluation_figures import metric_bars as metric_bars
from .evaluation_figures import neighbours_by_tag as neighbours_by_tag
from .evaluation_figures import occurrence_histogram as occurrence_histogram
from .evaluation_figures import reliability_figure as reliability_figure
from .evaluation_figures import tag_support_figure as tag_support_figure
from .html import PLAYER_RATE as PLAYER_RATE
from .html import PLAYER_SECONDS as PLAYER_SECONDS
from .html import audio_player as audio_player
from .html import data_uri as data_uri
from .html import html_table as html_table
from .html import player_excerpt as player_excerpt
from .html import render as render
from .html import style_sheet as style_sheet
from .pages import execute_notebook as execute_notebook
from .pages import export_report as export_report
from .signal_figures import MATCHED as MATCHED
from .signal_figures import MEL_COLUMNS as MEL_COLUMNS
from .signal_figures import draw_log_mel as draw_log_mel
from .signal_figures import matched_excerpts_figure as matched_excerpts_figure
from .signal_figures import three_views as three_views
from .stripping import strip_notebook as strip_notebook
from .text import clock as clock
from .text import interval_text as interval_text
from .text import plain as plain
from .text import short as short
from .text import title_and_artist as title_and_artist
from .text import track_name as track_name

__all__ = [
    "MATCHED",
    "MEL_COLUMNS",
    "PLAYER_RATE",
    "PLAYER_SECONDS",
    "aspect_matrix",
    "audio_player",
    "catalogue_map_figure",
    "catalogue_overview",
    "change_block",
    "clock",
    "data_uri",
    "draw_log_mel",
    "execute_notebook",
    "export_report",
    "headline_block",
    "html_table",
    "interval_text",
    "judgements_block",
    "kept_histogram",
    "learning_curves",
    "marked_map",
    "matched_excerpts_figure",
    "metric_bars",
    "neighbours_by_tag",
    "occurrence_histogram",
    "plain",
    "player_excerpt",
    "query_block",
    "record_block",
    "rejected_block",
    "reliability_figure",
    "render",
    "short",
    "strip_notebook",
    "style_sheet",
    "summary_block",
    "tag_support_figure",
    "three_views",
    "title_and_artist",
    "track_block",
    "track_name",
]
