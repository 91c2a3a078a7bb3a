"""How far scores, and "nothing here is close", can be taken at their word: pooled over folds.

    python benchmarks/reliability.py [NAME]

Works on the catalogue in `data/` after `make repro`, by the fits that `benchmarks/folds.py` keeps
(and makes them, where they are not there). Of the artists that a fold's network was not trained on,
one half calibrates and the other one gives the queries, then the other way round. Pooled, what a
draw of few artists leaves to chance evens out, and what remains is the method's; how far single
reports are off stands beside it. Writes `benchmarks/RELIABILITY.md` and `RELIABILITY.png`, or under
another NAME.
"""

import sys

import numpy as np
import pandas as pd
from fits import Fits, fold_masks, fold_of, interval, publish, splits_of, text
from folds import FOLDS, SEEDS

from simlib.core import Project, written_aside
from simlib.evaluation import STATED, EvaluateSettings, reliability_curve, without_related
from simlib.index import IndexSettings, build_index, calibrate, unrelated_percentiles
from simlib.reporting import reliability_figure
from simlib.training import TrainSettings

HALVES_SEED = 3


def main():
    """Measure and write."""
    project = Project.find()
    name = sys.argv[1] if len(sys.argv) > 1 else "RELIABILITY"
    fits = Fits(project, project.params())
    settings = TrainSettings.of(fits.params["train"])
    chosen = EvaluateSettings.of(fits.params["evaluate"])
    indexing = IndexSettings.of(fits.params["index"])
    everybody = np.ones(len(fits.tracks), dtype=bool)
    half = fold_of(fits.artists, 2, HALVES_SEED)
    scores, alone, of_pairs, artists, single, calibrated = [], [], [], [], [], []
    for seed in SEEDS:
        for learning, held in fold_masks(fits, everybody, FOLDS, seed):
            index = build_index(fits.model(settings, splits_of(learning)), fits.store, indexing)
            for calibrating in (0, 1):
                splits = np.where(half == calibrating, "validation", "test")
                splits = np.where(held, splits, "train").astype(object)
                rows = np.flatnonzero(splits == "test")
                scale = calibrate(index, splits)
                estimates, queries = unrelated_percentiles(index, rows)
                scores.append(scale.closer_than(estimates))
                of_pairs.append(fits.artists[queries])
                alone.append(np.array(without_related(index, scale, rows, fits.columns[:1])).T)
                artists.append(fits.artists[rows])
                report = reliability_curve(index, scale, splits, chosen)
                single.append((report["found"] - report["stated"]).abs().max())
                calibrated.append(np.sum(splits == "validation"))
    scores, of_pairs, alone, artists = map(np.concatenate, (scores, of_pairs, alone, artists))
    found = [interval((scores < stated).astype(float), of_pairs, chosen) for stated in STATED]
    table = pd.DataFrame(found).assign(stated=STATED, found=lambda rows: rows["value"])
    distance = (table["found"] - table["stated"]).abs()
    said = [f"without its {column}" for column in fits.columns[:1]]
    lines = [
        "# Scores, taken at their word",
        "",
        f"`python benchmarks/reliability.py {name}`: {FOLDS} folds of the artists, drawn"
        f" {len(SEEDS)} times; of those that a network was not trained on, one half calibrates and"
        f" the other one gives the queries, in turn. {len(fits.tracks)} recordings, 95% intervals"
        " over artists.",
        "",
        f"What is found is at most {100 * distance.max():.1f} points from what is stated, in the"
        f" mean {100 * distance.mean():.1f}, over all draws together. Single reports, calibrated on"
        f" {np.median(calibrated):.0f} recordings and as many queries, are at most"
        f" {100 * np.median(single):.1f} points off in the median of {len(single)}, and less than 3"
        f" points in {np.sum(np.array(single) < 0.03)} of them.",
        "",
        "| stated, % of unrelated pairs | found |",
        "|---|---|",
        *(
            f"| {100 * table['stated'][at]:.0f} | {text(table.loc[at, ['value', 'low', 'high']])} |"
            for at in (9, 24, 49, 74, 89, 94, 98)
        ),
        "",
        '"Nothing here is close" is said of',
        "",
        "| in the whole catalogue | " + " | ".join(said) + " |",
        "|---" * (1 + len(said)) + "|",
        "| "
        + " | ".join(text(interval(one, artists, chosen)) for one in alone.astype(float).T)
        + " |",
        "",
        f"![Reliability]({name}.png)",
        "",
        f"{len(fits.tracks)} recordings, digest {fits.code[:8]} of the code.",
        "",
    ]
    with written_aside(project.root / "benchmarks" / f"{name}.png") as aside:
        reliability_figure(table).savefig(aside, dpi=110)
    publish(project.root, name, lines)


if __name__ == "__main__":
    main()
