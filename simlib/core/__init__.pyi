from .arrays import cosine as cosine
from .arrays import evenly_spread as evenly_spread
from .arrays import unit_rows as unit_rows
from .digests import digest_of as digest_of
from .digests import digest_of_code as digest_of_code
from .digests import digest_of_file as digest_of_file
from .digests import import_closure as import_closure
from .errors import SimlibError as SimlibError
from .errors import at_least_one as at_least_one
from .errors import printable as printable
from .files import read_json as read_json
from .files import write_json as write_json
from .files import written_aside as written_aside
from .project import Project as Project
from .root import project_root as project_root
from .sampling import digest_order as digest_order
from .sampling import stable_sample as stable_sample
from .schema import AUDIO_SUFFIXES as AUDIO_SUFFIXES
from .schema import AUTO_TAGS as AUTO_TAGS
from .schema import BACKBONE_PREFIX as BACKBONE_PREFIX
from .schema import KNOWN_COLUMNS as KNOWN_COLUMNS
from .schema import REJECTED_COLUMNS as REJECTED_COLUMNS
from .schema import RESERVED_COLUMNS as RESERVED_COLUMNS
from .schema import is_reserved as is_reserved
from .settings import Count as Count
from .settings import FromList as FromList
from .settings import NotNegative as NotNegative
from .settings import Positive as Positive
from .settings import Probability as Probability
from .settings import Section as Section
from .settings import Share as Share
from .shards import ShardStore as ShardStore

__all__ = [
    "AUTO_TAGS",
    "Count",
    "FromList",
    "NotNegative",
    "Positive",
    "Probability",
    "Share",
    "unit_rows",
    "stable_sample",
    "Project",
    "AUDIO_SUFFIXES",
    "BACKBONE_PREFIX",
    "KNOWN_COLUMNS",
    "REJECTED_COLUMNS",
    "RESERVED_COLUMNS",
    "Section",
    "ShardStore",
    "SimlibError",
    "at_least_one",
    "cosine",
    "digest_of",
    "digest_of_code",
    "digest_of_file",
    "digest_order",
    "evenly_spread",
    "import_closure",
    "is_reserved",
    "printable",
    "project_root",
    "read_json",
    "write_json",
    "written_aside",
]
