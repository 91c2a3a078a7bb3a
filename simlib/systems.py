"""The systems that an evaluation sets side by side, and what each makes of the test recordings."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simlib import evaluate as ev
from simlib import hubs, judgements, pretrained
from simlib.artefacts import SimlibError
from simlib.features import DESCRIPTOR_BLOCK, DESCRIPTOR_GROUPS, Store
from simlib.index import Index
from simlib.model import Model
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
        """The same network with random weights; only the features' scale is the same."""
        seed = self.model.provenance["train"]["seed"]
        model = self.model
        same = Model.untrained(model.front_end, model.segment_seconds, model.architecture, seed)
        same.describer.mean, same.describer.deviation = (
            model.describer.mean,
            model.describer.deviation,
        )
        return same

    @property
    def pretrained(self):
        """The weights that come with simlib, and a word on them.

        Returns
        -------
        model : simlib.model.Model or None
            None where they cannot be scored.
        remark : str
        """
        digests = self.index.tracks["digest"]
        return pretrained.fitting(self.root, self.model.front_end, digests)

    def embed(self, model, tracks):
        """Embed recordings as the index does: float32, shape (n_tracks, dimensions)."""
        return np.stack([
            model.track(*self.features(row), self.settings.hop_seconds)[0]
            for row in tracks.itertuples()
        ])  # fmt: skip

    def features(self, row):
        """Return a recording's log-mel spectrogram and its descriptor."""
        return self.store.log_mel(row.log_mel), self.store.descriptor(row.descriptor)

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
    systems = {
        "simlib": hubs.corrected(stage.index.weighed()[stage.sides == "test"], evaluation.artists),
        "untrained": ev.cosine(stage.embed(stage.untrained, tracks)),
        "mfcc": ev.cosine(stage.describe(tracks)),
    }
    if not evaluation.columns:
        return systems, ev.compare_excerpts(_excerpts(stage, tracks), evaluation)
    compared = dict(systems)
    if (shipped := stage.pretrained[0]) is not None:
        compared["pretrained"] = hubs.corrected(stage.embed(shipped, tracks), evaluation.artists)
    if words := ev.by_other_tags(evaluation):
        compared["tags"] = words
    compared["random"] = ev.at_random(evaluation)
    for name in evaluation.settings.compare:
        system = Path(name).stem
        if system in compared or system in RESERVED:
            raise SimlibError(name, f"'{system}' names a system already", "rename the file")
        compared[system] = ev.load_other(stage.root / name, tracks)
    return systems, ev.compare(compared, evaluation)


def judged(stage, data, settings):
    """Compare the catalogue with what listeners say, and fit the weights of its parts to it.

    Parameters
    ----------
    stage : Stage
    data : path-like
        The catalogue's folder.
    settings : simlib.settings.EvaluateSettings

    Returns
    -------
    dict or None
        `agreement` of `simlib` and `mfcc`, each with its interval; `left_out`, the judgements
        whose recordings are not there; `before`, the index's weights; and all that
        `simlib.judgements.fit` returns. None where there is no judgement.

    Raises
    ------
    SimlibError
        If `triplets.csv` has problems.
    """
    index = stage.index
    said, left_out = judgements.read(data, index.tracks)
    triplets = judgements.rows_of(said, index.tracks)
    if not len(triplets):
        return None
    agreed = {
        system: judgements.agreement(margin, triplets, settings)
        for system, margin in margins(stage, triplets).items()
    }
    parts = index.aspects.views(index.vectors())
    fitted = judgements.fit(parts, triplets, index.weights, settings)
    return {"agreement": agreed, "left_out": len(left_out), "before": index.weights, **fitted}


def margins(stage, triplets):
    """By how much the nearer recording of each judgement is nearer, system by system.

    Parameters
    ----------
    stage : Stage
    triplets : numpy.ndarray of int64, shape (n_triplets, 3)
        Rows of the index's tracks: reference, nearer, farther.

    Returns
    -------
    dict of str to numpy.ndarray of float64, shape (n_triplets,)
        `simlib` as search ranks, and `mfcc`.
    """
    index, near = stage.index, []
    vectors, described = index.vectors(), stage.describe(index.tracks)
    for reference, *others in triplets:
        near.append(index.proximities(vectors[reference], others))
    described /= np.maximum(np.linalg.norm(described, axis=1, keepdims=True), 1e-12)
    return {
        "simlib": -np.diff(near, axis=1)[:, 0],
        "mfcc": judgements.margins({"mfcc": described}, triplets)[:, 0],
    }


def _excerpts(stage, tracks):
    """Embed each recording as an excerpt, its first third, and the rest; {system: (both)}."""
    learned = {"simlib": stage.model, "untrained": stage.untrained}
    if (shipped := stage.pretrained[0]) is not None:
        learned["pretrained"] = shipped
    parts = [_thirds(stage, row) for row in tracks.itertuples()]
    found = {}
    for name, model in learned.items():
        # Without overlap of segments, as there is none of the two parts.
        hop = model.segment_seconds
        found[name] = _stacked(parts, lambda part, m=model, h=hop: m.track(*part, h)[0])
    described = _stacked(parts, lambda part: part[1].mean(axis=0))
    found["mfcc"] = tuple(stage.standardised(side) for side in described)
    rng = np.random.default_rng(0)
    found["random"] = tuple(rng.standard_normal((len(tracks), 16)) for _ in range(2))
    return found


def _thirds(stage, row):
    """Cut a recording's features after a third of its descriptor's blocks; None if it has one."""
    log_mel, descriptor = stage.features(row)
    cut = -(-len(descriptor) // 3)
    frame = round(cut * DESCRIPTOR_BLOCK * stage.model.front_end.frame_rate)
    if not 0 < cut < len(descriptor) or frame >= len(log_mel):
        return None
    return (log_mel[:frame], descriptor[:cut]), (log_mel[frame:], descriptor[cut:])


def _stacked(parts, embed):
    """Embed both parts of each recording; rows of NaN for those that have none."""
    sides = [None if both is None else [embed(part) for part in both] for both in parts]
    size = next((len(both[0]) for both in sides if both is not None), 1)
    nothing = [np.full(size, np.nan)] * 2
    filled = [nothing if both is None else both for both in sides]
    return tuple(np.stack([both[side] for both in filled]) for side in (0, 1))
