"""Automatic tags beside the catalogue's own: precision, recall, and what chance would give.

    python benchmarks/auto_tags.py [NAME]
    python benchmarks/auto_tags.py --thresholds

Works on the features of the catalogue in `data/` (after `dvc repro extract`). An automatic tag is
right if the recording carries one of the tags that `MEANS` maps it to, in any column. The study
also compares rules for thresholds, and ways to rank by several words. Writes
`benchmarks/AUTO_TAGS.md`, or under another NAME. With `--thresholds` it writes
`simlib/index/auto_tags.yaml` anew instead; that is done on the catalogue that the weights in
`pretrained/` learned from.
"""

import sys
from itertools import combinations

import numpy as np
import pandas as pd
import yaml
from fits import interval, publish, text

from simlib.core import Project, written_aside
from simlib.evaluation import EvaluateSettings
from simlib.features import SHIPPED, FeatureStore, load_card
from simlib.index import tag_probabilities, tag_scores
from simlib.relevance import artist_keys, tag_columns, tag_sets
from simlib.search import standardised

SHARE = 0.9
# Combinations of words with fewer right recordings say nothing.
FEWEST_RIGHT = 8
K = 10
ROCK = ["pop/rock", "rock"]
ELECTRONIC = ["electronic", "house", "synthesizer"]
SOFT = ["mellow", "laid-back", "relaxed", "soothing", "calm", "peaceful", "gentle", "soft", "quiet"]
# What each automatic tag means among the tags of the shared catalogue and of the demo.
MEANS = {
    **dict.fromkeys(
        ["rock", "alternative", "indie", "alternative rock", "metal", "classic rock", "indie rock",
         "punk", "hard rock", "heavy metal", "progressive rock", "indie pop", "pop"], ROCK,
    ),
    **dict.fromkeys(["electronic", "electronica", "electro", "dance", "house"], ELECTRONIC),
    "jazz": ["jazz"], "blues": ["blues"], "country": ["country"], "folk": ["folk"],
    "hip-hop": ["rap"], "soul": ["r&b"], "rnb": ["r&b"], "funk": ["r&b", "funk"],
    "easy listening": ["easy listening", "vocal"], "oldies": ["easy listening", "vocal"],
    "experimental": ["avant-garde"],
    "ambient": ["new age", "ambient", "atmospheric", "ethereal", "dreamy"],
    "mellow": SOFT, "chillout": SOFT, "sad": ["sad"], "happy": ["happy", "joyous", "cheerful"],
    "sexy": ["sexy", "sexual", "sensual"],
    "party": ["fun", "celebratory", "exuberant", "exciting", "rowdy", "boisterous", "energetic"],
    "beautiful": ["delicate", "elegant", "gentle", "refined", "lush", "sweet"],
    "acoustic": ["organic", "intimate", "pastoral", "earthy", "rustic", "acoustic guitar"],
    "guitar": ["electric guitar", "acoustic guitar"],
    "female vocalists": ["voice"], "male vocalists": ["voice"],
}  # fmt: skip


def probabilities(store):
    """Return {backbone: the mean probabilities of its tags, a column a tag}."""
    rows = {name: [] for name in SHIPPED}
    for _, track in store.tracks().iterrows():
        backbones = store.features(track).backbones
        for name in SHIPPED:
            card = load_card(name)
            activations = backbones[name][:, card.columns("tags")]
            rows[name].append(tag_probabilities(card.tags, activations))
    return {name: pd.DataFrame(found) for name, found in rows.items()}


def write_thresholds(store, path):
    """Write the thresholds anew, and keep the rest of the file."""
    lines = path.read_text(encoding="utf-8").split("thresholds:\n")[0] + "thresholds:\n"
    for name, table in probabilities(store).items():
        least = {tag: float(f"{one:.4g}") for tag, one in table.quantile(SHARE).items()}
        lines += f"  {name}:\n" + "".join(
            f"    {line}\n" for line in yaml.safe_dump(least, sort_keys=False).splitlines()
        )
    with written_aside(path) as aside:
        aside.write_text(lines, encoding="utf-8")


def relevant(tracks):
    """Return which recordings carry a tag that an automatic tag means: bool, a column a tag."""
    columns = [tag_sets(tracks[column]) for column in tag_columns(tracks)]
    own = [frozenset().union(*sets) for sets in zip(*columns, strict=True)]
    right = pd.DataFrame({tag: [bool(one & set(means)) for one in own]
                          for tag, means in MEANS.items()})  # fmt: skip
    return right.loc[:, right.any() & ~right.all()]


def rule_table(found, right):
    """Compare rules for thresholds, all made on this catalogue, as Markdown."""
    chance = right.mean()
    mean = sum(found.values()) / len(found)
    ratios = {q: sum(one / one.quantile(q) for one in found.values()) / len(found)
              for q in (0.8, 0.85, 0.9, 0.95)}  # fmt: skip
    rules = {f"higher than {q:.0%} of the recordings": ratio >= 1 for q, ratio in ratios.items()}
    rules |= {f"{x} times the median": mean >= x * mean.median() for x in (3, 4, 6)}
    rules |= {f"{x} times the mean": mean >= x * mean.mean() for x in (1.5, 2, 3)}
    rules |= {f"probability of {x}": mean >= x for x in (0.05, 0.1, 0.2)}
    lines = [
        "| rule | precision | lift | recall | tags a recording | without a tag |",
        "|---|---|---|---|---|---|",
    ]
    for rule, carried in rules.items():
        both = (carried[right.columns] & right).sum()
        precision = (both / carried[right.columns].sum()).fillna(chance)
        lift = np.exp(np.log((precision / chance).clip(lower=0.1)).mean())
        numbers = carried.sum(axis=1)
        lines.append(
            f"| {rule} | {precision.mean():.3f} | {lift:.2f} | {(both / right.sum()).mean():.3f}"
            f" | {numbers.mean():.1f} | {(numbers == 0).mean():.0%} |"
        )
    return lines


def tag_table(scores, right, artists, settings):
    """Lay out precision, base rate and recall of each automatic tag as Markdown."""
    lines = [
        "| automatic tag | own tags that it means | recordings | precision | base rate | recall |",
        "|---|---|---|---|---|---|",
    ]
    for tag in right:
        carried, hits = scores[tag].to_numpy() >= 1, right[tag].to_numpy(dtype=float)
        cells = [
            text(interval(np.where(counts, values, np.nan), artists, settings))
            for counts, values in (
                (carried, hits), (np.ones_like(carried), hits), (hits == 1, carried.astype(float))
            )
        ]  # fmt: skip
        lines.append(
            f"| {tag} | {', '.join(MEANS[tag])} | {carried.sum()} | " + " | ".join(cells) + " |"
        )
    return lines


def word_table(scores, right):
    """Compare ways to rank by one, two and three words, by P@10 as Markdown."""
    log = np.log(scores.clip(lower=1e-3))
    ranks = scores.rank(pct=True)
    noise = np.random.default_rng(0).random(scores.shape)
    ways = {
        "mean of standardised logarithms": log.apply(standardised), "mean of logarithms": log,
        "mean of percentiles": ranks, "mean of logarithms of percentiles": np.log(ranks),
        "mean of probabilities by thresholds": scores,
        "random": pd.DataFrame(noise, columns=scores.columns),
    }  # fmt: skip
    sets, counts = [], []
    for size in (1, 2, 3):
        usable = [
            list(some) for some in combinations(right, size)
            if not any(set(MEANS[a]) & set(MEANS[b]) for a, b in combinations(some, 2))
            and right[list(some)].all(axis=1).sum() >= FEWEST_RIGHT
        ]  # fmt: skip
        sets.append(usable)
        counts.append(f"{size} word(s): {len(usable)} queries")
    lines = ["| way | " + " | ".join(counts) + " |", "|---" * (len(counts) + 1) + "|"]
    for way, values in ways.items():
        cells = []
        for usable in sets:
            found = [_precision(values[some], right[some]) for some in usable]
            cells.append(f"{np.mean(found):.3f}" if found else "")
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    return lines


def _precision(values, right):
    order = np.argsort(-values.mean(axis=1).to_numpy(), kind="stable")[:K]
    return right.all(axis=1).to_numpy()[order].mean()


def main():
    """Measure and write, or write the thresholds."""
    project = Project.find()
    store = FeatureStore(project.features)
    if "--thresholds" in sys.argv:
        write_thresholds(store, project.root / "simlib" / "index" / "auto_tags.yaml")
        return
    name = sys.argv[1] if len(sys.argv) > 1 else "AUTO_TAGS"
    settings = EvaluateSettings.of(project.params()["evaluate"])
    tracks = store.tracks()
    right, artists = relevant(tracks), artist_keys(tracks)
    scores = pd.DataFrame([tag_scores(store.features(track)) for _, track in tracks.iterrows()])
    carried = (scores >= 1).sum(axis=1)
    lines = [
        "# Automatic tags",
        "",
        f"`python benchmarks/auto_tags.py{'' if name == 'AUTO_TAGS' else ' ' + name}`:"
        f" {len(tracks)} recordings, which carry {carried.mean():.1f} automatic tags on average;"
        f" {(carried == 0).mean():.0%} carry none. 95% intervals over artists. An automatic tag is"
        " right if the recording carries one of the own tags in the second column. Own tags are"
        " incomplete, so precision is a lower bound.",
        "",
        *tag_table(scores, right, artists, settings),
        "",
        "## Rules for thresholds",
        "",
        "Each rule with thresholds made on this catalogue; means over the tags above, of the ratio"
        " of precision to base rate (lift) the geometric one. The published thresholds are those of"
        f" 'higher than {SHARE:.0%} of the recordings' on the catalogue that the weights in"
        " `pretrained/` learned from. No own tag is used for a threshold, but the rule was chosen"
        " by this table on that catalogue.",
        "",
        *rule_table(probabilities(store), right),
        "",
        "## Ranking by words",
        "",
        f"P@{K} of lists by combinations of the tags above, no two of them with an own tag in"
        f" common. Right is a recording that carries all; combinations with fewer than"
        f" {FEWEST_RIGHT} right recordings are left out. Search uses the first way.",
        "",
        *word_table(scores, right),
        "",
    ]
    publish(project.root, name, lines)


if __name__ == "__main__":
    main()
