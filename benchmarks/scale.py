"""What each step costs in a catalogue of 1,000, 10,000 and 100,000 tracks.

    make bench-scale                       # or: python benchmarks/scale.py 1000 10000

Works on the index of the project after `make repro`, and writes `benchmarks/SCALE.md`. Copies of
its tracks would find each other, and random vectors have no neighbours. So a made-up track takes
each part of its embedding from real tracks that are near one real track, mixes two of them, and
adds noise with the variation of that part. How near its neighbours are, and how many dimensions the
space seems to have, stands beside the figures of the real catalogue.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import faiss
import numpy as np
import pandas as pd
from bench import machine
from fits import publish

from simlib.core import Project
from simlib.index import Fingerprints, Index, IndexOrigin, build_table, calibrate
from simlib.relevance import SplitSettings, artist_keys, split_artists
from simlib.search import Searcher

SIZES = (1000, 10_000, 100_000)
# Real tracks near another one that a made-up track mixes, and the noise, in deviations of a part.
NEAR, NOISE = 10, 0.35
# Tracks that are added at once, and searches whose median counts.
ADDED, SEARCHES = 10, 21
# Nearest neighbours that the dimension of the space is estimated from.
DIMENSION_NEIGHBOURS = 20


def made_up(real, aspects, count, seed):
    """Make up embeddings: float32, shape (count, dimensions), and the real row near each."""
    rng = np.random.default_rng(seed)
    near = np.argsort(-(real @ real.T), axis=1)[:, :NEAR]
    anchors = rng.integers(0, len(real), count)
    found = np.empty((count, real.shape[1]), dtype=np.float32)
    for span in aspects.spans.values():
        part = real[:, span]
        one, other = (part[near[anchors, rng.integers(0, NEAR, count)]] for _ in range(2))
        share = rng.uniform(0, 1, (count, 1)).astype(np.float32)
        weights = rng.standard_normal((count, len(real)), dtype=np.float32)
        noise = weights @ (part - part.mean(axis=0)) / np.sqrt(len(real))
        mixed = share * one + (1 - share) * other + NOISE * noise
        length = np.linalg.norm(part, axis=1).mean()
        found[:, span] = length * mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return found, anchors


def space(vectors, seed=0):
    """Describe where neighbours lie: cosines to the 1st, 10th and 50th, and the dimension.

    The dimension is the maximum likelihood estimate of Levina and Bickel (2004).
    """
    rng = np.random.default_rng(seed)
    some = rng.choice(len(vectors), min(500, len(vectors)), replace=False)
    cosines = vectors[some] @ vectors.T
    cosines[np.arange(len(some)), some] = -2
    nearest = -np.sort(-cosines, axis=1)[:, :50]
    distances = np.sqrt(np.maximum(2 - 2 * nearest[:, :DIMENSION_NEIGHBOURS], 1e-12))
    dimensions = 1 / np.log(distances[:, -1:] / distances[:, :-1]).mean(axis=1)
    cosines = {f"cosine to neighbour {n}": float(nearest[:, n - 1].mean()) for n in (1, 10, 50)}
    return cosines | {"dimension": float(np.median(dimensions))}


def made_up_index(real, count):
    """Make an index up, after a real one."""
    rng = np.random.default_rng(1)
    vectors, anchors = made_up(real.vectors(), real.aspects, count, 0)
    tracks = real.tracks.iloc[anchors].reset_index(drop=True)
    tracks["track_id"] = [f"made-up-{row:06d}" for row in range(count)]
    tracks["artist"] = [f"artist {row // 2}" for row in range(count)]
    segments, rows, fingerprints = [], [], []
    known = [real.segments_of(row) for row in range(len(real.tracks))]
    for row, anchor in enumerate(anchors):
        embedded, starts = known[anchor]
        moved = embedded + 0.05 * rng.standard_normal(embedded.shape, dtype=np.float32)
        segments.append(moved / np.linalg.norm(moved, axis=1, keepdims=True))
        rows.append(pd.DataFrame({"track": row, "start": starts}))
        # Another recording with the same statistics: frames and bands in another order.
        frames = real.fingerprints.of(anchor)
        order = rng.permutation(len(frames)), rng.permutation(frames.shape[1])
        fingerprints.append(frames[np.ix_(*order)])
    return Index(
        tracks, pd.concat(rows, ignore_index=True), flat(vectors), flat(np.concatenate(segments)),
        Fingerprints.of_all(fingerprints, real.fingerprints.rate, real.settings.fingerprints),
        IndexOrigin(real.origin.model_digest, real.aspects, real.settings),
    )  # fmt: skip


def flat(vectors):
    """Put vectors into an exact index."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    return index


def timed(call):
    """Call; return what it returned and the seconds that it took."""
    start = time.perf_counter()
    found = call()
    return found, time.perf_counter() - start


def median(call, values):
    """Return the median of the seconds that calls take, one for each value."""
    return float(np.median([timed(lambda value=value: call(value))[1] for value in values]))


def peak():
    """Return the most memory that this process has used, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def build(project, folder, count):
    """Make an index of a size, save it as that of a project in a folder, and time the steps."""
    real = Index.load(project.index, Searcher(project.root).model.digest)
    index = made_up_index(real, count)
    found = {"space": space(index.weighted())}
    index.neighbours, found["table of neighbours from nothing"] = timed(index.find_neighbours)
    vectors, tracks = index.vectors(), index.tracks

    def table(rows, before):
        ids, artists = tracks["track_id"][rows], artist_keys(tracks)[rows]
        return build_table(vectors[rows], real.aspects, ids, artists, before)

    fewer, seconds = timed(lambda: table(slice(-ADDED), index.neighbours))
    found[f"table of neighbours, {ADDED} tracks removed"] = seconds
    _, found[f"table of neighbours, {ADDED} tracks added"] = timed(
        lambda: table(slice(None), fewer)
    )
    splits = split_artists(index.tracks, SplitSettings.of(project.params()["split"]))
    scale, found["calibration"] = timed(lambda: calibrate(index, splits))
    other = folder / "index"
    _, found["index written"] = timed(lambda: (index.save(other), scale.save(other)))
    return found | {"GB": peak()}


def search(project, folder):
    """Time searches in the project in a folder."""
    searcher, load = timed(lambda: Searcher(folder))
    found = {"load": load}
    ids = searcher.tracks["track_id"].tolist()
    ids = ids[:: max(1, len(ids) // SEARCHES)][:SEARCHES]
    _, found["first query by id"] = timed(lambda: searcher.query(ids[0]))
    found["later query by id"] = median(lambda one: searcher.query(one), ids)
    name = list(searcher.index.weights)[-1]
    found["first query under other weights"] = median(
        lambda weight: searcher.query(ids[0], weights={name: weight}), (0.5, 1.0, 2.0)
    )
    path = next((project.data / "audio").rglob("*.*"))
    searcher.query(path)
    found["query by a file"] = median(lambda _: searcher.query(path), range(3))
    _, found["radio of 20"] = timed(lambda: searcher.radio(ids[0]))
    return found | {"GB": peak()}


def measured(project, count):
    """Measure a size: each phase in a process of its own, so that each has its own peak."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("params.yaml", "models", "data", "features", "dvc.yaml"):
            (Path(folder) / name).symlink_to(project.root / name)
        found = {}
        for phase in ("build", "search"):
            command = [sys.executable, __file__, phase, str(count), folder]
            made = subprocess.run(command, cwd=project.root, check=True, stdout=subprocess.PIPE)
            found[phase] = json.loads(made.stdout.splitlines()[-1])
        return found


def growth(sizes, values):
    """Return the exponent of growth between the two largest sizes."""
    return np.log(values[-1] / values[-2]) / np.log(sizes[-1] / sizes[-2])


def lines_of(found, real):
    """Lay the figures out as Markdown."""
    sizes = list(found)
    head = ["step", *(f"{size:,} tracks" for size in sizes), "exponent"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for phase in ("build", "search"):
        for step in found[sizes[0]][phase]:
            if step == "space":
                continue
            values = [found[size][phase][step] for size in sizes]
            unit = "" if step == "GB" else " s"
            name = f"memory while {'building' if phase == 'build' else 'searching'}, GB"
            cells = [name if step == "GB" else step, *(f"{value:.3g}{unit}" for value in values)]
            cells.append(f"{growth(sizes, values):.2f}" if len(values) > 1 else "")
            lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "| space | real | " + " | ".join(f"{size:,}" for size in sizes) + " |"]
    lines.append("|---" * (len(sizes) + 2) + "|")
    for name, value in real.items():
        cells = [f"{value:.2f}", *(f"{found[size]['build']['space'][name]:.2f}" for size in sizes)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def main():
    """Measure all sizes and write."""
    project = Project.find()
    if sys.argv[1:2] == ["build"]:
        print(json.dumps(build(project, Path(sys.argv[3]), int(sys.argv[2]))))
        return
    if sys.argv[1:2] == ["search"]:
        print(json.dumps(search(project, Path(sys.argv[3]))))
        return
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    index = Searcher(project.root).index
    found = {size: measured(project, size) for size in sizes}
    publish(project.root, "SCALE", [
        "# Large catalogues",
        "",
        f"`make bench-scale`, on {machine()}. Tracks are made up from the {len(index.tracks)} of"
        " the project's index: each part of an embedding mixes real tracks that are near one real"
        " track, with noise. The exponent is that from the second largest size to the largest: 1 is"
        " linear, 2 quadratic. The table of neighbours from nothing compares all pairs.",
        "",
        *lines_of(found, space(index.weighted())),
    ])  # fmt: skip


if __name__ == "__main__":
    main()
