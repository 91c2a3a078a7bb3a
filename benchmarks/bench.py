"""How fast the parts are, beside what they stand on: one run, medians, ratios.

    make bench

Works on the catalogue in `data/` after `make repro`; writes `benchmarks/RESULTS.md` and
`benchmarks/results.json`. Machines are noisy: what is compared is timed in turn, A B A B, and the
ratio is the median of the pairs' ratios.
"""

import copy
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import joblib
import librosa
import numpy as np
import torch
from fits import publish

from simlib.core import Project, digest_of, written_aside
from simlib.features import (
    DESCRIPTOR_RATE,
    ExtractSettings,
    FeatureStore,
    compute_descriptor,
    compute_features,
    decode,
    decode_blocks,
    mp3_bytes,
    native_blocks,
)
from simlib.index import Index
from simlib.model import Embedder, architecture_of
from simlib.relevance import SplitSettings, split_artists
from simlib.search import Searcher
from simlib.training import Objective, SegmentBatches, TrainingData, TrainingRun, TrainSettings

RECORDINGS = 120
ROUNDS = 5
STEPS = 8
SONG_SECONDS, SONG_RATE = 240, 44100


def in_turn(*calls, rounds=ROUNDS):
    """Time calls in turn after one warm-up; return a list of seconds for each."""
    for call in calls:
        call()
    seconds = [[] for _ in calls]
    for _ in range(rounds):
        for call, times in zip(calls, seconds, strict=True):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    return seconds


def ratio(first, second):
    """Median of the pairwise ratios first / second."""
    return statistics.median(a / b for a, b in zip(first, second, strict=True))


def decode_alone(path):
    """Decode and throw away; what every reader of this file must do."""
    return sum(len(block) for block, _ in native_blocks(path))


def store_log_mel(path, target, settings):
    """Decode a recording and write its log-mel spectrogram."""
    np.save(target, compute_features(path, settings, kinds=["log_mel"])["log_mel"])


def plain_loop(paths, settings):
    """What a newcomer writes: librosa.load and melspectrogram, one file after the other."""
    for path in paths:
        samples, rate = librosa.load(path, sr=settings.sample_rate)
        mel = librosa.feature.melspectrogram(
            y=samples, sr=rate, n_fft=settings.n_fft, hop_length=settings.hop_length,
            n_mels=settings.n_mels,
        )  # fmt: skip
        librosa.power_to_db(mel)


def bench_extraction(paths, settings, folder):
    """Decode, log-mel and store, beside decoding alone with the same workers."""
    with joblib.Parallel(n_jobs=-1, batch_size=4) as pool:

        def each(function, *arguments):
            return lambda: pool(joblib.delayed(function)(p, *map(str, arguments)) for p in paths)

        def store():
            pool(
                joblib.delayed(store_log_mel)(p, folder / f"{i}.npy", settings)
                for i, p in enumerate(paths)
            )

        def describe():
            pool(joblib.delayed(descriptor_of)(p) for p in paths)

        decoding, storing = in_turn(each(decode_alone), store)
        (describing,) = in_turn(describe, rounds=1)
    few = paths[:20]
    with joblib.Parallel(n_jobs=-1, batch_size=4) as pool:

        def store_few():
            pool(
                joblib.delayed(store_log_mel)(p, folder / f"{i}.npy", settings)
                for i, p in enumerate(few)
            )

        loop, ours = in_turn(lambda: plain_loop(few, settings), store_few, rounds=3)
    n = len(paths)
    return [
        row("decoding alone, every core", decoding, n, "recordings/s"),
        row("decode, log-mel and store, every core", storing, n, "recordings/s",
            ("decoding alone", ratio(decoding, storing))),
        row("the same on 20 recordings", ours, len(few), "recordings/s",
            ("a plain librosa loop", ratio(loop, ours))),
        row("hand-crafted descriptor, every core", describing, n, "recordings/s"),
    ]  # fmt: skip


def descriptor_of(path):
    """Decode and describe a recording."""
    return compute_descriptor(decode_blocks(path, DESCRIPTOR_RATE))


def bench_training(store, tracks, params):
    """A training step, with its data, beside a bare forward and backward pass."""
    settings = TrainSettings.of(params["train"])
    splits = split_artists(tracks, SplitSettings.of(params["split"]))
    data = TrainingData.read(store, tracks, splits, settings.backbones)
    front_end = data.front_end
    architecture = architecture_of(settings, front_end)
    model = Embedder.untrained(front_end, settings.segment_seconds, architecture, settings.seed)
    segments = SegmentBatches(data.train.log_mels, model.frames, settings)
    objective = Objective(data.train.tracks, data.columns, settings)
    run = TrainingRun(settings, model, objective, len(segments))
    device = run.model.device
    bare = copy.deepcopy(run.encoder).train()
    shape = (segments.batch, run.model.frames, front_end.n_mels)
    batch = torch.randn(shape, device=device)

    class Steps:
        """As many batches as the bare passes make."""

        def epoch(self, number):
            for _, item in zip(range(STEPS), segments.epoch(number), strict=False):
                yield item

    def bare_steps():
        for _ in range(STEPS):
            bare.zero_grad()
            with torch.autocast(device.type, run.dtype, enabled=run.dtype != torch.float32):
                raw = bare.raw(batch)
            raw.square().sum().backward()

    ours, alone = in_turn(lambda: run.train_epoch(Steps(), lambda: None), bare_steps)
    return [
        row("bare forward and backward pass", alone, STEPS * segments.batch, "segments/s"),
        row("training step, data and loss included", ours, STEPS * segments.batch, "segments/s",
            ("a bare pass", ratio(alone, ours))),
    ]  # fmt: skip


def bench_searching(project, store, tracks, paths, params):
    """Embedding, search, and a query by file from end to end."""
    model = Embedder.load(project.weights)
    index = Index.load(project.index, model.digest)
    searcher = Searcher(project.root)
    vectors = index.vectors()
    hop = params["index"]["hop_seconds"]
    some = [store.features(row) for _, row in tracks.head(20).iterrows()]
    (embedding,) = in_turn(lambda: [model.track(features, hop) for features in some])

    def by_numpy():
        for vector in vectors[:50]:
            np.argsort(-(vectors @ vector))[:10]

    def by_faiss():
        for vector in vectors[:50]:
            index.search(vector, 10)

    exact, ours = in_turn(by_numpy, by_faiss, rounds=21)
    files = paths[:5]
    (asking,) = in_turn(lambda: [searcher.query(path) for path in files])
    ids = tracks["track_id"].head(20).tolist()
    (answering,) = in_turn(lambda: [searcher.query(track_id) for track_id in ids])
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "song.mp3"
        samples = np.concatenate([decode(path, SONG_RATE) for path in paths])
        song.write_bytes(mp3_bytes(np.resize(samples, SONG_SECONDS * SONG_RATE), SONG_RATE))
        (listening,) = in_turn(lambda: searcher.query(song))
    return [
        row("embedding", embedding, len(some), "recordings/s"),
        row("exact search by NumPy", exact, 50, "queries/s"),
        row("search, hubs corrected", ours, 50, "queries/s", ("exact search", ratio(exact, ours))),
        row("query by file, decoding included", asking, len(files), "queries/s"),
        row("query by a track of the catalogue", answering, len(ids), "queries/s"),
        row("query by an mp3 of 4 minutes", listening, 1, "queries/s"),
    ]


def bench_nothing_to_do(project):
    """`make repro` when everything is up to date."""
    command = ["make", "repro"]
    call = lambda: subprocess.run(command, cwd=project.root, check=True, capture_output=True)  # noqa: E731
    (seconds,) = in_turn(call, rounds=3)
    return [row("make repro with nothing to do", seconds, 1, "runs/s")]


def bench_others(paths):
    """Other programs that describe recordings, where they are installed."""
    rows = []
    programs = {
        "musly": lambda out: ["musly", "-a", *map(str, paths[:20]), "-c", str(out / "musly.db")],
        "essentia_streaming_extractor_music": lambda out: [
            "essentia_streaming_extractor_music", str(paths[0]), str(out / "essentia.json"),
        ],
    }  # fmt: skip
    for name, command in programs.items():
        if shutil.which(name):
            with tempfile.TemporaryDirectory() as folder:
                call = command(Path(folder))
                (seconds,) = in_turn(
                    lambda call=call: subprocess.run(call, check=True, capture_output=True),
                    rounds=1,
                )
            rows.append(row(name, seconds, 20 if name == "musly" else 1, "recordings/s"))
    return rows


def row(what, seconds, count, unit, beside=None):
    """Lay a measurement out: the median rate, and the ratio to what it stands beside."""
    entry = {"what": what, "rate": count / statistics.median(seconds), "unit": unit}
    if beside:
        entry |= {"beside": beside[0], "ratio": beside[1]}
    return entry


def machine():
    """Say what this ran on."""
    table = Path("/proc/cpuinfo")
    lines = table.read_text().splitlines() if table.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor()
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}"


def main():
    project = Project.find()
    params = project.params()
    store = FeatureStore(project.features)
    tracks = store.tracks()
    # A choice that does not lean to one folder, the same every time.
    order = sorted(tracks["path"], key=digest_of)[:RECORDINGS]
    paths = [project.data / path for path in order]
    settings = ExtractSettings.of(params["extract"])
    with tempfile.TemporaryDirectory() as folder:
        rows = bench_extraction(paths, settings, Path(folder))
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    rows += bench_training(store, tracks, params)
    rows += bench_searching(project, store, tracks, paths, params)
    rows += bench_others(paths)
    rows += bench_nothing_to_do(project)
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = float(tracks["seconds"].mean())
    about = (
        f"{len(tracks)} recordings of {seconds:.0f} s on average, {len(paths)} of them timed; "
        f"{machine()}."
    )
    memory = (
        f"Peak memory: {workers:.0f} MB in the largest extraction worker, {ours:.0f} MB in the "
        "process that trained, embedded and searched."
    )
    lines = ["# How fast the parts are", "", "Made by `make bench`. " + about, ""]
    lines += ["| what | rate | beside | ratio |", "|---|---|---|---|"]
    for entry in rows:
        digits = f"{entry['rate']:.3g}" if entry["rate"] < 100 else f"{entry['rate']:.0f}"
        beside = f"{entry['ratio']:.2f}" if "ratio" in entry else ""
        lines.append(
            f"| {entry['what']} | {digits} {entry['unit']} | {entry.get('beside', '')} | {beside} |"
        )
    lines += ["", memory, ""]
    with written_aside(project.root / "benchmarks" / "results.json") as aside:
        aside.write_text(json.dumps({"about": about, "memory": memory, "rows": rows}, indent=2))
    publish(project.root, "RESULTS", lines)


if __name__ == "__main__":
    main()
