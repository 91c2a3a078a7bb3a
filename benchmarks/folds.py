"""How good the lists are over the whole catalogue: artist-disjoint folds, pooled.

    python benchmarks/folds.py [FOLDS]

Works on the catalogue in `data/` after `make repro`, beside the systems under `compare_systems`,
and resumes where it was interrupted. The folds are over all artists, from seeds that no choice
was made with. Writes `benchmarks/FOLDS.md` and `FOLDS.png`, or under another name.
"""

import sys

import numpy as np
from fits import Fits, fold_masks, interval, leads, ours, publish, scored, splits_of, table, text

from simlib.core import Project, cosine, written_aside
from simlib.evaluation import (
    EvaluateSettings,
    Evaluation,
    aspect_gain_table,
    aspect_gains,
    load_comparison,
    standardised,
)
from simlib.features import DESCRIPTOR_GROUPS, compute_tempogram
from simlib.relevance import complete_bpm, known_bpm
from simlib.reporting import aspect_matrix
from simlib.training import TrainSettings

FOLDS = 5
# The folds are drawn twice: each recording is a query of two networks, and among others.
SEEDS = (2026, 2027)


def others(fits, learning, held):
    """The hand-crafted features, and the systems in `comparisons/`."""
    scaled = standardised(fits.descriptors[held], fits.descriptors[learning], DESCRIPTOR_GROUPS)
    found = {"mfcc": cosine(scaled)}
    found |= {name: fits.alone(name, learning, held) for name in fits.params["train"]["backbones"]}
    for path in sorted(fits.project.comparisons.glob("*.npz")):
        found[path.stem] = load_comparison(path, fits.tracks[held])
    return found


def by_recording(values, pairs):
    """Bring what was found fold by fold into the order of the catalogue."""
    order = np.concatenate([np.flatnonzero(held) for _, held in pairs])
    return np.asarray(values)[np.argsort(order)]


def mean(drawings):
    """Average what several drawings found, {name: values} or deeper, by recording."""
    first, *_ = drawings
    if isinstance(first, dict):
        return {name: mean([one[name] for one in drawings]) for name in first}
    # Where a recording has nothing to find among those of its fold, the other drawing counts.
    known = np.isfinite(drawings).sum(axis=0)
    total = np.nansum(drawings, axis=0)
    return np.divide(total, known, out=np.full(len(known), np.nan), where=known > 0)


def turned(fits, settings, pairs, chosen):
    """Score with each part turned up and with none, by recording; see `simlib.turning`."""
    pooled = {}, {}
    log_mels = [fits.store.log_mel(key) for key in fits.tracks["log_mel"]]
    front_end = fits.model(settings, splits_of(pairs[0][0])).front_end
    tempograms = [compute_tempogram(log_mel, front_end) for log_mel in log_mels]
    bpm = complete_bpm(known_bpm(fits.tracks), tempograms, front_end)
    for learning, held in pairs:
        aspects = fits.model(settings, splits_of(learning)).aspects
        vectors = fits.embed(settings, splits_of(learning), held)
        evaluation = Evaluation(fits.tracks[held], fits.columns, chosen)
        found = aspect_gains(vectors, aspects, aspects.default, evaluation, bpm[held], fits.hubs)
        for kept, one in zip(pooled, found, strict=True):
            for name, values in one.items():
                kept.setdefault(name, []).append(values)
    return [
        {name: by_recording(np.concatenate(values), pairs) for name, values in kept.items()}
        for kept in pooled
    ]


def matrix(table):
    """Lay that out as Markdown."""
    measured = list(dict.fromkeys(table["measured"]))
    lines = ["| turned up | " + " | ".join(measured) + " |", "|---" * (len(measured) + 1) + "|"]
    for subspace, rows in table.groupby("turned up", sort=False):
        by_measure = rows.set_index("measured").loc[measured]
        cells = [text(row, "+") for row in by_measure.to_dict("records")]
        lines.append(f"| {subspace} | " + " | ".join(cells) + " |")
    return lines


def main():
    """Measure and write."""
    project = Project.find()
    name = sys.argv[1] if len(sys.argv) > 1 else "FOLDS"
    fits = Fits(project, project.params())
    settings = TrainSettings.of(fits.params["train"])
    chosen = EvaluateSettings.of(fits.params["evaluate"])

    def similarities(learning, held):
        found = {f"simlib{k}": v for k, v in ours(fits, settings, learning, held).items()}
        return found | others(fits, learning, held)

    everybody = np.ones(len(fits.tracks), dtype=bool)
    drawings = [list(fold_masks(fits, everybody, FOLDS, seed)) for seed in SEEDS]
    fits.all([
        (settings, splits_of(learning), held) for pairs in drawings for learning, held in pairs
    ])  # fmt: skip
    scores, skews, before, gained = [], {}, [], []
    for pairs in drawings:
        found, hubs, _ = scored(fits, pairs, similarities)
        scores.append({
            system: {measure: by_recording(values, pairs) for measure, values in measures.items()}
            for system, measures in found.items()
        })  # fmt: skip
        for system, values in hubs.items():
            skews.setdefault(system, []).extend(values)
        for kept, one in zip((before, gained), turned(fits, settings, pairs, chosen), strict=True):
            kept.append(one)
    scores, artists = mean(scores), fits.artists
    aspects = aspect_gain_table(
        mean(before), mean(gained), lambda values: interval(values, artists, chosen)
    )
    lines = [
        "# The recipe over five folds of artists",
        "",
        f"`python benchmarks/folds.py {name}`: trained on four fifths of the artists, scored on the"
        f" last, in turn, by {len(SEEDS)} drawings of the folds; {len(artists)} recordings, nDCG@10"
        " and P@10 with 95% intervals over artists. Mildly optimistic: the recipe was chosen on the"
        " same recordings.",
        "",
        *table(scores, skews, artists, "simlib", chosen),
        "",
        *leads(scores, artists, chosen),
        "",
        "What is gained, in nDCG@10, by turning up one part of the similarity, so that it takes"
        " half of what all others counted:",
        "",
        *matrix(aspects),
        "",
        f"![What turning an aspect up does]({name}.png)",
        "",
        f"{len(fits.tracks)} recordings, digest {fits.code[:8]} of the code.",
        "",
    ]
    with written_aside(project.root / "benchmarks" / f"{name}.png") as aside:
        aspect_matrix(aspects).savefig(aside, dpi=110)
    publish(project.root, name, lines)


if __name__ == "__main__":
    main()
