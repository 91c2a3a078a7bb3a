"""The systems that an evaluation sets side by side, and what each makes of the test recordings."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simlib import evaluate as ev
from simlib import hubs
from simlib.artefacts import SimlibError
from simlib.features import DESCRIPTOR_GROUPS, Store
from simlib.index import Index
from simlib.model import Model, whole
from simlib.settings import IndexSettings

RESERVED = ("simlib", "untrained", "pretrained", "mfcc", "tags", "random")


@dataclass(frozen=True)
class Stage:
    """Where the systems find what they need.

    Attributes
    ----------
    root : pathlib.Path
        The project.
    store : simlib.features.Store
    model : simlib.model.Model
    index : simlib.index.Index
    sides : numpy.ndarray of object, shape (n_tracks,)
        Of the index's tracks; from `catalogue.split`.
    settings : simlib.settings.IndexSettings
        How segments are laid, for all encoders alike.
    """

    root: Path
    store: Store
    model: Model
    index: Index
    sides: np.ndarray
    settings: IndexSettings

    @property
    def test(self):
        """The test rows of the table."""
        return self.index.tracks[self.sides == "test"].reset_index(drop=True)

    @property
    def untrained(self):
        """The same network with random weights."""
        seed = self.model.provenance["train"]["seed"]
        model = self.model
        return Model.untrained(model.front_end, model.segment_seconds, model.architecture, seed)

    def embed(self, model, tracks):
        """Embed recordings as the index does: float32, shape (n_tracks, embedding)."""
        hop = self.settings.hop_seconds
        log_mels = (self.store.log_mel(key) for key in tracks["log_mel"])
        return np.stack([whole(model.segments(m, hop)[0]) for m in log_mels])

    def describe(self, tracks):
        """Hand-picked descriptors of recordings, ready to be compared by cosine."""
        return self.standardised(self.store.descriptors(tracks["descriptor"]))

    def standardised(self, descriptors):
        """Scale descriptors by what the recordings of all but the test artists are like."""
        known = self.store.descriptors(self.index.tracks["descriptor"][self.sides != "test"])
        return ev.standardised(descriptors, known, DESCRIPTOR_GROUPS)


def evaluate(stage, evaluation):
    """Score all systems on the test artists.

    Parameters
    ----------
    stage : Stage
    evaluation : simlib.evaluate.Evaluation

    Returns
    -------
    systems : dict of str to numpy.ndarray, shape (n_tracks, n_tracks)
        Similarities of `simlib` and its two baselines, for lists and figures.
    report : dict
        What `metrics/evaluation.json` holds; see `simlib.evaluate.compare`.

    Raises
    ------
    SimlibError
        If a file under `evaluate.compare` cannot be used.
    """
    tracks = evaluation.tracks
    vectors, heard = stage.index.vectors(), stage.sides != "test"
    references = vectors[heard][hubs.choose(heard.sum())]
    systems = {
        # Hubs are judged by other artists' recordings: nothing has seen what it is scored on.
        "simlib": hubs.corrected(vectors[~heard], references),
        "untrained": ev.cosine(stage.embed(stage.untrained, tracks)),
        "mfcc": ev.cosine(stage.describe(tracks)),
    }
    if not evaluation.columns:
        return systems, ev.compare_excerpts(_excerpts(stage, tracks), evaluation)
    compared = dict(systems)
    if words := ev.by_other_tags(evaluation):
        compared["tags"] = words
    compared["random"] = ev.at_random(evaluation)
    for name in evaluation.settings.compare:
        system = Path(name).stem
        if system in compared or system in RESERVED:
            raise SimlibError(name, f"'{system}' names a system already", "rename the file")
        compared[system] = ev.load_other(stage.root / name, tracks)
    return systems, ev.compare(compared, evaluation)


def _excerpts(stage, tracks):
    """Cut each recording in an excerpt, its first third, and the rest; {system: (both)}."""
    learned = {"simlib": stage.model, "untrained": stage.untrained}
    found = {name: _thirds(tracks, _segments(stage, model)) for name, model in learned.items()}
    describe = _thirds(tracks, lambda row: stage.store.descriptor(row.descriptor))
    found["mfcc"] = tuple(stage.standardised(part) for part in describe)
    rng = np.random.default_rng(0)
    found["random"] = tuple(rng.standard_normal((len(tracks), 16)) for _ in range(2))
    return found


def _segments(stage, model):
    # Without overlap: an excerpt must share no second with the rest.
    return lambda row: model.segments(
        stage.store.log_mel(row.log_mel)[: _whole_segments(stage, model, row)],
        model.segment_seconds,
    )[0]


def _whole_segments(stage, model, row):
    frames = len(stage.store.log_mel(row.log_mel))
    return max(frames // model.frames, 1) * model.frames


def _thirds(tracks, parts):
    """Mean of the first third and of the rest of each recording's parts; NaN for a single part."""
    first, rest = [], []
    for row in tracks.itertuples():
        pieces = np.asarray(parts(row), dtype=np.float64)
        cut = -(-len(pieces) // 3)
        usable = len(pieces) > 1
        nothing = np.full(pieces.shape[1], np.nan)
        first.append(pieces[:cut].mean(axis=0) if usable else nothing)
        rest.append(pieces[cut:].mean(axis=0) if usable else nothing)
    return np.stack(first), np.stack(rest)
