"""The columns of the tracks table, and the audio formats of a catalogue."""

KNOWN_COLUMNS = ("track_id", "path", "title", "artist", "album")
AUDIO_SUFFIXES = frozenset(".wav .flac .ogg .opus .mp3 .m4a .mp4 .aac .wma .webm".split())
REJECTED_COLUMNS = ["path", "cause", "hint"]
# Columns that the pipeline adds to the table itself.
RESERVED_COLUMNS = ("seconds", "digest", "log_mel", "descriptor", "degraded")
