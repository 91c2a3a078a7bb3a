"""What small catalogues gain by the pretrained weights: as they are, tuned, or not at all.

    python benchmarks/few.py

Works on the catalogue in `data/` after `make repro`, and resumes where it was interrupted. Artists
are dealt out in three, several times over: of those the weights are pretrained on; of a small
catalogue, with and without its tags; and of the test. Writes `benchmarks/FEW.md` and `FEW.png`.
"""

import hashlib

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from fits import Fits, interval, mean_ndcg, publish, splits_of, text

from simlib.core import Project, cosine, written_aside
from simlib.evaluation import EvaluateSettings, Evaluation, standardised
from simlib.features import DESCRIPTOR_GROUPS
from simlib.index import hub_corrected
from simlib.training import TrainSettings

SEED = 7
DEALS = 2
SIZES = (25, 50, 150)
# Of the artists; whoever is left is pretrained on.
TEST, SMALL = 0.25, 0.3
# Of a small catalogue's artists, to choose the best weights by.
VALIDATION = 0.15
WAYS = ("as it is", "tuned", "from scratch")


def draw(artists, purpose):
    """Draw a number in [0, 1) for every artist."""
    draws = [hashlib.sha256(f"{purpose}:{SEED}:{artist}".encode()).digest() for artist in artists]
    return np.array([int.from_bytes(draw[:8], "big") / 2**64 for draw in draws])


def deal(artists, number):
    """Deal artists out; return (pretrained on, {size: sides of a small catalogue}, test)."""
    # Test artists of one deal are those of no other.
    place = (draw(artists, "deal") - number * TEST) % 1.0
    test, small = place < TEST, (place >= TEST) & (place < TEST + SMALL)
    catalogues = {}
    order = np.argsort(np.where(small, place, 2.0), kind="stable")
    for size in SIZES:
        splits = np.full(len(artists), "test", dtype=object)
        mine = order[: min(size, small.sum())]
        learns = draw(artists[mine], "side") >= VALIDATION
        splits[mine] = np.where(learns, "train", "validation")
        catalogues[size] = splits
    return splits_of(~test & ~small), catalogues, test


def measured(fits, settings):
    """Return one row for each deal, size, way and kind of catalogue, and queries' mean nDCG."""
    deals = [deal(fits.artists, number) for number in range(DEALS)]
    shipped = [(settings, splits) for splits, _, _ in deals]
    fits.all([(*begun, test) for begun, (_, _, test) in zip(shipped, deals, strict=True)])
    fits.all([
        (settings, splits, test, tags, start)
        for begun, (_, catalogues, test) in zip(shipped, deals, strict=True)
        for splits in reversed(catalogues.values())
        for tags in (True, False)
        for start in (begun, None)
    ])  # fmt: skip
    chosen = EvaluateSettings.of(fits.params["evaluate"])
    found, artists = {}, []
    for begun, (pretrained_on, catalogues, test) in zip(shipped, deals, strict=True):
        evaluation = Evaluation(fits.tracks[test], fits.columns, chosen)
        artists.append(evaluation.artists)

        def score(vectors, evaluation=evaluation):
            similarity = hub_corrected(vectors, evaluation.artists, fits.hubs)
            return mean_ndcg(evaluation.scores(evaluation.rank(similarity)))

        scaled = standardised(
            fits.descriptors[test], fits.descriptors[pretrained_on == "train"], DESCRIPTOR_GROUPS
        )
        found.setdefault("hand-crafted features", []).append(
            mean_ndcg(evaluation.scores(evaluation.rank(cosine(scaled))))
        )
        found.setdefault("as it is", []).append(score(fits.embed(*begun, test)))
        for size, splits in catalogues.items():
            for tags in (True, False):
                for way, start in (("tuned", begun), ("from scratch", None)):
                    values = score(fits.embed(settings, splits, test, tags, start))
                    found.setdefault((way, tags, size), []).append(values)
    return {k: np.concatenate(v) for k, v in found.items()}, np.concatenate(artists)


def figure(rows, path):
    """Draw means and intervals over the size of the catalogue."""
    table = pd.DataFrame(rows)
    sns.set_theme(style="whitegrid")
    chart, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True, layout="constrained")
    for axis, tags in zip(axes, (True, False), strict=True):
        for shift, way in enumerate(WAYS):
            one = table[(table["way"] == way) & (table["tags"] == tags)]
            at = np.arange(len(SIZES)) + 0.08 * (shift - 1)
            reach = np.abs(one[["low", "high"]].to_numpy().T - one["value"].to_numpy())
            axis.errorbar(at, one["value"], yerr=reach, marker="o", capsize=3, label=way)
        axis.set_xticks(range(len(SIZES)), SIZES)
        axis.set_xlabel("recordings in the catalogue")
        axis.set_title("with tags" if tags else "without tags")
    axes[0].set_ylabel("mean nDCG@10, new artists")
    named = axes[0].get_legend_handles_labels()
    chart.legend(*named, title="pretrained weights", loc="outside right center")
    with written_aside(path) as aside:
        chart.savefig(aside, dpi=110)


def main():
    """Measure, draw and write."""
    project = Project.find()
    fits = Fits(project, project.params())
    chosen = EvaluateSettings.of(fits.params["evaluate"])
    settings = TrainSettings.of(fits.params["train"])
    scores, artists = measured(fits, settings)
    rows, lines = [], []
    for tags in (True, False):
        for size in SIZES:
            cells = []
            for way in WAYS:
                values = scores[way] if way == "as it is" else scores[way, tags, size]
                rows.append({"way": way, "tags": tags, "size": size})
                rows[-1] |= interval(values, artists, chosen)
                lead = interval(values - scores["as it is"], artists, chosen)
                cells += [text(rows[-1])] + [text(lead, "+")] * (way != "as it is")
            kind = "with tags" if tags else "without tags"
            lines.append(f"| {size} {kind} | " + " | ".join(cells) + " |")
    head = ["as it is", "tuned", "lead over as it is", "from scratch", "lead over as it is"]
    lines = [
        "# Small catalogues",
        "",
        f"`python benchmarks/few.py`: {len(artists)} recordings of artists that nothing learned"
        f" from, in {DEALS} deals; nDCG@10, mean over {', '.join(fits.columns)}, with 95%"
        " intervals over artists. The weights were pretrained for this on other artists than"
        " both the small catalogue's and the test's.",
        "",
        "| catalogue | " + " | ".join(head) + " |",
        "|---" * (len(head) + 1) + "|",
        *lines,
        "",
        "The hand-crafted features, learning nothing, reach"
        f" {text(interval(scores['hand-crafted features'], artists, chosen))}.",
        "",
        "The winner is the default: `make repro` tunes the weights if there are at least"
        f" {settings.fewest_validation} validation recordings, and keeps them otherwise.",
        "",
        "![Small catalogues](FEW.png)",
        "",
    ]
    figure(rows, project.root / "benchmarks" / "FEW.png")
    publish(project.root, "FEW", lines)


if __name__ == "__main__":
    main()
