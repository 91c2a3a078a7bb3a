from . import app as app
from . import catalogue as catalogue
from . import core as core
from . import evaluation as evaluation
from . import features as features
from . import index as index
from . import model as model
from . import relevance as relevance
from . import reporting as reporting
from . import search as search
from . import training as training
from .core import Project as Project
from .core import SimlibError as SimlibError
from .search import Searcher as Searcher
from .search import embed as embed
from .search import query as query

__all__ = [
    "Project",
    "Searcher",
    "SimlibError",
    "app",
    "catalogue",
    "core",
    "embed",
    "evaluation",
    "features",
    "index",
    "model",
    "query",
    "relevance",
    "reporting",
    "search",
    "training",
]
