from .auto_tags import joined_tags as joined_tags
from .auto_tags import known_auto_tags as known_auto_tags
from .auto_tags import tag_probabilities as tag_probabilities
from .auto_tags import tag_scores as tag_scores
from .backbone_vectors import backbone_embedding as backbone_embedding
from .building import build_index as build_index
from .calibration import ESTIMATES as ESTIMATES
from .calibration import Calibration as Calibration
from .calibration import by_other_artists as by_other_artists
from .calibration import calibrate as calibrate
from .calibration import corrected_percentile as corrected_percentile
from .calibration import nearest_similarity as nearest_similarity
from .calibration import similarity_percentile as similarity_percentile
from .calibration import unrelated_percentiles as unrelated_percentiles
from .embeddings import EmbeddingStore as EmbeddingStore
from .faiss_index import Index as Index
from .fingerprints import Fingerprints as Fingerprints
from .fingerprints import Match as Match
from .fingerprints import fingerprint as fingerprint
from .fingerprints import fingerprint_rate as fingerprint_rate
from .hubness import hub_corrected as hub_corrected
from .hubness import hub_penalties as hub_penalties
from .hubness import penalise_hubs as penalise_hubs
from .map_points import load_projection as load_projection
from .map_points import save_projection as save_projection
from .neighbour_table import NeighbourTable as NeighbourTable
from .neighbour_table import build_table as build_table
from .projection import map_catalogue as map_catalogue
from .projection import project_to_plane as project_to_plane
from .settings import DEFAULT_HUBS as DEFAULT_HUBS
from .settings import CalibrationSettings as CalibrationSettings
from .settings import FingerprintSettings as FingerprintSettings
from .settings import HubSettings as HubSettings
from .settings import IndexSettings as IndexSettings
from .settings import MapSettings as MapSettings
from .storage import IndexOrigin as IndexOrigin

__all__ = [
    "Calibration",
    "CalibrationSettings",
    "DEFAULT_HUBS",
    "ESTIMATES",
    "EmbeddingStore",
    "FingerprintSettings",
    "Fingerprints",
    "HubSettings",
    "Index",
    "IndexOrigin",
    "IndexSettings",
    "MapSettings",
    "Match",
    "NeighbourTable",
    "backbone_embedding",
    "build_index",
    "build_table",
    "by_other_artists",
    "calibrate",
    "corrected_percentile",
    "fingerprint",
    "fingerprint_rate",
    "hub_corrected",
    "hub_penalties",
    "joined_tags",
    "known_auto_tags",
    "load_projection",
    "map_catalogue",
    "nearest_similarity",
    "penalise_hubs",
    "project_to_plane",
    "save_projection",
    "similarity_percentile",
    "tag_probabilities",
    "tag_scores",
    "unrelated_percentiles",
]
