from .importing import import_folder as import_folder
from .metadata import infer_metadata as infer_metadata
from .scanning import scan_folder as scan_folder
from .tracks import audio_files as audio_files
from .tracks import read_catalogue as read_catalogue
from .tracks import read_tracks_table as read_tracks_table
from .triplets import TRIPLETS_FILE as TRIPLETS_FILE
from .triplets import append_triplet as append_triplet
from .triplets import read_triplets as read_triplets
from .triplets import read_triplets_table as read_triplets_table
from .triplets import triplet_rows as triplet_rows

__all__ = [
    "TRIPLETS_FILE",
    "append_triplet",
    "audio_files",
    "import_folder",
    "infer_metadata",
    "read_catalogue",
    "read_tracks_table",
    "read_triplets",
    "read_triplets_table",
    "scan_folder",
    "triplet_rows",
]
