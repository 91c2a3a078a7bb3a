"""Two queries at once: ranked by agreement with both, or by the mean of their vectors.

    python benchmarks/agreement.py [NAME]

Works on the fits of `benchmarks/folds.py`, and makes them if they are not there. Every recording is
paired with others, by other artists; a result is right if it shares a tag with both. The
temperatures in `params.yaml` were chosen on the first two folds; the others say what they are
worth. Writes `benchmarks/AGREEMENT.md`, or under another name.
"""

import sys

import numpy as np
from fits import Fits, fold_masks, interval, publish, splits_of, text, unit
from folds import FOLDS, SEEDS

from simlib.core import Project
from simlib.evaluation import EvaluateSettings
from simlib.index import hub_penalties, penalise_hubs
from simlib.relevance import tag_matrix
from simlib.search import SearchSettings, agreement, by_any_subspace
from simlib.training import TrainSettings

CHOSEN_ON = 2
PARTNERS = 30
SEED = 0
K = 10


def of_fold(fits, settings, temperatures, learning, held, rng):
    """Return artists, and the mean P@10 over a recording's partners by each way of ranking."""
    aspects = fits.model(settings, splits_of(learning)).aspects
    vectors, artists = fits.embed(settings, splits_of(learning), held), fits.artists[held]
    penalties = hub_penalties(vectors, artists, fits.hubs)
    members = [tag_matrix(column) for _, column in fits.tracks.loc[held, fits.columns].items()]
    shares = np.any([(member @ member.T) > 0 for member in members], axis=0)
    similarities_by_subspace = np.array([
        penalise_hubs(view @ view.T, penalties) for view in aspects.subspaces(vectors).values()
    ])  # fmt: skip
    found = {"mean vector": [], "agreement": []}
    query_artists = []
    for one in range(len(vectors)):
        others = np.flatnonzero(artists != artists[one])
        values = []
        for other in rng.choice(others, min(PARTNERS, len(others)), replace=False):
            candidate_mask = (artists != artists[one]) & (artists != artists[other])
            right = shares[one] & shares[other] & candidate_mask
            if not right.any():
                continue
            middle = unit(vectors[[one, other]].sum(axis=0, keepdims=True))[0]
            similarities = np.array([
                by_any_subspace(
                    similarities_by_subspace[:, row], list(aspects.default.values()),
                    temperatures.aspect_temperature,
                )
                for row in (one, other)
            ])  # fmt: skip
            agreed = agreement(similarities, temperatures.query_temperature)
            ways = [penalise_hubs(vectors @ middle, penalties), agreed]
            values.append([
                right[np.argsort(-np.where(candidate_mask, way, -np.inf), kind="stable")[:K]].mean()
                for way in ways
            ])  # fmt: skip
        if values:
            query_artists.append(artists[one])
            for name, value in zip(found, np.mean(values, axis=0), strict=True):
                found[name].append(value)
    return np.array(query_artists), {name: np.array(values) for name, values in found.items()}


def main():
    """Measure and write."""
    project = Project.find()
    name = sys.argv[1] if len(sys.argv) > 1 else "AGREEMENT"
    fits = Fits(project, project.params())
    settings = TrainSettings.of(fits.params["train"])
    chosen = EvaluateSettings.of(fits.params["evaluate"])
    temperatures = SearchSettings.of(fits.params["search"]).agreement
    pairs = list(fold_masks(fits, np.ones(len(fits.tracks), dtype=bool), FOLDS, SEEDS[0]))
    fits.all([(settings, splits_of(learning), held) for learning, held in pairs])
    rng = np.random.default_rng(SEED)
    folds = [of_fold(fits, settings, temperatures, *pair, rng) for pair in pairs]
    lines = []
    for title, some in (("chosen on", folds[:CHOSEN_ON]), ("the others", folds[CHOSEN_ON:])):
        artists = np.concatenate([artists for artists, _ in some])
        mean, both = (np.concatenate([found[way] for _, found in some])
                      for way in ("mean vector", "agreement"))  # fmt: skip
        cells = [text(interval(values, artists, chosen)) for values in (mean, both)]
        cells.append(text(interval(both - mean, artists, chosen), "+"))
        lines.append(f"| {title} | {len(artists)} | " + " | ".join(cells) + " |")
    lines = [
        "# Two queries at once",
        "",
        f"`python benchmarks/agreement.py {name}`: P@{K} of lists by two queries of different"
        f" artists, {PARTNERS} partners for each recording of five folds that the network was not"
        " trained on; right is what shares a tag with both; 95% intervals over artists.",
        "",
        "| folds | queries | mean vector | agreement | lead |",
        "|---|---|---|---|---|",
        *lines,
        "",
        f"{len(fits.tracks)} recordings, digest {fits.code[:8]} of the code.",
        "",
    ]
    publish(project.root, name, lines)


if __name__ == "__main__":
    main()
