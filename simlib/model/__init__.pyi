from .aspects import SOUND as SOUND
from .aspects import TEMPO as TEMPO
from .aspects import Aspects as Aspects
from .aspects import subspace_name as subspace_name
from .embedder import Embedder as Embedder
from .embedder import architecture_of as architecture_of
from .inputs import WholeRecording as WholeRecording
from .networks import Branch as Branch
from .networks import Encoder as Encoder
from .pretrained import load_pretrained as load_pretrained
from .pretrained import shorten_digests as shorten_digests
from .reduction import Reduction as Reduction
from .segments import cut_segment as cut_segment
from .segments import pool_segments as pool_segments
from .segments import segment_frames as segment_frames
from .segments import segment_starts as segment_starts
from .settings import BranchSettings as BranchSettings
from .settings import ShareSettings as ShareSettings
from .weights import read_metadata as read_metadata
from .weights_identity import weights_digest as weights_digest

__all__ = [
    "Aspects",
    "Branch",
    "BranchSettings",
    "Embedder",
    "Encoder",
    "Reduction",
    "SOUND",
    "ShareSettings",
    "TEMPO",
    "WholeRecording",
    "architecture_of",
    "cut_segment",
    "load_pretrained",
    "pool_segments",
    "read_metadata",
    "segment_frames",
    "segment_starts",
    "shorten_digests",
    "subspace_name",
    "weights_digest",
]
