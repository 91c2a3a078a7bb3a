"""Is the right recording found by a passage of it, with the right seconds; are copies told?

    python benchmarks/passages.py [NAME]

Works on the catalogue in `data/` after `make repro`. Passages of recordings, encoded once more at
another level, are put into recordings that are left out of the search; then recordings are
re-encoded, trimmed, played at another level and speed, and asked for. Writes
`benchmarks/PASSAGES.md`, or under another name.
"""

import sys

import numpy as np
import soxr
from fits import publish

from simlib.core import Project
from simlib.features import decode, mp3
from simlib.search import Searcher

SEED = 0
TRIALS = 100
HOSTS = 20
# Seconds of a passage: short where recordings are.
LONG, SHORT, SHORT_BELOW = 10.0, 4.0, 20.0
# dB: how much louder or softer a passage is made.
LEVELS = (-9.0, 3.0)
TRIM_SECONDS = 1.5


def overlap(one, other):
    """Intersection over union of two stretches of time."""
    shared = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
    return shared / (max(one[1], other[1]) - min(one[0], other[0]))


def hidden(searcher, rate, length, rng):
    """Return, for each trial, whether the recording comes first, and the overlap on both sides."""
    tracks, data = searcher.tracks, searcher.project.data
    hosts = rng.choice(len(tracks), HOSTS, replace=False)
    there = np.setdiff1d(np.flatnonzero(tracks["seconds"] > length), hosts)
    where = [f"track_id!={tracks['track_id'].iloc[host]}" for host in hosts]
    found = []
    for row in rng.choice(there, TRIALS, replace=len(there) < TRIALS):
        samples = decode(data / tracks["path"].iloc[row], rate)
        host = decode(data / tracks["path"].iloc[rng.choice(hosts)], rate)
        start = rng.uniform(0, len(samples) / rate - length)
        first = round(start * rate)
        excerpt = samples[first : first + round(length * rate)]
        excerpt = mp3(excerpt * 10 ** (rng.uniform(*LEVELS) / 20), rate, rng)
        at = rng.uniform(0, len(host) / rate)
        cut = round(at * rate)
        asked = np.concatenate([host[:cut], excerpt, host[cut:]])
        best = searcher.query((asked, rate), 1, where=where).iloc[0]
        found.append((
            best["track_id"] == tracks["track_id"].iloc[row],
            overlap((best["query_start"], best["query_end"]), (at, at + length)),
            overlap((best["start"], best["end"]), (start, start + length)),
        ))  # fmt: skip
    return np.array(found, dtype=float)


def matches(searcher, rate, rng):
    """Return {what was done: shares of copies flagged}, and the share of other pairs flagged."""

    def sped(samples, factor):
        return soxr.resample(samples, rate, round(rate / factor))

    trim = round(TRIM_SECONDS * rate)
    ways = {
        "encoded as MP3 at 32 kbit/s": lambda x: mp3(x, rate, rng),
        "12 dB softer": lambda x: x / 4,
        f"{TRIM_SECONDS} s off either end": lambda x: x[trim:-trim],
        "1% faster": lambda x: sped(x, 1.01), "1% slower": lambda x: sped(x, 0.99),
        "2% faster": lambda x: sped(x, 1.02), "2% slower": lambda x: sped(x, 0.98),
    }  # fmt: skip
    tracks, artists = searcher.tracks, searcher.index.artists
    flagged, wrong, pairs = {name: [] for name in ways}, 0, 0
    for row in rng.choice(len(tracks), min(TRIALS, len(tracks)), replace=False):
        samples = decode(searcher.project.data / tracks["path"].iloc[row], rate)
        for name, change in ways.items():
            found = searcher.query((change(samples), rate), 20)
            found = found[found["near_duplicate"]]
            right = found["track_id"] == tracks["track_id"].iloc[row]
            flagged[name].append(right.any())
            others = searcher.tracks["track_id"].isin(found["track_id"]) & (artists != artists[row])
            wrong, pairs = wrong + int(others.sum()), pairs + int((artists != artists[row]).sum())
    return {name: float(np.mean(values)) for name, values in flagged.items()}, wrong, pairs


def main():
    """Measure and write."""
    project = Project.find()
    name = sys.argv[1] if len(sys.argv) > 1 else "PASSAGES"
    searcher, rng = Searcher(project.root), np.random.default_rng(SEED)
    rate = searcher.model.front_end.sample_rate
    length = SHORT if searcher.tracks["seconds"].median() < SHORT_BELOW else LONG
    found = hidden(searcher, rate, length, rng)
    both = (found[:, 0] > 0) & (found[:, 1:].min(axis=1) >= 0.5)
    flagged, wrong, pairs = matches(searcher, rate, rng)
    lines = [
        "# Passages and copies",
        "",
        f"`python benchmarks/passages.py {name}`, on {len(searcher.tracks)} recordings.",
        "",
        f"{TRIALS} passages of {length:g} s, encoded as MP3 at 32 kbit/s at another level and put"
        f" into {HOSTS} recordings that are not searched: the right recording comes first in"
        f" {found[:, 0].mean():.0%}; first, and with an overlap of at least half on both sides, in"
        f" **{both.mean():.0%}**. Median overlap {np.median(found[:, 1]):.2f} in the query and"
        f" {np.median(found[:, 2]):.2f} in the result.",
        "",
        f"| of {min(TRIALS, len(searcher.tracks))} recordings | flagged as near-duplicates |",
        "|---|---|",
        *(f"| {way} | {share:.0%} |" for way, share in flagged.items()),
        "",
        f"Of {pairs} pairs with recordings by other artists, {wrong} were flagged.",
        "",
    ]
    publish(project.root, name, lines)


if __name__ == "__main__":
    main()
