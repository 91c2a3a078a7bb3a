"""How good the lists are over the whole catalogue: artist-disjoint folds, pooled.

    python benchmarks/folds.py

Works on the catalogue in `data/` after `make repro`, beside the systems under `evaluate.compare`,
and resumes where it was interrupted. The folds are over all artists, from a seed that no choice
was made with. Writes `benchmarks/FOLDS.md`.
"""

from pathlib import Path

import numpy as np
import yaml
from fits import Fits, interval, ours, parts, scored, sides_of, table, text

from simlib import evaluate as ev
from simlib.artefacts import project_root, written_aside
from simlib.features import DESCRIPTOR_GROUPS
from simlib.settings import EvaluateSettings, TrainSettings

FOLDS = {"folds": 5, "seed": 2026}


def others(fits, learning, held):
    """The hand-picked features, and the files under `evaluate.compare`."""
    scaled = ev.standardised(fits.descriptors[held], fits.descriptors[learning], DESCRIPTOR_GROUPS)
    found = {"mfcc": ev.cosine(scaled)}
    for name in fits.params["evaluate"]["compare"]:
        found[Path(name).stem] = ev.load_other(fits.root / name, fits.tracks[held])
    return found


def leads(scores, artists, settings):
    """Lay out simlib's paired lead over every other system, as Markdown."""
    measures = list(scores["simlib"])
    lines = ["| lead over | " + " | ".join(measures) + " |", "|---" * (len(measures) + 1) + "|"]
    for name, rows in scores.items():
        if name.startswith("simlib"):
            continue
        cells = [
            text(interval(scores["simlib"][m] - rows[m], artists, settings), "+") for m in measures
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def main():
    """Measure and write."""
    root = project_root()
    fits = Fits(root, yaml.safe_load((root / "params.yaml").read_text()))
    settings = TrainSettings.of(fits.params["train"])
    chosen = EvaluateSettings.of(fits.params["evaluate"])

    def similarities(learning, held):
        found = {f"simlib{k}": v for k, v in ours(fits, settings, learning, held).items()}
        return found | others(fits, learning, held)

    pairs = list(parts(fits, np.ones(len(fits.tracks), dtype=bool), **FOLDS))
    fits.all([(settings, sides_of(learning), held) for learning, held in pairs])
    scores, skews, artists = scored(fits, pairs, similarities)
    lines = [
        "# The recipe over five folds of artists",
        "",
        "`python benchmarks/folds.py`: trained on four fifths of the artists, scored on the last,"
        f" in turn; {len(artists)} recordings, nDCG@10 and P@10 with 95% intervals over artists."
        " Mildly optimistic: the recipe was chosen on the same recordings.",
        "",
        *table(scores, skews, artists, "simlib", chosen),
        "",
        *leads(scores, artists, chosen),
        "",
        f"{len(fits.tracks)} recordings, digest {fits.code[:8]} of the code.",
        "",
    ]
    with written_aside(root / "benchmarks" / "FOLDS.md") as aside:
        aside.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
