"""The columns of the tracks table, and the audio formats of a catalogue."""

KNOWN_COLUMNS = ("track_id", "path", "title", "artist", "album")
# One list for catalogues and queries.
AUDIO_SUFFIXES = frozenset(
    ".wav .flac .ogg .oga .opus .spx .mp3 .m4a .m4b .mp4 .aac .wma .webm .mka .wv .aiff .aif .au "
    ".caf".split()
)
REJECTED_COLUMNS = ["path", "cause", "hint"]
# Columns that the pipeline adds to the table itself.
RESERVED_COLUMNS = ("seconds", "digest", "log_mel", "descriptor", "degraded")
# What the names of the columns for backbones begin with, such as `backbone.musicnn`.
BACKBONE_PREFIX = "backbone."
# The column of automatic tags, which the index adds. It is no ground truth.
AUTO_TAGS = "auto_tags"


def is_reserved(column: str) -> bool:
    """Tell whether a column of the table is one that the pipeline adds."""
    own = (*RESERVED_COLUMNS, AUTO_TAGS)
    return column in own or column.startswith(BACKBONE_PREFIX)
